import Glibc
import LinuxSystem
import Testing

@Suite("sd_notify(3)'s receiving end")
struct NotifySocketTests {
    @Test("assignments arrive in order, split by lines, from as many datagrams as were sent")
    func receive() throws {
        let path = "/tmp/labctl-notify-test-\(getpid()).sock"
        let notify = try NotifySocket(path: path)
        defer { unlink(path) }
        #expect(try notify.receive().isEmpty)
        try send("STATUS=warming up", to: path)
        try send("READY=1\nMAINPID=7\n", to: path)
        #expect(try notify.receive() == ["STATUS=warming up", "READY=1", "MAINPID=7"])
        #expect(try notify.receive().isEmpty)
    }

    @Test("a path that does not fit a socket's address is refused by name")
    func longPath() {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        let error = #expect(throws: SystemError.self) { _ = try NotifySocket(path: path) }
        #expect(error?.description == "use \(path) as a socket's path: file name too long")
    }

    @Test("a manager's socket that stays open is told as long as there is room, and never waits")
    func managerSocket() throws {
        let path = "/tmp/labctl-manager-test-\(getpid()).sock"
        let notify = try NotifySocket(path: path)
        defer { unlink(path) }
        let socket = try ManagerSocket(path)
        var sent = 0
        while try socket.send("X_N=\(sent)\n") { sent += 1 }
        #expect(sent > 0)
        #expect(try notify.receive() == (0..<sent).map { "X_N=\($0)" })
        #expect(try socket.send("X_N=again\n"))
        #expect(try notify.receive() == ["X_N=again"])
    }

    @Test("a name that is no socket's is refused, and a manager that has gone is an error")
    func managerGone() throws {
        #expect(throws: SystemError.self) { try ManagerSocket("relative") }
        let socket = try ManagerSocket("/tmp/labctl-no-manager-\(getpid()).sock")
        #expect(throws: SystemError.self) { try socket.send("X_N=1\n") }
    }

    private func send(_ text: String, to path: String) throws {
        let socket = OwnedDescriptor(
            try systemCall("open a socket") { Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0) }
        )
        let number = socket.rawValue
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        _ = try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try systemCall("send") {
                    sendto(
                        number, text, text.utf8.count, 0, pointer,
                        socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }
}
