import Glibc
import LinuxSystem
import Testing

/// Three nodes on one network, with addresses 10.10.10.1 to 3, and nothing that runs on them.
let threeQuietNodes = """
    networks: { lan: { subnet: 10.10.10.0/24 } }
    nodes:
      a: { interfaces: { eth0: { network: lan, address: 10.10.10.1 } } }
      b: { interfaces: { eth0: { network: lan, address: 10.10.10.2 } } }
      c: { interfaces: { eth0: { network: lan, address: 10.10.10.3 } } }
    """

extension LabUnderTest {
    /// Runs `labctl VERB -l LAB ARGUMENTS`, which must succeed.
    func fault(
        _ verb: String, _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = try Labctl.start([verb, "-l", name] + arguments).finish()
        #expect(run.status == 0, "\(run.errors)", sourceLocation: sourceLocation)
    }

    /// Whether one echo request from a node is answered. What it has found out about addresses
    /// while nobody could be reached is forgotten first: it would ask again a second later only.
    func reaches(_ node: String, _ address: String) throws -> Bool {
        try exec(
            node, "sh", "-c", "ip neigh flush dev eth0; exec ping -c 1 -W 3 \(address)"
        ).status == 0
    }

    /// Whether one is not, within a second.
    func misses(_ node: String, _ address: String) throws -> Bool {
        try exec(node, "ping", "-c", "1", "-W", "1", address).status == 1
    }

    /// Lets two nodes know each other's Ethernet addresses for good.
    func introduce(
        _ one: (node: String, address: String), _ other: (node: String, address: String)
    ) throws {
        for (node, peer) in [(one.node, other), (other.node, one)] {
            let mac = try shell(peer.node, "cat /sys/class/net/eth0/address").filter {
                !$0.isNewline
            }
            _ = try shell(
                node, "ip neigh replace \(peer.address) lladdr \(mac) dev eth0 nud permanent")
        }
    }

    /// What a command prints that runs in the fabric, where the switches are.
    func inFabric(_ command: String...) throws -> String {
        let supervisor = try #require(try processes(of: name).first)
        let run = try RunningProgram(
            "/usr/bin/nsenter", nsenterOptions + ["-t", "\(supervisor)", "-n"] + command,
            folder: "/", input: "", environment: []
        ).finish()
        #expect(run.status == 0, "\(run.errors)")
        return run.output
    }

    /// Rules, queues, switches and ports as they are, a line each: what a fault that is mended has
    /// not changed.
    func switches() throws -> [String] {
        let lines = [
            try inFabric("nft", "list", "ruleset"), try inFabric("tc", "qdisc", "show"),
            // A node's namespace has another number every time it starts.
            try inFabric("ip", "-o", "link", "show").replacing(/link-netnsid \d+/, with: ""),
            try inFabric("bridge", "-d", "link", "show"),
        ]
        return lines.flatMap { $0.split(separator: "\n").map(String.init) }.sorted()
    }

    /// The words of the timeline's events of that kind.
    func events(_ kind: String) throws -> String {
        let run = try Labctl.run("events", "-l", name, "--kind", kind)
        #expect(run.status == 0, "\(run.errors)")
        return run.output
    }
}

@Suite("Faults of the network", .enabled(if: buildsLabs, "needs root"))
struct NetworkFaultTests {
    @Test("a pulled cable takes the carrier away and every frame; plugged in, it delivers at once")
    func linkDown() throws {
        let lab = try LabUnderTest("nf-down", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        #expect(try lab.reaches("b", "10.10.10.1"))
        try lab.fault("link", "a:eth0", "down")
        #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "0\n")
        #expect(try lab.shell("a", "ip link show eth0").contains("NO-CARRIER"))
        #expect(try lab.shell("b", "cat /sys/class/net/eth0/carrier") == "1\n")
        #expect(try lab.misses("b", "10.10.10.1"))
        #expect(try lab.reaches("b", "10.10.10.3"))
        let status = try Labctl.run("status", lab.name).output
        #expect(status.contains("\nbroken: link a:eth0 down\n"), "\(status)")
        #expect(status.contains(" (no carrier)"), "\(status)")
        #expect(try lab.events("fault").contains("link a:eth0 down"))
        #expect(try lab.events("link").contains("eth0 up, no carrier"))

        try lab.fault("link", "a:eth0", "up")
        #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "1\n")
        #expect(try lab.reaches("b", "10.10.10.1"), "the first frame passes")
        #expect(try lab.switches() == before)
        try lab.down()
    }

    /// What a node's kernel has counted of echo requests and replies.
    private func echoes(_ lab: LabUnderTest, _ node: String) throws -> [String: Int] {
        let lines = try lab.shell(node, "grep ^Icmp: /proc/net/snmp").split(separator: "\n")
        try #require(lines.count == 2)
        let (names, numbers) = (lines[0].split(separator: " "), lines[1].split(separator: " "))
        return Dictionary(
            zip(names, numbers).dropFirst().map { (String($0), Int($1) ?? 0) },
            uniquingKeysWith: { first, _ in first })
    }

    @Test(
        "a blackhole swallows frames in silence, that way only where a way is given",
        arguments: ["in", "out", "both"])
    func blackhole(direction: String) throws {
        let lab = try LabUnderTest("nf-hole-\(direction)", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        // Nobody has to be asked for an address, and nobody asks.
        try lab.introduce(("a", "10.10.10.1"), ("b", "10.10.10.2"))
        #expect(try lab.reaches("b", "10.10.10.1"))
        try lab.fault("link", "a:eth0", "blackhole", "--direction", direction)
        #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "1\n")
        let (a, b) = (try echoes(lab, "a"), try echoes(lab, "b"))
        #expect(try lab.misses("b", "10.10.10.1"))
        let (aAfter, bAfter) = (try echoes(lab, "a"), try echoes(lab, "b"))
        func more(_ name: String, _ before: [String: Int], _ after: [String: Int]) -> Int {
            (after[name] ?? 0) - (before[name] ?? 0)
        }
        #expect(more("OutEchos", b, bAfter) == 1, "b has asked")
        #expect(more("InEchos", a, aAfter) == (direction == "out" ? 1 : 0))
        #expect(more("OutEchoReps", a, aAfter) == (direction == "out" ? 1 : 0))
        #expect(more("InEchoReps", b, bAfter) == 0, "b has heard no answer")
        #expect(try lab.reaches("b", "10.10.10.3"))
        let words = "link a:eth0 blackhole" + (direction == "both" ? "" : " \(direction)")
        #expect(try Labctl.run("status", lab.name).output.contains("\nbroken: \(words)\n"))
        // What it sends into the hole is on the timeline: it enters the fabric.
        try lab.fault("heal", "a:eth0")
        #expect(try lab.reaches("b", "10.10.10.1"))
        #expect(try lab.switches() == before)
        try lab.down()
    }

    @Test("a partition keeps groups apart in silence; one endpoint, then the rest, is healed")
    func partition() throws {
        let lab = try LabUnderTest("nf-partition", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        // The bridge knows where everybody is: what it has learned must not lead astray.
        #expect(try lab.reaches("a", "10.10.10.2"))
        #expect(try lab.reaches("c", "10.10.10.2"))
        try lab.fault("partition", "a,b", "c")
        #expect(try lab.reaches("a", "10.10.10.2"))
        #expect(try lab.misses("c", "10.10.10.2"))
        #expect(try lab.misses("a", "10.10.10.3"))
        #expect(try lab.shell("c", "cat /sys/class/net/eth0/carrier") == "1\n")
        #expect(
            try Labctl.run("status", lab.name).output.contains("\nbroken: partition a b | c\n"))
        try lab.fault("partition", "a", "/", "b", "c")
        #expect(try lab.misses("a", "10.10.10.2"))
        #expect(try lab.reaches("c", "10.10.10.2"))
        try lab.fault("heal", "a:eth0")
        #expect(try lab.reaches("a", "10.10.10.2"))
        try lab.fault("heal")
        #expect(try lab.reaches("a", "10.10.10.3"))
        #expect(try lab.switches() == before)
        #expect(
            try lab.events("fault").split(separator: "\n").count == 4,
            "each stands on the timeline")
        try lab.down()
    }

    @Test("a cable belongs to the switch: a node that was killed finds it as it was")
    func outlivesNode() throws {
        let lab = try LabUnderTest("nf-outlives", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        try lab.fault("link", "a:eth0", "down")
        try lab.fault("link", "b:eth0", "blackhole")
        for node in ["a", "b"] {
            try lab.apply("kill", node)
            try lab.apply("start", node)
        }
        #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "0\n")
        #expect(try lab.shell("b", "cat /sys/class/net/eth0/carrier") == "1\n")
        #expect(try lab.misses("c", "10.10.10.2"))
        try lab.apply("kill", "a")
        try lab.fault("link", "a:eth0", "up")
        try lab.apply("start", "a")
        #expect(try lab.reaches("c", "10.10.10.1"), "mended while it was down")
        try lab.fault("heal")
        #expect(try lab.reaches("c", "10.10.10.2"))
        #expect(try lab.switches() == before)
        try lab.down()
    }

    @Test("what a lab does not have, and what is no fault, is said")
    func mistakes() throws {
        let lab = try LabUnderTest("nf-mistakes", threeQuietNodes)
        try lab.up()
        func refusal(_ status: Int32, _ arguments: String...) throws -> String {
            let run = try Labctl.start(arguments + ["-l", lab.name]).finish()
            #expect(run.status == status, "\(arguments): \(run.errors)")
            return run.errors
        }
        #expect(
            try refusal(5, "link", "a:eth1", "down")
                == "node a has no interface eth1; did you mean 'eth0'?\n")
        #expect(
            try refusal(5, "link", "z:eth0", "up")
                == "lab \(lab.name) has no node z; its nodes are a, b, c\n")
        #expect(
            try refusal(5, "partition", "a,b,c")
                == "a partition has at least two groups, as in `partition a b / c`\n")
        #expect(try refusal(5, "partition", "b", "a,a") == "node a is twice in a group\n")
        #expect(try refusal(2, "impair", "a:eth0", "dely", "5ms").contains("did you mean 'delay'?"))
        #expect(
            try refusal(2, "link", "a", "down").contains("'a' is no NODE:INTERFACE"))
        #expect(
            try refusal(2, "link", "a:eth0", "down", "--direction", "in").contains(
                "only a blackhole has a direction"))
        #expect(try refusal(2, "heal", "nobody").contains("'nobody' is no NODE:INTERFACE"))
        #expect(!(try Labctl.run("status", lab.name).output.contains("broken:")))
        try lab.down()
    }
}
