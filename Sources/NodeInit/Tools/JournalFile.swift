import CLinux
import Glibc
import LinuxSystem
import NodeProtocol
import SystemPackage

/// What a unit has printed: the supervisor's file of it, as the node sees it.
struct JournalFile {
    let unit: String
    private let path: String
    /// How much of it has been read.
    private var offset: Int64 = 0

    init(_ unit: String) {
        self.init(path: "\(NodeRoot.outputFolder)/\(unit).log", unit: unit)
    }

    private init(path: String, unit: String) {
        self.path = path
        self.unit = unit
    }

    /// Every line there is, oldest first.
    mutating func readAll() throws(SystemError) -> [StoredLine] {
        // One that has become long is continued in a new file.
        var older = JournalFile(path: path + ".1", unit: unit)
        return try older.readNew() + readNew()
    }

    /// The whole lines that have been added since the last call.
    mutating func readNew() throws(SystemError) -> [StoredLine] {
        // A unit that has printed nothing has no file.
        guard FileSystem.isRegularFile(path) else { return [] }
        let file = try FileSystem.openForReading(path)
        let number = file.rawValue
        var information = stat()
        try systemCall("look at \(path)") { fstat(number, &information) }
        // A shorter file is another one: the former has been put aside.
        if Int64(information.st_size) < offset { offset = 0 }
        let start = offset
        try systemCall("seek in \(path)") { lseek(number, off_t(start), SEEK_SET) }
        let bytes = try FileSystem.readAll(number, name: path)
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        offset += Int64(end + 1)
        return bytes[...end].split(separator: UInt8(ascii: "\n")).compactMap { StoredLine($0) }
    }
}
