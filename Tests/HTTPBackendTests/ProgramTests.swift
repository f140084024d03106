import Glibc
import LinuxSystem
import Testing

@Suite("The program http-backend")
struct ProgramTests {
    /// Where the build put it: beside the tests.
    private func program() throws -> String {
        let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
        let folder = try #require(bundle.lastIndex(of: "/"))
        return "\(bundle[..<folder])/http-backend"
    }

    private func start(_ arguments: [String], environment: [String] = []) throws -> pid_t {
        let path = try program()
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
        }
        var pid: pid_t = 0
        try #require(posix_spawn(&pid, path, &actions, nil, &argv, &envp) == 0)
        return pid
    }

    /// The exit status; 128 and more for a signal, as a shell says it.
    private func wait(for pid: pid_t) throws -> Int32 {
        var status: Int32 = 0
        try systemCall("wait for the program") { waitpid(pid, &status, 0) }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }

    @Test("says when it is ready, and ends with status 0 on SIGTERM and on SIGINT")
    func life() throws {
        for signal in [SIGTERM, SIGINT] {
            let name = "http-backend-test-\(getpid())-\(signal)"
            let manager = OwnedDescriptor(
                try systemCall("make a socket") {
                    socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
                })
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) {
                $0.copyBytes(from: [0] + Array(name.utf8))
            }
            let number = manager.rawValue
            let length = socklen_t(3 + name.utf8.count)
            try systemCall("bind") {
                withUnsafePointer(to: address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(number, $0, length)
                    }
                }
            }
            let pid = try start(
                ["--root", "/tmp", "--listen", "127.0.0.1", "--port", "0"],
                environment: ["NOTIFY_SOCKET=@\(name)"])
            var limit = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(
                number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var buffer = [UInt8](repeating: 0, count: 100)
            let count = recv(number, &buffer, buffer.count, 0)
            #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "READY=1\n")
            kill(pid, signal)
            #expect(try wait(for: pid) == 0)
        }
    }

    @Test(
        "ends with status 1 when it cannot start, 2 on wrong usage, 0 for help",
        arguments: [
            (["--root", "/nowhere"], 1), (["--port", "70000"], 2), (["--port", "x"], 2),
            (["--listen", "host.example"], 2), (["--unknown"], 2), (["--help"], 0),
            (["--root", "/tmp", "--access-log", "/nowhere/log"], 1),
        ] as [([String], Int32)])
    func statuses(arguments: [String], status: Int32) throws {
        #expect(try wait(for: start(arguments)) == status)
    }
}
