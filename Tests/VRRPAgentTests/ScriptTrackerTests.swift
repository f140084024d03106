import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("vrrp_script with real processes", .serialized)
struct ScriptTrackerTests {
    private let bench: AgentBench

    init() throws { bench = try AgentBench() }

    private func tracker(
        _ command: String, _ body: String = "", onResult: @escaping (Bool) -> Void = { _ in }
    ) throws -> ScriptTracker {
        let text = "vrrp_script chk {\nscript \"\(command)\"\n\(body)\n}"
        var script = try #require(
            Configuration.parse(text, file: "x").configuration.scripts.first)
        // The file's unit is the second; a test has no time for that.
        script.interval = .milliseconds(20)
        if script.timeout == nil { script.timeout = .seconds(10) }
        return ScriptTracker(
            script, user: nil, launcher: try bench.launcher(), loop: bench.loop, log: bench.log,
            onResult: onResult)
    }

    @Test("a child has what keepalived's have: arguments, /dev/null, a group, umask, no signals")
    func child() throws {
        let path = try bench.script(
            "show",
            """
            #!/bin/sh
            {
            for word; do echo "word: $word"; done
            echo "umask: $(umask)"
            echo "folder: $(pwd)"
            echo "variables: $FOO$PATH"
            grep -E '^Sig(Blk|Ign)' /proc/self/status
            cat /proc/$$/stat
            ls -l /proc/$$/fd
            } > \(bench.folder)/new
            mv \(bench.folder)/new \(bench.folder)/shown
            """)
        var results: [Bool] = []
        let tracker = try tracker("\(path) 'a b'") { results.append($0) }
        tracker.start()
        #expect(results.isEmpty, "nothing happens before the loop runs")
        try bench.run(until: { !results.isEmpty })
        tracker.stop()

        let shown = bench.text("shown").split(separator: "\n").map(String.init)
        #expect(results == [true])
        #expect(bench.lines.last == "VRRP_Script(chk) succeeded")
        #expect(shown.filter { $0.hasPrefix("word") }.first == "word: a b")
        #expect(shown.contains("umask: 0177"))
        #expect(shown.contains("variables: /usr/bin:/bin"))
        #expect(shown.contains("SigBlk:\t0000000000000000"))
        // Signals 32 and 33 are the C library's own.
        let ignored = shown.first { $0.hasPrefix("SigIgn") }.flatMap {
            UInt64($0.dropFirst(8), radix: 16)
        }
        #expect(try #require(ignored) & 0x7fff_ffff == 0)
        let process = try #require(shown.compactMap(ProcessEntry.init(stat:)).first)
        #expect(process.processGroup == process.pid)
        let descriptors = shown.compactMap { line in
            line.firstRange(of: " -> ").map { String(line[$0.upperBound...]) }
        }
        // The shell's own are its script and where it was told to write.
        let own = ["/dev/null", path, "\(bench.folder)/new"]
        #expect(descriptors.contains("/dev/null"))
        #expect(descriptors.allSatisfy(own.contains), "none of the daemon's: \(descriptors)")
    }

    @Test("a timeout kills a script that ignores SIGTERM with all it has started")
    func grandchildren() throws {
        let path = try bench.script(
            "stubborn",
            """
            #!/bin/sh
            trap '' TERM
            sleep 1000 &
            echo $! > \(bench.folder)/grandchild.new
            mv \(bench.folder)/grandchild.new \(bench.folder)/grandchild
            while :; do sleep 1000; done
            """)
        var results: [Bool] = []
        let tracker = try tracker(path, "timeout 1") { results.append($0) }
        tracker.start()
        try bench.run(until: { results == [false] })
        let grandchild = try #require(
            Int32(bench.text("grandchild").split(separator: "\n").first ?? ""))
        #expect(bench.lines.contains("VRRP_Script(chk) timed_out"))
        #expect(bench.lines.contains { $0.contains("expect idle - skipping run") })
        // SIGKILL comes 2 s after SIGTERM; then the next run starts.
        try bench.run(until: {
            (try? ProcessEntry.of(grandchild)).flatMap(\.self)?.hasEnded ?? true
        })
        var isStopped = false
        tracker.stop { isStopped = true }
        try bench.run(until: { isStopped })
        #expect(try AgentBench.children("stubborn").isEmpty)
    }

    @Test("stopping ends a run with all it has started")
    func stop() throws {
        let path = try bench.script(
            "long", "#!/bin/sh\nsleep 1000 &\necho $! > \(bench.folder)/pid\nwait\n")
        let tracker = try tracker(path)
        tracker.start()
        try bench.run(until: { bench.text("pid").hasSuffix("\n") })
        let grandchild = try #require(Int32(bench.text("pid").dropLast()))
        var isStopped = false
        tracker.stop { isStopped = true }
        try bench.run(until: { isStopped })
        try bench.run(until: {
            (try? ProcessEntry.of(grandchild)).flatMap(\.self)?.hasEnded ?? true
        })
        #expect(try AgentBench.children("long").isEmpty)
    }

    @Test("a script that is missing or not executable fails with the shell's status")
    func unusable() throws {
        for (name, status) in [("missing", 127), ("plain", 126)] {
            if name == "plain" { _ = try bench.script(name, "#!/bin/sh\n", mode: 0o644) }
            var results: [Bool] = []
            let tracker = try tracker("\(bench.folder)/\(name)") { results.append($0) }
            tracker.start()
            try bench.run(until: { !results.isEmpty })
            tracker.stop()
            #expect(results == [false])
            #expect(
                bench.lines.contains("VRRP_Script(chk) failed (exited with status \(status))"))
            #expect(bench.lines.count { $0.contains("run \(bench.folder)/\(name): ") } == 1)
        }
    }

    @Test("a file without #! is the shell's, and `</path` asks whether it can be read")
    func interpreted() throws {
        let plain = try bench.script("plain", "test \"$1\" = x && exit 0; exit 3\n")
        for (command, isUp) in [
            ("\(plain) x", true), ("\(plain) y", false), ("</etc/passwd", true),
            ("</nonexistent", false),
        ] {
            var results: [Bool] = []
            let tracker = try tracker(command) { results.append($0) }
            tracker.start()
            try bench.run(until: { !results.isEmpty })
            tracker.stop()
            #expect(results == [isUp], "\(command)")
        }
    }

    @Test("thousands of runs leave no process and no descriptor")
    func noLeak() throws {
        let before = try AgentBench.descriptorCount()
        do {
            let launcher = try bench.launcher()
            var running: [Int: ChildProcess] = [:]
            var started = 0
            func startNext() throws {
                while started < 2_000, running.count < 4 {
                    let number = started
                    running[number] = try launcher.start(.init(["/bin/true"])) { _ in
                        running[number] = nil
                    }
                    started += 1
                }
            }
            while started < 2_000 {
                try startNext()
                try bench.loop.runOnce()
            }
            try bench.run(until: { running.isEmpty })
        }
        // Other suites run meanwhile and have some of their own.
        #expect(try AgentBench.descriptorCount() < before + 200)
        #expect(try AgentBench.children("true").isEmpty)
    }
}
