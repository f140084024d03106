import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The folder on a lab's disk that has ``HostFolders`` in it, for all its nodes: a lower layer
/// above the host's own.
struct HostMirror {
    /// Its name on the lab's disk, which no node can have.
    static let name = ".host"
    /// Marks a folder through which nothing shows of those below (overlayfs.rst, `userxattr`).
    private static let opaque = "user.overlay.opaque"

    let folder: String

    /// - Parameter disk: the lab's disk.
    init(disk: String) { folder = "\(disk)/\(Self.name)" }

    /// Makes it.
    ///
    /// What cannot be read any more is left out.
    ///
    /// - Parameter map: who there is in the calling process's user namespace.
    /// - Throws: ``SystemError`` when the lab's disk takes no more.
    func make(_ host: HostFolders, _ map: IDMap) throws(SystemError) {
        try FileSystem.makeFolders(folder)
        for entry in host.entries {
            let path = folder + entry.path
            switch entry.kind {
            case .folder, .closedFolder: try makeFolder(path, entry)
            case .file: try copyFile(to: path, entry)
            case .link:
                guard case .link(let target) = FileSystem.entry(entry.path) else { continue }
                try FileSystem.link(path, to: target)
                continue
            }
            let user = map.stand(inForUser: entry.userID)
            let group = map.stand(inForGroup: entry.groupID)
            guard FileSystem.exists(path) else { continue }
            if user != 0 || group != 0 {
                try FileSystem.setOwner(path, userID: user, groupID: group)
            }
            // After a change of owner, which takes the set-user-ID bits away.
            try systemCall("set the mode of \(path)") { chmod(path, mode_t(entry.mode)) }
        }
    }

    private func makeFolder(_ path: String, _ entry: HostFolders.Entry) throws(SystemError) {
        try FileSystem.makeFolders(path)
        guard entry.kind == .closedFolder else { return }
        // Where a tmpfs takes none (before Linux 6.6), what is below can be seen, and not read.
        _ = setxattr(path, Self.opaque, "y", 1, 0)
    }

    private func copyFile(to path: String, _ entry: HostFolders.Entry) throws(SystemError) {
        let limit = HostFolders.maximumFileBytes
        guard let contents = try? FileSystem.read(entry.path, limitBytes: limit + 1),
            contents.count <= limit
        else { return }
        try FileSystem.write(contents, to: path)
    }
}
