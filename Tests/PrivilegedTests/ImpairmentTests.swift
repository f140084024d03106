import Glibc
import LinuxSystem
import Testing

@Suite("Impaired cables", .enabled(if: buildsLabs, "needs root"))
struct ImpairmentTests {
    /// What is done, and what echo requests from b to a show of it. Nobody has to be asked for an
    /// address meanwhile.
    private static let effects: [(words: String, count: Int, shows: @Sendable (Echoes) -> Bool)] = [
        ("delay 40ms", 5, { $0.answered.count == 5 && $0.times.allSatisfy { $0 >= 80 } }),
        ("in delay 40ms", 5, { $0.answered.count == 5 && $0.times.allSatisfy { 40..<80 ~= $0 } }),
        (
            "out delay 50ms 20ms", 20,
            { $0.times.allSatisfy { $0 >= 30 } && Set($0.times.map { Int($0) }).count > 5 }
        ),
        // Neighbour discovery would count.
        ("in loss every 3 only ipv4", 9, { $0.answered == [1, 2, 4, 5, 7, 8] }),
        ("out loss 100%", 2, { $0.answered.isEmpty }),
        ("out loss 100% only vrrp", 3, { $0.answered == [1, 2, 3] }),
        ("in loss 100% from b", 2, { $0.answered.isEmpty }),
        ("in loss 100% from c", 3, { $0.answered == [1, 2, 3] }),
        // It ends with the first answer to the last request.
        ("out duplicate 100%", 2, { $0.answered.prefix(3) == [1, 1, 2] }),
        ("in corrupt 100% only icmp", 30, { $0.answered.count < 30 }),
        (
            "out delay 60ms reorder 50% gap 2", 20,
            { $0.answered != $0.answered.sorted() && $0.answered.count == 20 }
        ),
        (
            "out rate 16kbit burst 100b limit 10kb", 20,
            { $0.keep(bytesPerSecond: 2000, burst: 100) }
        ),
    ]

    @Test("each does what it says, seen from inside; healed, nothing of it is left")
    func effects() throws {
        let lab = try LabUnderTest("impair", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        try lab.introduce(("a", "10.10.10.1"), ("b", "10.10.10.2"))
        for effect in Self.effects {
            let words = effect.words.split(separator: " ").map(String.init)
            let run = try Labctl.start(["impair", "-l", lab.name, "a:eth0"] + words).finish()
            #expect(run.status == 0, "\(run.errors)")
            let echoes = try lab.ping(effect.count)
            #expect(effect.shows(echoes), "\(effect.words): \(echoes)")
            #expect(try lab.pids(of: "wire-relay").count == 1)
            #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "1\n")
            #expect(try lab.reaches("b", "10.10.10.3"), "others are not concerned")
            let status = try Labctl.run("status", lab.name).output
            #expect(status.contains("\nbroken: impair a:eth0 "), "\(status)")
            try lab.fault("heal", "a:eth0")
            let healed = try lab.ping(3)
            #expect(healed.answered == [1, 2, 3] && healed.times.allSatisfy { $0 < 40 })
            #expect(try lab.switches() == before, "\(effect.words)")
        }
        #expect(try lab.events("fault").contains("impair a:eth0 in loss every 3"))
        try lab.down()
    }

    @Test("a seed loses the same frames again, another one others")
    func seeds() throws {
        let lab = try LabUnderTest("impair-seed", threeQuietNodes)
        try lab.up()
        func answered(_ seed: Int) throws -> [Int] {
            // Only echo requests are numbered: whatever else is sent decides nothing.
            try lab.fault(
                "impair", "a:eth0", "in", "loss", "40%", "only", "ipv4", "from", "b", "seed",
                "\(seed)")
            defer { try? lab.fault("heal") }
            return try lab.ping(40).answered
        }
        let first = try answered(7)
        #expect(try answered(7) == first)
        #expect(try answered(8) != first)
        #expect((5...35).contains(first.count), "\(first)")
        try lab.down()
    }

    @Test(
        "impaired cables that are pulled, swallow frames, are cut off, and whose node starts again")
    func composition() throws {
        let lab = try LabUnderTest("impair-more", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        try lab.fault("impair", "a:eth0", "delay", "20ms")
        func isSlow() throws -> Bool {
            // The first may have to ask for an address.
            let times = try lab.ping(3).times
            return times.count == 3 && times.dropFirst().allSatisfy { $0 >= 40 }
        }
        #expect(try isSlow())
        try lab.fault("link", "a:eth0", "down")
        #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "0\n")
        #expect(try lab.misses("b", "10.10.10.1"))
        try lab.fault("link", "a:eth0", "up")
        #expect(try lab.reaches("b", "10.10.10.1"), "the first frame passes")
        #expect(try isSlow())
        try lab.fault("link", "a:eth0", "blackhole")
        #expect(try lab.misses("b", "10.10.10.1"))
        try lab.fault("link", "a:eth0", "up")
        try lab.fault("partition", "a", "b,c")
        #expect(try lab.misses("b", "10.10.10.1"))
        #expect(try lab.reaches("b", "10.10.10.3"))
        try lab.fault("kill", "a")
        try lab.fault("start", "a")
        #expect(try lab.misses("b", "10.10.10.1"), "it is still cut off")
        try lab.fault("partition", "a,c", "a,b")
        #expect(try lab.reaches("b", "10.10.10.1"), "a is in both groups")
        #expect(try lab.misses("b", "10.10.10.3"))
        #expect(try isSlow(), "a cable outlives its node")
        try lab.fault("heal")
        #expect(try lab.reaches("b", "10.10.10.1"))
        #expect(try lab.switches() == before)
        #expect(try lab.pids(of: "wire-relay").isEmpty)
        try lab.down()
    }

    @Test("a fault with a time is taken back when that is over, unless it is another by then")
    func lasting() throws {
        let lab = try LabUnderTest("impair-lasting", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        func broken() throws -> Bool {
            try Labctl.run("status", lab.name).output.contains("\nbroken: ")
        }
        try lab.fault("impair", "a:eth0", "loss", "100%", "--for", "700ms")
        try lab.fault("link", "b:eth0", "down", "--for", "600ms")
        try lab.fault("partition", "a", "c", "--for", "650ms")
        #expect(try broken())
        try waitUntil("all is taken back") { try !broken() }
        #expect(try lab.reaches("b", "10.10.10.1"))
        #expect(try lab.reaches("c", "10.10.10.1"))
        #expect(try lab.switches() == before)
        let events = try lab.events("fault")
        for words in ["impair a:eth0 none", "link b:eth0 up", "partition none"] {
            #expect(events.contains(words), "\(events)")
        }
        try lab.fault("link", "b:eth0", "down", "--for", "300ms")
        try lab.fault("link", "b:eth0", "blackhole")
        try lab.fault("impair", "a:eth0", "delay", "1ms", "--for", "400ms")
        try waitUntil("the impairment is taken back") {
            try !Labctl.run("status", lab.name).output.contains("impair a:eth0")
        }
        #expect(try broken(), "the blackhole stays")
        try lab.down()
    }

    @Test("cables that are impaired at the same time do not disturb each other")
    func atOnce() throws {
        let lab = try LabUnderTest("impair-at-once", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        for _ in 0..<10 {
            // What is done to the first is over while the others are being prepared.
            try lab.fault("impair", "a:eth0", "delay", "1ms")
            let runs = try ["b", "a", "c", "a", "a"].map { node in
                try Labctl.start(["impair", "-l", lab.name, "\(node):eth0", "delay", "1ms"])
            }
            for run in runs { #expect(try run.finish(within: .seconds(10)).status == 0) }
            #expect(try lab.pids(of: "wire-relay").count == 1)
            #expect(try lab.reaches("b", "10.10.10.1"))
            try lab.fault("heal")
            #expect(try lab.switches() == before)
        }
        try lab.down()
    }

    @Test("without a relay nothing is impaired, and the cable passes frames as before")
    func noRelay() throws {
        let lab = try LabUnderTest("impair-none", threeQuietNodes)
        let programs = try lab.copiedPrograms()
        #expect(try programs.labctl("up").status == 0)
        let before = try lab.switches()
        try programs.remove("wire-relay")
        let refused = try programs.labctl("impair", "-l", lab.name, "a:eth0", "delay", "10ms")
        #expect(refused.status != 0)
        #expect(
            refused.errors.contains("wire-relay: no such file or directory"), "\(refused.errors)")
        #expect(try lab.reaches("b", "10.10.10.1"))
        try waitUntil("nothing of it is left") { try lab.switches() == before }
        #expect(!(try Labctl.run("status", lab.name).output.contains("broken:")))
        try lab.down()
    }

    @Test("a relay that falls is followed by another, and the cable does what it did")
    func fall() throws {
        let lab = try LabUnderTest("impair-fall", threeQuietNodes)
        try lab.up()
        try lab.fault("impair", "a:eth0", "delay", "20ms")
        let relay = try #require(try lab.pids(of: "wire-relay").first)
        kill(relay, SIGKILL)
        try waitUntil("there is another relay") {
            try lab.pids(of: "wire-relay").contains { $0 != relay }
        }
        try waitUntil("the cable passes frames") { try lab.reaches("b", "10.10.10.1") }
        #expect(try lab.ping(3).times.allSatisfy { $0 >= 40 })
        try lab.down()
    }
}
