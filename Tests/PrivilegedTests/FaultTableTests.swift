import Glibc
import LabModel
import LinuxSystem
import Testing

@Suite(
    "every fault: seen from inside and outside, taken back, and nothing left",
    .enabled(if: buildsLabs, "needs root"), .serialized)
struct FaultTableTests {
    /// What only takes back what others have done.
    private static let menders: Set<String> = ["link-up", "heal", "start", "thaw"]
    /// Verbs about nodes and their network that break nothing.
    private static let harmless: Set<String> = ["exec", "shell", "logs", "cp", "mail"]

    /// The rest of what a row's fault is called in the timeline.
    private static func kind(of row: FaultRow) -> String {
        switch row.verb {
        case "link":
            row.words.contains("blackhole")
                ? "blackhole" : row.words.contains("flap") ? "flap" : "link-down"
        case "restart" where row.words.contains("--clock"): "clock"
        default: row.verb
        }
    }

    @Test("there is a row for every kind of fault, every verb of steps, and every word of labctl")
    func complete() throws {
        let rows = Set(FaultRow.all.map(Self.kind(of:))).union(Self.menders)
        for kind in Fault.Kind.allCases {
            #expect(rows.contains(kind.rawValue), "no row shows what \(kind.rawValue) does")
        }
        for verb in ControlVerb.allCases {
            #expect(rows.contains(verb.rawValue), "no row shows what \(verb.rawValue) does")
        }
        let known = Set(FaultRow.all.map(\.verb)).union(Self.menders).union(Self.harmless)
        for verb in try verbs() {
            #expect(known.contains(verb), "no row shows what `labctl \(verb)` does")
        }
    }

    /// The verbs that `labctl --help` lists for nodes and for the network between them.
    private func verbs() throws -> [String] {
        let help = try Labctl.run("--help").output
        let from = try #require(help.firstRange(of: "NODES AND SERVICES SUBCOMMANDS:\n")).upperBound
        let to = try #require(help.firstRange(of: "WHAT HAPPENED")).lowerBound
        let verbs = help[from..<to].split(separator: "\n").compactMap { line in
            line.prefixMatch(of: #/  ([a-z]+)/#).map { String($0.output.1) }
        }
        try #require(verbs.contains("kill") && verbs.contains("partition"), "\(help)")
        return verbs
    }

    @Test("each does what it says, and is undone without a trace")
    func undone() throws {
        let stage = try FaultStage("table-undone")
        for row in FaultRow.all {
            try stage.begin()
            try stage.perform(row.words)
            try row.shows(stage)
            for words in row.undo { try stage.perform(words) }
            try stage.lab.expectTraces(stage.before, after: row.words)
            #expect(try stage.lab.reaches("b", "10.10.10.1"), "after \(row.words)")
            #expect(try stage.servesPage(), "after \(row.words)")
        }
        try stage.lab.down()
    }

    @Test("each that can last for a time ends by itself, without a trace")
    func lasting() throws {
        let stage = try FaultStage("table-lasting")
        for row in FaultRow.all where row.canLast {
            let events = try stage.lab.events("fault").split(separator: "\n").count
            try stage.perform(row.words, "--for", "300ms")
            try waitUntil("\(row.words) is over") { try isOver(stage) }
            try stage.lab.expectTraces(stage.before, after: "\(row.words) --for 300ms")
            #expect(
                try stage.lab.events("fault").split(separator: "\n").count == events + 2,
                "its beginning and its end are on the timeline")
            #expect(try stage.lab.reaches("b", "10.10.10.1"), "after \(row.words)")
        }
        try stage.lab.down()
    }

    private func isOver(_ stage: FaultStage) throws -> Bool {
        try !Labctl.run("status", stage.lab.name).output.contains("\nbroken: ")
    }

    @Test("all of the network's at once, each upon the others, and one heal takes them all back")
    func together() throws {
        let stage = try FaultStage("table-together")
        let rows = FaultRow.all.filter(\.canLast)
        for row in rows + rows.reversed() { try stage.perform(row.words) }
        try stage.perform("kill a")
        try stage.perform("start a")
        try stage.perform("heal")
        try stage.lab.expectTraces(stage.before, after: "all of them")
        #expect(try stage.lab.reaches("b", "10.10.10.1"))
        try stage.lab.down()
    }

    @Test("a scenario that breaks everything and mends nothing leaves nothing when it ends")
    func scenario() throws {
        let steps = """

            scenarios:
              broken:
                steps:
                  - link: { port: "b:eth0", state: down }
                  - link: { port: "c:eth0", state: blackhole, direction: in }
                  - link: { port: "d:eth0", state: flap, period: 100ms }
                  - impair: a:eth0 delay 5ms
                  - plug: { port: "a:eth0", network: dmz }
                  - unplug: "b:eth0"
                  - partition: { shape: halves, network: lan }
                  - cut: { from: a, to: d }
                  - freeze: c
                  - kill: b
            """
        let lab = try LabUnderTest("table-scenario", FaultStage.yaml + steps)
        let run = try Labctl.run("test", lab.folder)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        try expectNothingLeft(of: lab.name)
    }

    /// What a careless fault could leave, each as what makes it, what takes it away, and where.
    private static let leftovers = [
        ("fabric", "ip link add left0 type bridge", "ip link del left0"),
        ("fabric", "ip link set a.eth0 mtu 1400", "ip link set a.eth0 mtu 1500"),
        (
            "fabric", "bridge link set dev a.eth0 learning off",
            "bridge link set dev a.eth0 learning on"
        ),
        ("fabric", "nft add table bridge left", "nft delete table bridge left"),
        ("fabric", "tc qdisc add dev a.eth0 root pfifo limit 9", "tc qdisc del dev a.eth0 root"),
        ("node", "tc qdisc add dev eth0 root pfifo limit 9", "tc qdisc del dev eth0 root"),
        ("node", "ip address add 192.0.2.9/32 dev lo", "ip address del 192.0.2.9/32 dev lo"),
        ("node", "nft add table ip left", "nft delete table ip left"),
        ("mounts", "mount -t tmpfs left /mnt", "umount /mnt"),
    ]

    @Test("a trace that is left would be seen")
    func planted() throws {
        let stage = try FaultStage("table-planted")
        let supervisor = try #require(try processes(of: stage.lab.name).first)
        let node = try #require(try stage.pid())
        func see(_ what: String, _ make: () throws -> Void, _ remove: () throws -> Void) throws {
            try make()
            #expect(try FaultTraces(stage.lab) != stage.before, "\(what)")
            try remove()
            try stage.lab.expectTraces(stage.before, after: what)
        }
        for (place, make, remove) in Self.leftovers {
            func enter(_ script: String) throws {
                let run = try RunningProgram(
                    "/usr/bin/nsenter",
                    nsenterOptions + ["-t", "\(place == "node" ? node : supervisor)"]
                        + [place == "mounts" ? "-m" : "-n", "sh", "-c", script], folder: "/",
                    input: "", environment: []
                ).finish()
                try #require(run.status == 0, "\(script): \(run.errors)")
            }
            try see(make, { try enter(make) }, { try enter(remove) })
        }
        try see(
            "a process",
            { _ = try stage.lab.shell("a", "setsid sleep 1000 >/dev/null 2>&1 </dev/null &") },
            { _ = try stage.lab.shell("a", "kill $(pidof sleep)") })
        // Users have none at the top.
        if geteuid() == 0, let folder = try controlGroupFolder() {
            let group = "\(folder)/labctl.\(stage.lab.name).left"
            try see("a control group", { mkdir(group, 0o755) }, { rmdir(group) })
        }
        try stage.lab.down()
    }
}
