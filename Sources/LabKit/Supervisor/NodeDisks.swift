import LabModel
import LinuxSystem
import SystemPackage

/// The nodes' disks: a tmpfs each, so that one can be full while the others are not.
///
/// They are mounted below the lab's disk in the supervisor's mount namespace, and go with it; a
/// node mounts nothing of them by their names, but inherits them when it is started.
struct NodeDisks {
    /// A tmpfs holds half of the machine's memory unless it is told otherwise (tmpfs(5)).
    private static let wholeSize = "50%"
    private static let flags: Mount.Flags = [.noSetUID, .noDevices]
    /// How often a size is tried that what is written meanwhile has made too small.
    private static let maximumAttempts = 20
    /// A tmpfs counts in these; none at all would be no limit.
    private static let pageBytes: Int64 = 4096

    /// The lab's disk.
    let folder: String

    func path(_ node: String) -> String { "\(folder)/\(node)" }

    /// Makes a node's disk, unless it has one.
    ///
    /// - Throws: ``SystemError``.
    func make(_ node: String) throws(SystemError) {
        let path = path(node)
        guard !FileSystem.exists(path) else { return }
        try FileSystem.makeFolders(path)
        try Mount.mount("tmpfs", on: path, flags: Self.flags, data: "mode=0755")
    }

    /// Has a node's disk take so much more than it holds now; nil for as much as the machine can.
    ///
    /// - Throws: ``SystemError``.
    func limit(_ node: String, toBytesLeft left: Int64?) throws(SystemError) {
        try make(node)
        guard let left else {
            return try Mount.resize(path(node), to: Self.wholeSize, flags: Self.flags)
        }
        for attempt in 1... {
            let size = max(try Mount.usedBytes(path(node)) + left, Self.pageBytes)
            let pages = (size + Self.pageBytes - 1) / Self.pageBytes
            do {
                return try Mount.resize(
                    path(node), to: "\(pages * Self.pageBytes)", flags: Self.flags)
            } catch  where error.code == .invalidArgument && attempt < Self.maximumAttempts {
                continue
            }
        }
    }
}
