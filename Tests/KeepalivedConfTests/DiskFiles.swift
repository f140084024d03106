import Glibc
import KeepalivedConf

extension ConfigurationFiles {
    /// The files of this machine, names counted from `root`.
    static func onDisk(at root: String) -> ConfigurationFiles {
        func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(root)/\(path)" }
        return ConfigurationFiles(
            content: { content(at: absolute($0)) },
            names: { names(in: absolute($0)) })
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

    private static func names(in folder: String) -> [String]? {
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

/// The bytes of a file; nil when it cannot be opened.
func fileContents(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}
