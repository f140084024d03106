import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What the nodes of an ordinary user's lab get of the host's folders that they may write to.
///
/// In a user namespace most of the host's files belong to nobody, and nothing that belongs to
/// nobody can be changed, not even in an overlay's copy (EOVERFLOW: `vfs_create` and the overlay's
/// copy-up refuse owners without a number; fs/namei.c, fs/overlayfs/copy_up.c). So such a lab lays
/// folders of the same names over the host's, whose owners are its own; and as /etc is small, its
/// nodes get copies of all files in there.
///
/// It is read outside the user namespace, where owners can still be seen, by the launcher.
struct HostFolders: Codable, Equatable, Sendable {
    /// Something of the host's.
    struct Entry: Equatable {
        enum Kind: Character {
            case folder = "d"
            /// One that the user may not look into: it is empty for nodes.
            case closedFolder = "c"
            /// Copied.
            case file = "f"
            /// Copied.
            case link = "l"
        }

        var kind: Kind
        var mode: UInt16
        var userID: UInt32
        var groupID: UInt32
        var path: String
    }

    /// Folders of which the nodes get copies, as far as the user can read them, and nothing else.
    static let copied = ["etc"]
    /// Folders of which they get the tree of folders; the files in it are the host's own.
    static let laidOver = ["var", "root", "home", "srv", "opt"]
    /// Of the files in this one they get copies, too: over the page that a web server's package has
    /// put there, nodes write their own.
    static let pages = "/var/www/html"

    /// A file that is larger is left out.
    static let maximumFileBytes = 1 << 20
    /// Deeper folders are not looked into: they can be read and not written to.
    static let maximumDepth = 5
    /// No more entries of one of the top folders, alike.
    static let maximumEntries = 5000

    /// The entries, one a line, parents before what is in them: `d 755 0 0 /var/lib`. As text, for
    /// they are thousands and travel to the supervisor as a part of its order.
    private(set) var text: String

    init(_ entries: [Entry]) {
        text = entries.map {
            "\($0.kind.rawValue) \(String($0.mode, radix: 8)) \($0.userID) \($0.groupID) "
                + "\($0.path)\n"
        }.joined()
    }

    var entries: [Entry] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(
                separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
            guard fields.count == 5, let kind = fields[0].first.flatMap(Entry.Kind.init),
                let mode = UInt16(fields[1], radix: 8), let user = UInt32(fields[2]),
                let group = UInt32(fields[3])
            else { return nil }
            return Entry(
                kind: kind, mode: mode, userID: user, groupID: group, path: String(fields[4]))
        }
    }

    /// Those of this machine, as the calling process sees them.
    ///
    /// - Parameter user: whose own folders need nothing above them.
    static func ofMachine(user: UInt32 = geteuid()) -> HostFolders {
        var entries: [Entry] = []
        for name in copied + laidOver {
            var scan = Scan(copiesFiles: copied.contains(name), own: user)
            scan.take("/\(name)", depth: 1)
            entries += scan.entries
        }
        return HostFolders(entries)
    }

    private struct Scan {
        let copiesFiles: Bool
        let own: UInt32
        var entries: [Entry] = []

        init(copiesFiles: Bool, own: UInt32) {
            self.copiesFiles = copiesFiles
            self.own = own
        }

        mutating func take(_ path: String, depth: Int) {
            // A name with a line's end in it has no place in the text.
            guard entries.count < maximumEntries, !path.utf8.contains(UInt8(ascii: "\n")),
                let found = try? FileSystem.attributes(path, followsLinks: false)
            else { return }
            func add(_ kind: Entry.Kind) {
                entries.append(
                    Entry(
                        kind: kind, mode: found.mode,
                        userID: found.userID == own ? 0 : found.userID,
                        groupID: found.groupID, path: path))
            }
            switch found.kind {
            case .folder:
                guard access(path, R_OK | X_OK) == 0, let names = try? FileSystem.list(path) else {
                    return add(.closedFolder)
                }
                add(.folder)
                // What is the user's own is root's in a node already.
                guard copiesFiles || found.userID != own && depth < maximumDepth else { return }
                for name in names {
                    take(path == "/" ? "/\(name)" : "\(path)/\(name)", depth: depth + 1)
                }
            case .file where (copiesFiles || isPage(path)) && access(path, R_OK) == 0: add(.file)
            case .link where copiesFiles: add(.link)
            case .file, .link, .fifo, .other: break
            }
        }

        private func isPage(_ path: String) -> Bool {
            path.hasPrefix(pages + "/") && !path.dropFirst(pages.utf8.count + 1).contains("/")
        }
    }
}
