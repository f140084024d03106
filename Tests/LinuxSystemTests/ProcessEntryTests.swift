import Glibc
import LinuxSystem
import Testing

@Suite("Processes as /proc shows them (proc_pid_stat(5))")
struct ProcessEntryTests {
    @Test("a line of /proc/PID/stat")
    func line() {
        let entry = ProcessEntry(stat: "42 (sh) S 1 41 40 34816 42 4194304 100")
        #expect(
            entry
                == ProcessEntry(
                    pid: 42, command: "sh", state: "S", parent: 1, processGroup: 41, session: 40))
    }

    @Test("a name with brackets and spaces cannot pass for the fields after it")
    func confusingName() {
        let entry = ProcessEntry(stat: "42 (a) R 9 (b c)) Z 1 41 40 0")
        #expect(entry?.command == "a) R 9 (b c)")
        #expect(entry?.parent == 1)
        #expect(entry?.hasEnded == true)
    }

    @Test(
        "what is not such a line is none",
        arguments: ["", "42", "42 (sh", "42 (sh) S", "x (y) S 1 2 3"])
    func malformed(line: String) { #expect(ProcessEntry(stat: line) == nil) }

    @Test("the own process is there, with its environment; one that does not exist is not")
    func own() throws {
        let own = try #require(try ProcessEntry.of(getpid()))
        #expect(own.parent == getppid())
        #expect(own.session == getsid(0))
        #expect(!own.hasEnded)
        #expect(try ProcessEntry.all().contains { $0.pid == getpid() })
        #expect(try ProcessEntry.of(.max) == nil)
        #expect(try ProcessEntry.environment(of: .max).isEmpty)
    }

    @Test("a listening socket is found at the process that holds it, on its port only")
    func listening() throws {
        let socket = OwnedDescriptor(
            try systemCall("open a socket") {
                Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            })
        let number = socket.rawValue
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try systemCall("bind") { bind(number, pointer, length) }
                try systemCall("read the address") { getsockname(number, pointer, &length) }
            }
        }
        let port = UInt16(bigEndian: address.sin_port)
        #expect(try !ProcessEntry.listens(getpid(), onTCPPort: port), "bound is not listening")
        try systemCall("listen") { listen(number, 1) }
        #expect(try ProcessEntry.listens(getpid(), onTCPPort: port))
        #expect(try !ProcessEntry.listens(.max, onTCPPort: port), "no such process")
    }
}
