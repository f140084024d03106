import CLinux
import Glibc
import LabModel
import LinuxSystem
import SystemPackage

/// The file of a timeline, `events.jsonl`, read as it grows.
struct TimelineFile: ~Copyable {
    private static let chunkBytes = 1 << 20

    private let path: String
    private let descriptor: OwnedDescriptor
    private let decoder = JSONLineDecoder()
    private var position = 0
    private var line = 0

    /// Opens it.
    ///
    /// - Throws: ``LabError/machine(_:)``.
    init(_ path: String) throws(LabError) {
        self.path = path
        do {
            descriptor = try FileSystem.openForReading(path)
        } catch {
            throw .machine("\(error)")
        }
    }

    /// How long the file is, in bytes.
    func length() throws(LabError) -> Int {
        let number = descriptor.rawValue
        do {
            return try systemCall("seek in \(path)") { Int(lseek(number, 0, SEEK_END)) }
        } catch {
            throw .machine("\(error)")
        }
    }

    /// Gives every event from where the last call ended.
    ///
    /// - Parameter end: the offset up to which to read: the end of a line.
    /// - Throws: ``LabError``, also for a line that is no event.
    mutating func read(
        to end: Int, _ onEvent: (TimelineEvent, ArraySlice<UInt8>) -> Void
    ) throws(LabError) {
        var rest: [UInt8] = []
        while position < end {
            rest += try chunk(min(Self.chunkBytes, end - position))
            let whole = rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            for line in rest[..<whole].split(separator: UInt8(ascii: "\n")) {
                self.line += 1
                onEvent(try decode(line), line)
            }
            rest.removeFirst(whole)
        }
    }

    private func decode(_ line: ArraySlice<UInt8>) throws(LabError) -> TimelineEvent {
        do {
            return try decoder.decode(TimelineEvent.self, from: line)
        } catch {
            throw .failed(
                "\(path):\(self.line): '\(String(decoding: line, as: UTF8.self))' is no event: "
                    + "\(error)")
        }
    }

    private mutating func chunk(_ count: Int) throws(LabError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let number = descriptor.rawValue
        let offset = off_t(position)
        do {
            let count = try systemCall("read \(path)") {
                pread(number, &bytes, bytes.count, offset)
            }
            guard count > 0 else { throw SystemError("read \(path)", .ioError) }
            position += count
            return Array(bytes.prefix(count))
        } catch {
            throw .machine("\(error)")
        }
    }
}
