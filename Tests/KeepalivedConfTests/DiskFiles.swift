import Glibc
import KeepalivedConf
import TestSupport

extension ConfigurationFiles {
    /// The files of this machine, names counted from `root`.
    static func onDisk(at root: String) -> ConfigurationFiles {
        func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(root)/\(path)" }
        return ConfigurationFiles(
            content: { content(at: absolute($0)) },
            names: { folderContents(absolute($0)) })
    }

    private static func content(at path: String) -> Content? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .folder
        case S_IFREG where status.st_mode & 0o111 == 0: break
        default: return .irregular
        }
        guard let bytes = fileContents(path) else { return .unreadable("cannot be opened") }
        return .text(String(decoding: bytes, as: UTF8.self))
    }
}
