import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

/// Whether this kernel has sch_netem.
private let hasNetem: Bool = {
    do {
        try NetworkNamespace.create().run {
            try RouteSocket().perform(.add(NetemQueue(), to: .loopback))
        }
        return true
    } catch {
        return false
    }
}()

@Suite(
    "Cables that the kernel impairs: netem beside the wire",
    .enabled(if: buildsLabs, "needs root"),
    .enabled(if: hasNetem, "this kernel has no netem: user-mode Linux runs it"), .serialized)
struct NetemTests {
    /// What is done, and what echo requests from b to a show of it, whoever does it. Its clock is
    /// the host's, so that only the least of a delay is sure.
    private static let effects: [(words: String, count: Int, shows: @Sendable (Echoes) -> Bool)] = [
        ("delay 40ms", 5, { $0.answered.count == 5 && $0.times.allSatisfy { $0 >= 80 } }),
        ("in delay 60ms", 5, { $0.answered.count == 5 && $0.times.allSatisfy { $0 >= 60 } }),
        (
            "out delay 60ms 30ms", 20,
            { $0.times.allSatisfy { $0 >= 30 } && Set($0.times.map { Int($0 / 4) }).count > 4 }
        ),
        (
            "out delay 60ms 10ms normal", 20,
            { $0.times.allSatisfy { $0 >= 20 } && Set($0.times.map { Int($0 / 2) }).count > 4 }
        ),
        ("in loss 100%", 3, { $0.answered.isEmpty }),
        ("out loss 50%", 100, { (20...80).contains($0.answered.count) }),
        // The first frame finds the wire good, and leaves it bad for good.
        ("in loss gemodel 100% 0%", 5, { $0.answered.count <= 1 }),
        ("out loss gemodel 0% 100% 100% 0%", 5, { $0.answered == [1, 2, 3, 4, 5] }),
        ("out duplicate 100%", 2, { $0.answered.prefix(3) == [1, 1, 2] }),
        ("in corrupt 100%", 30, { $0.answered.count < 30 }),
        (
            "out delay 80ms reorder 50% gap 2", 20,
            { $0.answered != $0.answered.sorted() && $0.answered.count == 20 }
        ),
        (
            "out rate 16kbit burst 200b limit 10kb", 20,
            { $0.keep(bytesPerSecond: 2000, burst: 200) }
        ),
    ]

    /// What a node could see of a cable that is impaired: queues, and its carrier's changes.
    private static let look = "tc qdisc show; cat /sys/class/net/eth0/carrier_changes"

    private func impair(_ lab: LabUnderTest, _ words: String, via path: String) throws {
        let run = try Labctl.start(
            ["impair", "-l", lab.name, "a:eth0"] + words.split(separator: " ").map(String.init)
                + ["via", path]
        ).finish()
        #expect(run.status == 0, "\(run.errors)")
    }

    @Test("each impairment has the same effect by either; healed, nothing of it is left")
    func effects() throws {
        let lab = try LabUnderTest("netem", threeQuietNodes)
        try lab.up()
        try lab.introduce(("a", "10.10.10.1"), ("b", "10.10.10.2"))
        #expect(try lab.reaches("b", "10.10.10.3"))
        let seen = try lab.shell("a", Self.look)
        let before = try lab.switches()
        for effect in Self.effects {
            for path in ["netem", "wire"] {
                try impair(lab, effect.words, via: path)
                let echoes = try lab.ping(effect.count)
                #expect(effect.shows(echoes), "\(effect.words) via \(path): \(echoes)")
                #expect(try lab.pids(of: "wire-relay").count == (path == "wire" ? 1 : 0))
                let queues = try lab.inFabric("tc", "qdisc", "show")
                #expect(queues.contains("netem") == (path == "netem"), "\(queues)")
                // The node sees nothing of it.
                #expect(try lab.shell("a", Self.look) == seen)
                try lab.fault("heal", "a:eth0")
                try waitUntil("nothing is left of \(effect.words) via \(path)") {
                    try lab.switches() == before && lab.pids(of: "wire-relay").count == 0
                }
            }
        }
        try lab.down()
    }

    @Test("from one to the other and back, plugged in elsewhere, and with a node that starts again")
    func composition() throws {
        let lab = try LabUnderTest("netem-more", threeQuietNodes)
        try lab.up()
        #expect(try lab.reaches("b", "10.10.10.1"))
        let before = try FaultTraces(lab)
        func isSlow() throws -> Bool {
            // The first may have to ask for an address.
            let echoes = try lab.ping(3)
            return echoes.answered == [1, 2, 3] && echoes.times.dropFirst().allSatisfy { $0 >= 40 }
        }
        for path in ["netem", "wire", "netem"] {
            try impair(lab, "delay 20ms", via: path)
            #expect(try isSlow(), "\(path)")
            let status = try Labctl.run("status", lab.name).output
            #expect(status.contains("via netem") == (path == "netem"), "\(status)")
            #expect(status.split(separator: "impair a:eth0").count == 2, "one of both: \(status)")
        }
        try lab.fault("kill", "a")
        try lab.fault("start", "a")
        #expect(try isSlow(), "a cable outlives its node")
        try lab.fault("unplug", "a:eth0")
        #expect(try lab.misses("b", "10.10.10.1"))
        try lab.fault("plug", "a:eth0")
        #expect(try isSlow())
        try lab.fault("impair", "a:eth0", "in", "loss", "100%", "via", "netem")
        #expect(try lab.misses("b", "10.10.10.1"))
        try lab.fault("link", "a:eth0", "blackhole")
        try lab.fault("heal")
        #expect(try lab.reaches("b", "10.10.10.1"))
        try lab.expectTraces(before, after: "all of it")
        try lab.down()
    }
}

@Suite("A kernel without netem", .enabled(if: buildsLabs, "needs root"))
struct NoNetemTests {
    @Test(
        "an impairment via netem is refused at once, with the remedy, and nothing of it is left",
        .enabled(if: !hasNetem, "this kernel has netem"))
    func refusal() throws {
        let lab = try LabUnderTest("no-netem", threeQuietNodes)
        try lab.up()
        let before = try FaultTraces(lab)
        let run = try Labctl.run(
            "impair", "-l", lab.name, "a:eth0", "delay", "1ms", "via", "netem")
        #expect(run.status == 3)
        #expect(run.errors.contains("this kernel has no sch_netem: leave 'via netem' away"))
        #expect(try !Labctl.run("status", lab.name).output.contains("broken:"))
        try lab.expectTraces(before, after: "what was refused")
        try lab.down()
    }

    @Test(
        "a scenario with such a step is skipped before its lab is built",
        .enabled(if: !hasNetem, "this kernel has netem"))
    func scenario() throws {
        let lab = try LabUnderTest(
            "no-netem-test",
            threeQuietNodes + """

                scenarios:
                  s: { steps: [ { parallel: [ { impair: a:eth0 delay 1ms via netem } ] } ] }
                """)
        let run = try Labctl.run("test", lab.folder)
        #expect((run.output + run.errors).contains("netem: kernel "), "\(run.output)\(run.errors)")
        #expect((run.output + run.errors).contains("skipped"), "\(run.output)\(run.errors)")
    }
}
