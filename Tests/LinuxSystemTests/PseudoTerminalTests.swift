import CLinux
import Glibc
import LinuxSystem
import Testing

@Suite("Pseudo-terminals and pipes")
struct PseudoTerminalTests {
    @Test("what is typed at one end is read at the other, and the size is as asked")
    func both() throws {
        let terminal = try PseudoTerminal(rows: 12, columns: 34)
        try FileSystem.writeAll(
            Array("typed\n".utf8)[...], to: terminal.controller.rawValue, name: "it")
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(terminal.terminal.rawValue, &buffer, buffer.count)
        #expect(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self) == "typed\n")
        var size = winsize()
        #expect(clinux_ioctl_pointer(terminal.terminal.rawValue, CLINUX_TIOCGWINSZ, &size) == 0)
        #expect(size.ws_row == 12)
        #expect(size.ws_col == 34)
        #expect(PseudoTerminal.foregroundGroup(of: terminal.controller.rawValue) == nil)
    }

    @Test("a pipe carries bytes to its read end, and ends with its write end")
    func pipe() throws {
        let (readEnd, writeEnd) = try Pipe.make()
        try FileSystem.writeAll([1, 2, 3], to: writeEnd.rawValue, name: "a pipe")
        writeEnd.close()
        #expect(try FileSystem.readAll(readEnd.rawValue, name: "a pipe") == [1, 2, 3])
    }
}
