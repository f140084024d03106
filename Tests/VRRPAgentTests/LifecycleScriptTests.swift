import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("startup_script and shutdown_script (KEEPALIVED.md §1.2)")
struct LifecycleScriptTests {
    private func run(
        _ text: String, _ kind: LifecycleScript.Kind = .startup, timeout: Duration = .seconds(20),
        mode: UInt16 = 0o755
    ) throws -> AgentBench {
        let bench = try AgentBench()
        let path = try bench.script("x", "#!/bin/sh\n\(text)\n", mode: mode)
        var isOver = false
        let script = LifecycleScript(
            kind, .init([path, "a"]), timeout: timeout, launcher: try bench.launcher(),
            loop: bench.loop, log: bench.log
        ) { isOver = true }
        #expect(!isOver)
        try bench.run(until: { isOver })
        withExtendedLifetime(script) {}
        #expect(bench.details.first == "Running \(kind.rawValue) \(path)")
        return bench
    }

    @Test("what came of it is logged as keepalived does")
    func results() throws {
        let good = try run("echo $1 > ${0%x}told")
        #expect(good.text("told") == "a\n")
        #expect(good.details.last == "startup script script succeeded")
        #expect(good.lines == [])
        #expect(try run("exit 3", .shutdown).lines == ["shutdown script script failed, status 3"])
        #expect(
            try run("", .shutdown, mode: 0o644).lines.first?.contains("failed: run ") ?? false)
    }

    @Test("one that takes too long is ended with what it has started")
    func timeout() throws {
        let bench = try run(
            "sleep 1000 & echo $! > ${0%x}pid; wait", timeout: .milliseconds(300))
        #expect(bench.lines == ["startup script timed out"])
        let grandchild = try #require(Int32(bench.text("pid").dropLast()))
        try bench.run(until: {
            (try? ProcessEntry.of(grandchild)).flatMap(\.self)?.hasEnded ?? true
        })
    }
}
