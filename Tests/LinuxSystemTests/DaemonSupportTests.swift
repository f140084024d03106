import Glibc
import LinuxSystem
import Testing

@Suite("What daemons need")
struct DaemonSupportTests {
    private func scratchFolder(_ name: String) throws -> String {
        let folder = "/tmp/daemon-support-\(getpid())-\(name)"
        try FileSystem.removeTree(folder)
        try FileSystem.makeFolders(folder)
        return folder
    }

    @Test("a log whose reader has stopped loses lines, not time, and says how many")
    func stoppedReader() throws {
        var ends: [CInt] = [0, 0]
        try systemCall("make a pipe") { pipe(&ends) }
        let reader = OwnedDescriptor(ends[0])
        let writing = OwnedDescriptor(ends[1])
        let writer = LineWriter(writing.rawValue)
        let line = String(repeating: "x", count: 1023)
        // A pipe holds 64 KiB: the last ones find no room.
        for _ in 0..<100 { writer.write(line) }
        func read() throws -> String {
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            let number = reader.rawValue
            let count = try systemCall("read") { Glibc.read(number, &buffer, buffer.count) }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
        let kept = try read().split(separator: "\n")
        #expect(kept.allSatisfy { $0 == line } && kept.count < 100)
        writer.write("after")
        #expect(
            try read() == "(\(100 - kept.count) lines were dropped, nobody read them)\nafter\n")
    }

    @Test("a pid file has one owner, who removes it")
    func pidFile() throws {
        let folder = try scratchFolder("pid")
        defer { try? FileSystem.removeTree(folder) }
        let path = "\(folder)/x.pid"
        do {
            guard case .owned(let file) = try PIDFile.own(path) else {
                Issue.record("a new pid file is ours")
                return
            }
            defer { withExtendedLifetime(file) {} }
            #expect(try FileSystem.readText(path) == "\(getpid())\n")
            guard case .running(pid: getpid()) = try PIDFile.own(path) else {
                Issue.record("a second owner was let in")
                return
            }
        }
        #expect(!FileSystem.exists(path))
    }

    @Test("the file of an owner who was killed is taken over, even when its number lives")
    func stalePIDFile() throws {
        let folder = try scratchFolder("stale")
        defer { try? FileSystem.removeTree(folder) }
        let path = "\(folder)/x.pid"
        // Process 1 lives, but holds no lock.
        try FileSystem.write(Array("1\n".utf8), to: path)
        guard case .ownedStale(let file) = try PIDFile.own(path) else {
            Issue.record("a stale pid file was respected")
            return
        }
        #expect(try FileSystem.readText(path) == "\(getpid())\n")
        withExtendedLifetime(file) {}
    }

    @Test("a program that is known not to lock its pid file is believed while it lives")
    func unlockedPIDFile() throws {
        let folder = try scratchFolder("unlocked")
        defer { try? FileSystem.removeTree(folder) }
        let path = "\(folder)/x.pid"
        try FileSystem.write(Array("\(getpid())\n".utf8), to: path)
        let name = try FileSystem.readText("/proc/self/comm").filter { $0 != "\n" }
        guard case .running(pid: getpid()) = try PIDFile.own(path, unlockedOwners: [name]) else {
            Issue.record("a living owner was ignored")
            return
        }
    }

    @Test("glob(3): sorted, braces too, nothing for nothing")
    func paths() throws {
        let folder = try scratchFolder("glob")
        defer { try? FileSystem.removeTree(folder) }
        for name in ["b.conf", "a.conf", "c.txt"] {
            try FileSystem.write([], to: "\(folder)/\(name)")
        }
        #expect(
            FileSystem.paths(matching: "\(folder)/*.conf") == [
                "\(folder)/a.conf", "\(folder)/b.conf",
            ])
        #expect(
            FileSystem.paths(matching: "\(folder)/{c,b}.*") == [
                "\(folder)/c.txt", "\(folder)/b.conf",
            ])
        #expect(FileSystem.paths(matching: "\(folder)/x*") == [])
    }

    @Test("the local time is written as ctime(3) does")
    func localTime() throws {
        var now = time(nil)
        let before = String(cString: ctime(&now)).dropLast()
        let written = HostInformation.localTime
        now = time(nil)
        let after = String(cString: ctime(&now)).dropLast()
        #expect(written == before || written == after)
        #expect(HostInformation.kernel.hasPrefix("Linux "))
    }
}
