import CLinux
import Glibc
import LinuxSystem
import NodeProtocol
import SystemPackage

/// A file of the lab that could not be laid into the node.
struct NodeFileError: Error, CustomStringConvertible {
    var description: String
}

/// The files of the lab in a node: laid once, when its disk is new, so that what is edited in the
/// node survives its reboot as it would on a real machine.
enum NodeFiles {
    /// Marks, beside the layers, a disk that has its files.
    private static let stamp = "files-laid"

    /// Opens what must be opened while the lab's disk can be seen: before ``NodeRoot/build()``.
    static func prepare(_ specification: NodeSpecification) throws(SystemError) -> OwnedDescriptor {
        let folder = specification.layersFolder
        try FileSystem.makeFolders(folder)
        return OwnedDescriptor(
            try systemCall("open \(folder)") {
                clinux_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
            })
    }

    /// Lays them, unless the disk has them already. The node's root is the calling process's.
    ///
    /// - Throws: ``SystemError``, or ``NodeFileError`` for an owner the node does not know.
    static func lay(_ specification: NodeSpecification, layers: borrowing OwnedDescriptor) throws {
        let folder = layers.rawValue
        if faccessat(folder, stamp, F_OK, 0) == 0 { return }
        try lay(text: "\(specification.hostname)\n", at: "/etc/hostname")
        try lay(text: specification.hosts, at: "/etc/hosts")
        var database: UserDatabase?
        for file in specification.files {
            if file.owner != nil || file.group != nil, database == nil {
                database = try UserDatabase.ofMachine()
            }
            try lay(file, database)
        }
        for service in specification.services {
            // What is enabled on the host is of no account here.
            try EnabledUnits.set(service.name, to: service.startsWithNode)
        }
        _ = OwnedDescriptor(
            try systemCall("write \(stamp)") {
                clinux_openat(folder, stamp, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            })
    }

    private static func lay(text: String, at path: String) throws {
        let contents = Array(text.utf8)
        try lay(NodeSpecification.File(path: path, contents: contents, mode: 0o644), nil)
    }

    private static func lay(_ file: NodeSpecification.File, _ database: UserDatabase?) throws {
        let owner = try file.owner.map { name in
            guard let user = database?.user(name) else {
                throw NodeFileError(description: "\(file.path): no user \(name) in the node")
            }
            return user.userID
        }
        let group = try file.group.map { name in
            guard let group = database?.groupID(name) else {
                throw NodeFileError(description: "\(file.path): no group \(name) in the node")
            }
            return group
        }
        if let slash = file.path.lastIndex(of: "/"), slash != file.path.startIndex {
            try FileSystem.makeFolders(String(file.path[..<slash]))
        }
        // In place of what is there, a link included, never through it.
        try FileSystem.remove(file.path)
        try FileSystem.write(file.contents, to: file.path, mode: file.mode & 0o777)
        if owner != nil || group != nil {
            try give(file.path, toUser: owner ?? 0, group: group ?? 0)
        }
        // Again, because a change of owner takes the set-user-ID bits away.
        if file.mode & 0o7000 != 0 {
            try systemCall("set the mode of \(file.path)") { chmod(file.path, mode_t(file.mode)) }
        }
    }

    private static func give(_ path: String, toUser user: UInt32, group: UInt32) throws {
        do throws(SystemError) {
            try FileSystem.setOwner(path, userID: user, groupID: group)
        } catch {
            guard error.code == .invalidArgument, IDMap.isRootAlone else { throw error }
            throw NodeFileError(description: "\(error): \(IDMap.rootAloneHint)")
        }
    }
}
