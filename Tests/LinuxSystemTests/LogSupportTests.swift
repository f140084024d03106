import Glibc
import Testing

@testable import LinuxSystem

@Suite("Logs that never wait")
struct LogSupportTests {
    /// A pipe that is full, its writer, and how to read all it holds.
    private struct FullPipe {
        let ends: (readEnd: SharedDescriptor, writeEnd: SharedDescriptor)

        init() throws {
            ends = try Pipe.make()
            let filler = [UInt8](repeating: UInt8(ascii: "."), count: 4096)
            for _ in 0..<16 {
                try FileSystem.writeAll(filler[...], to: ends.writeEnd.rawValue, name: "pipe")
            }
        }

        func read() throws -> String {
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            let number = ends.readEnd.rawValue
            let count = try systemCall("read") { Glibc.read(number, &buffer, buffer.count) }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    @Test("lines wait for a slow reader, in order")
    func waiting() throws {
        let pipe = try FullPipe()
        let writer = LineWriter(pipe.ends.writeEnd.rawValue, limitBytes: 100)
        writer.write("one")
        writer.write("two")
        #expect(writer.isWaiting)
        _ = try pipe.read()
        writer.flush()
        #expect(!writer.isWaiting)
        #expect(try pipe.read() == "one\ntwo\n")
    }

    @Test("beyond the limit lines are dropped and counted, where they would have stood")
    func limit() throws {
        let pipe = try FullPipe()
        let writer = LineWriter(pipe.ends.writeEnd.rawValue, limitBytes: 8)
        for line in ["one", "two", "three", "four"] { writer.write(line) }
        _ = try pipe.read()
        writer.write("five")
        #expect(
            try pipe.read() == "one\ntwo\n(2 lines were dropped, nobody read them)\nfive\n")
    }

    @Test("lines that are added together are written together, whole and as many as fit a pipe")
    func batches() throws {
        var ends: [CInt] = [0, 0]
        // Here every call of write(2) is a message of its own.
        try systemCall("make sockets") {
            socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0, &ends)
        }
        let writing = OwnedDescriptor(ends[0])
        let reading = OwnedDescriptor(ends[1])
        func read() throws -> String {
            var buffer = [UInt8](repeating: 0, count: 8192)
            let number = reading.rawValue
            let count = try systemCall("read") {
                recv(number, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
        let writer = LineWriter(writing.rawValue)
        let long = String(repeating: "x", count: 3000)
        for line in ["one", "two", long, long, "three"] { writer.append(line) }
        #expect(writer.isWaiting)
        writer.flush()
        #expect(try read() == "one\ntwo\n\(long)\n")
        #expect(try read() == "\(long)\nthree\n")
        #expect(!writer.isWaiting)
    }

    @Test("a reader that is gone costs lines, not the program")
    func gone() throws {
        // As main, where all signals are blocked.
        signal(SIGPIPE, SIG_IGN)
        var ends: [CInt] = [0, 0]
        try systemCall("make a pipe") { pipe(&ends) }
        close(ends[0])
        let writing = OwnedDescriptor(ends[1])
        let writer = LineWriter(writing.rawValue, limitBytes: 8)
        for _ in 0..<10 { writer.write("x") }
        #expect(writer.isWaiting)
    }

    @Test("syslog's datagrams have level, time, name and process")
    func syslog() {
        #expect(
            Syslog.message(
                "Startup complete", time: "Sat Nov  1 12:56:56 2026", facility: .daemon,
                identity: "vrrp-agent_blue", pid: 7)
                == "<30>Nov  1 12:56:56 vrrp-agent_blue[7]: Startup complete")
        #expect(Syslog.Facility("local7")?.number == 23)
        #expect(Syslog.Facility("8") == nil && Syslog.Facility("mail") == nil)
    }

    @Test("a syslog whose daemon does not read loses messages, and says how many")
    func stoppedSyslog() throws {
        let path = "/tmp/log-support-\(getpid()).sock"
        unlink(path)
        defer { unlink(path) }
        let number = try systemCall("make a socket") {
            socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        }
        let server = OwnedDescriptor(number)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try systemCall("bind") {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        func read() throws -> String {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let number = server.rawValue
            let count = try systemCall("read") {
                recv(number, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
        let log = Syslog(identity: "x", path: path)
        // The kernel queues some ten datagrams for a reader (net.unix.max_dgram_qlen), 512 at most.
        for index in 0..<600 { log.write("\(index)", time: "Sat Nov 21 12:56:56 2026") }
        var kept = 0
        while let message = try? read() {
            #expect(message.hasSuffix(": \(kept)"))
            kept += 1
        }
        #expect(kept > 0 && kept < 600)
        log.write("after", time: "Sat Nov 21 12:56:56 2026")
        #expect(
            try read().hasSuffix(": (\(600 - kept) messages were dropped, nobody read them)"))
        #expect(try read().hasSuffix(": after"))
    }

    @Test("a file is replaced whole, and a link in its place is not followed")
    func replacement() throws {
        let folder = "/tmp/log-support-\(getpid())"
        try FileSystem.removeTree(folder)
        try FileSystem.makeFolders(folder)
        defer { try? FileSystem.removeTree(folder) }
        try FileSystem.write(Array("precious".utf8), to: "\(folder)/target")
        try FileSystem.link("\(folder)/dump", to: "\(folder)/target")
        // What a run that was killed left behind does not stop the next.
        try FileSystem.write([], to: "\(folder)/dump.\(getpid()).0")
        try FileSystem.replace("\(folder)/dump", with: Array("new".utf8), mode: 0o600)
        #expect(try FileSystem.readText("\(folder)/dump") == "new")
        #expect(try FileSystem.readText("\(folder)/target") == "precious")
        #expect(FileSystem.entry("\(folder)/dump") == .file)
        var information = stat()
        #expect(stat("\(folder)/dump", &information) == 0)
        #expect(information.st_mode & 0o777 == 0o600)
        #expect(try FileSystem.list(folder) == ["dump", "dump.\(getpid()).0", "target"])
    }

    @Test("the code of a process is found in its map")
    func codeRanges() {
        let maps = """
            55d0000-55d8000 r-xp 00001000 fe:00 123                        /usr/bin/x y
            55d8000-55d9000 r--p 00009000 fe:00 123                        /usr/bin/x y
            7f00000-7f01000 rw-p 00000000 00:00 0                          [heap]
            7f10000-7f11000 r-xp 00000000 00:00 0                          [vdso]
            """
        #expect(ProcessMemory.codeRanges(maps: maps) == [0x55d_0000..<0x55d_8000])
    }

    @Test("a process that gives its start's pages back goes on")
    func release() {
        let before = (0..<1000).map { "value \($0)" }
        ProcessMemory.releaseStartPages()
        #expect((0..<1000).map { "value \($0)" } == before)
    }
}
