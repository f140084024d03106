import LabModel
import LinuxSystem
import SystemPackage

/// The nodes' disks: a tmpfs each, so that one can be full while the others are not.
///
/// They are mounted below the lab's disk, in a mount namespace that nothing else happens in: a node
/// that starts copies the supervisor's, and would copy every other node's disk with it. It gets its
/// own as a copy of the mount. All of them go with the supervisor.
final class NodeDisks {
    /// A tmpfs holds half of the machine's memory unless it is told otherwise (tmpfs(5)).
    private static let wholeSize = "50%"
    private static let flags: Mount.Flags = [.noSetUID, .noDevices]
    /// How often a size is tried that what is written meanwhile has made too small.
    private static let maximumAttempts = 20
    /// A tmpfs counts in these; none at all would be no limit.
    private static let pageBytes: Int64 = 4096

    /// The lab's disk, on which each has a folder.
    let folder: String
    private let store: MountNamespace
    private var nodes: Set<String> = []

    /// None as yet.
    ///
    /// - Parameter folder: the lab's disk, mounted.
    /// - Throws: ``SystemError``.
    init(folder: String) throws(SystemError) {
        self.folder = folder
        store = try MountNamespace.copyOfOwn()
    }

    /// Where a node mounts its disk.
    func path(_ node: String) -> String { "\(folder)/\(node)" }

    /// A node's disk, made if it has none: to be mounted once, by one start of the node.
    ///
    /// - Throws: ``SystemError``.
    func open(_ node: String) throws(SystemError) -> SharedDescriptor {
        let path = path(node)
        try makeFolder(node)
        return try store.run { () throws(SystemError) in
            try mount(node)
            return try Mount.copy(path)
        }
    }

    /// Has a node's disk take so much more than it holds now; nil for as much as the machine can.
    ///
    /// - Throws: ``SystemError``.
    func limit(_ node: String, toBytesLeft left: Int64?) throws(SystemError) {
        try makeFolder(node)
        try store.run { () throws(SystemError) in
            try mount(node)
            try limitMount(path(node), toBytesLeft: left)
        }
    }

    private func makeFolder(_ node: String) throws(SystemError) {
        if !nodes.contains(node) { try FileSystem.makeFolders(path(node)) }
    }

    /// Mounts it, unless that is done. In the store.
    private func mount(_ node: String) throws(SystemError) {
        guard !nodes.contains(node) else { return }
        try Mount.mount("tmpfs", on: path(node), flags: Self.flags, data: "mode=0755")
        nodes.insert(node)
    }

    private func limitMount(_ path: String, toBytesLeft left: Int64?) throws(SystemError) {
        guard let left else {
            return try Mount.resize(path, to: Self.wholeSize, flags: Self.flags)
        }
        for attempt in 1... {
            let size = max(try Mount.usedBytes(path) + left, Self.pageBytes)
            let pages = (size + Self.pageBytes - 1) / Self.pageBytes
            do {
                return try Mount.resize(
                    path, to: "\(pages * Self.pageBytes)", flags: Self.flags)
            } catch  where error.code == .invalidArgument && attempt < Self.maximumAttempts {
                continue
            }
        }
    }
}
