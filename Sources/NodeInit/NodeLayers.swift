import Glibc

/// What is in the folder of a node's layers (``NodeSpecification/layersFolder``).
enum NodeLayers {
    /// Has what the node has written, by the paths it was written to.
    static let upper = "upper"
    /// What the kernel needs for that.
    static let work = "work"
    /// Where it is mounted together with the host's root, while the node's root is built.
    static let merged = "merged"

    /// What the node has written into a top-level folder.
    static func upper(of name: String) -> String { "\(upper)/\(name)" }

    /// The number of the file system that a file or folder is on, links followed; nil for what is
    /// not there.
    static func device(_ path: String) -> dev_t? {
        var information = stat()
        return stat(path, &information) == 0 ? information.st_dev : nil
    }
}
