import CLinux
import FoundationEssentials
import Glibc

/// Cuts what one of the supervisor's helper processes says into its lines.
struct ReplyLines {
    private static let bufferBytes = 16 << 10
    private var received: [UInt8] = []

    /// Reads what is there, without waiting.
    ///
    /// - Returns: the lines that are whole, without their ends; and whether nothing more comes.
    ///   That shows at the process, too, but what is at its end is always readable: it is to be
    ///   watched no longer.
    mutating func read(_ socket: CInt) -> (lines: [Data], isAtEnd: Bool) {
        var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        var count = recv(socket, &buffer, buffer.count, CLINUX_MSG_DONTWAIT)
        while count > 0 {
            received += buffer.prefix(count)
            count = recv(socket, &buffer, buffer.count, CLINUX_MSG_DONTWAIT)
        }
        var lines: [Data] = []
        while let end = received.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(Data(received[..<end]))
            received.removeSubrange(...end)
        }
        return (lines, count == 0)
    }
}
