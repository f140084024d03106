import Glibc
import LinuxSystem
import Testing

/// Three nodes on a network, and one on another that has an address of the first one's subnet.
private let twoNetworks = """
    networks: { lan: { subnet: 10.10.10.0/24 }, dmz: { subnet: 10.10.20.0/24 } }
    nodes:
      a: { interfaces: { eth0: { network: lan, address: 10.10.10.1 } }, services: { web: { kind: http } } }
      b: { interfaces: { eth0: { network: lan, address: 10.10.10.2 } } }
      c: { interfaces: { eth0: { network: lan, address: 10.10.10.3 } } }
      d: { interfaces: { eth0: { network: dmz, address: 10.10.20.4 } } }
    """

@Suite(
    "Cables that flap, are plugged in elsewhere, or pass short frames only",
    .enabled(if: buildsLabs, "needs root"))
struct LinkFaultTests {
    private func start(_ name: String) throws -> LabUnderTest {
        let lab = try LabUnderTest(name, twoNetworks)
        try lab.up()
        _ = try lab.shell("d", "ip address add 10.10.10.4/24 dev eth0")
        #expect(try lab.reaches("b", "10.10.10.1"))
        return lab
    }

    /// How often the interface of a has lost and got its carrier, by the timeline.
    private func changes(_ lab: LabUnderTest) throws -> (lost: Int, got: Int) {
        let lines = try lab.events("link").split(separator: "\n").filter { $0.contains(" a ") }
        return (
            lines.count { $0.hasSuffix("eth0 up, no carrier") },
            lines.count { $0.hasSuffix("eth0 up, carrier") }
        )
    }

    @Test("a flap with a count goes down that many times, and is over when it is up again")
    func count() throws {
        let lab = try start("lf-count")
        let before = try changes(lab)
        try lab.fault(
            "link", "a:eth0", "flap", "--period", "200ms", "--duty", "30%", "--count", "3")
        let status = try Labctl.run("status", lab.name).output
        #expect(status.contains("\nbroken: link a:eth0 flap period 200ms duty 30% count 3\n"))
        #expect(
            try Labctl.run("graph", lab.name).output.contains("(flapping, period 200ms duty 30%"))
        try waitUntil("it is over") { try lab.events("fault").contains("link a:eth0 up") }
        #expect(try lab.reaches("b", "10.10.10.1"))
        let after = try changes(lab)
        // A machine that stands still may let a change pass unseen, and never add one.
        #expect((2...3).contains(after.lost - before.lost))
        #expect(after.got - before.got == after.lost - before.lost)
        #expect(!(try Labctl.run("status", lab.name).output.contains("broken:")))
        try lab.down()
    }

    @Test("another fault of the cable takes a flap's place; a node that starts again finds it")
    func placeTaken() throws {
        let lab = try start("lf-place")
        func isDown() throws -> Bool {
            try lab.inFabric("ip", "-o", "link", "show", "dev", "a.eth0").contains("state DOWN")
        }
        try lab.fault("link", "a:eth0", "flap", "--period", "1h", "--duty", "50%")
        try lab.fault("kill", "a")
        try lab.fault("start", "a")
        #expect(try isDown(), "its first half hour is not over")
        #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "0\n")
        try lab.fault("link", "a:eth0", "blackhole")
        #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "1\n")
        try lab.fault("link", "a:eth0", "flap", "--period", "100ms")
        try lab.fault("link", "a:eth0", "down")
        let events = try lab.events("link").split(separator: "\n").count
        usleep(300_000)
        #expect(try lab.events("link").split(separator: "\n").count == events, "it flaps no more")
        #expect(try isDown())
        try lab.fault("heal")
        #expect(try lab.reaches("b", "10.10.10.1"))
        try lab.down()
    }

    @Test("a cable in another switch keeps what is done to it, and its node finds it there")
    func plug() throws {
        let lab = try start("lf-plug")
        let before = try lab.switches()
        try lab.fault("impair", "a:eth0", "delay", "30ms")
        try lab.fault("plug", "a:eth0", "dmz")
        func isSlow(from node: String) throws -> Bool {
            let text = try lab.shell(node, "ping -c 3 -i 0.1 10.10.10.1")
            let times = text.matches(of: /time=([0-9.]+) ms/).compactMap { Double($0.output.1) }
            return times.count == 3 && times.allSatisfy { $0 >= 60 }
        }
        #expect(try isSlow(from: "d"))
        #expect(try lab.misses("b", "10.10.10.1"))
        let graph = try Labctl.run("graph", lab.name).output
        #expect(graph.contains("(plugged into dmz; delay 30ms)"), "\(graph)")
        try lab.fault("kill", "a")
        try lab.fault("start", "a")
        #expect(try isSlow(from: "d"), "it comes back where its cable is")
        try lab.fault("partition", "a", "d")
        #expect(try lab.misses("d", "10.10.10.1"))
        try lab.fault("heal", "a:eth0")
        #expect(try lab.reaches("b", "10.10.10.1"))
        try lab.fault("unplug", "a:eth0")
        try lab.fault("kill", "a")
        try lab.fault("start", "a")
        #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "0\n")
        try lab.fault("link", "a:eth0", "up")
        #expect(try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "0\n", "in no switch")
        try lab.fault("partition", "a", "b,c")
        try lab.fault("plug", "a:eth0", "lan")
        #expect(try lab.misses("b", "10.10.10.1"), "cut off since before it was plugged in")
        #expect(!(try Labctl.run("status", lab.name).output.contains("plug a:eth0")), "at home")
        try lab.fault("heal")
        #expect(try lab.reaches("b", "10.10.10.1"))
        #expect(try lab.switches() == before)
        try lab.down()
    }

    @Test(
        "TCP stalls on a path with a smaller MTU and no ICMP; a smaller MSS, or probing, mends it")
    func mtu() throws {
        let lab = try start("lf-mtu")
        _ = try lab.shell("a", "head -c 300000 /dev/zero > /var/www/html/big")
        func fetch(_ seconds: Int) throws -> Int? {
            let run = try lab.exec(
                "b", "curl", "-s", "-m", "\(seconds)", "-o", "/tmp/big", "-w", "%{size_download}",
                "http://10.10.10.1/big")
            return run.status == 0 ? Int(run.output) : nil
        }
        #expect(try fetch(10) == 300_000)
        try lab.fault("impair", "b:eth0", "in", "mtu", "1400")
        #expect(try lab.exec("b", "ping", "-c", "1", "-W", "1", "10.10.10.1").status == 0)
        #expect(try fetch(2) == nil, "super-frames too are as long as their packets")
        _ = try lab.shell("b", "ip route change 10.10.10.0/24 dev eth0 src 10.10.10.2 advmss 1360")
        #expect(try fetch(10) == 300_000)
        _ = try lab.shell("b", "ip route change 10.10.10.0/24 dev eth0 src 10.10.10.2")
        #expect(try fetch(2) == nil)
        _ = try lab.shell("a", "sysctl -qw net.ipv4.tcp_mtu_probing=2")
        #expect(try fetch(10) == 300_000)
        try lab.down()
    }

    @Test("what cannot be plugged, cut or shaped is said, and nothing of it is done")
    func mistakes() throws {
        let lab = try start("lf-mistakes")
        func refusal(_ status: Int32, _ words: String) throws -> String {
            let run = try Labctl.start(
                words.split(separator: " ").map(String.init) + ["-l", lab.name]
            ).finish()
            #expect(run.status == status, "\(words): \(run.errors)")
            return run.errors
        }
        #expect(
            try refusal(5, "plug a:eth0 dmx")
                == "lab \(lab.name) has no network dmx; did you mean 'dmz'?\n")
        #expect(
            try refusal(2, "plug a:eth0 --for 1s").contains("only what is plugged in elsewhere"))
        #expect(try refusal(2, "cut a b").contains("a cut is `a to b`, or `none`"))
        #expect(try refusal(5, "cut a to a") == "node a is on both sides of the cut\n")
        #expect(
            try refusal(5, "partition ring --network lan")
                == "a ring of majorities takes at least 4 nodes, not a, b, c\n")
        #expect(try refusal(2, "partition a b --network lan").contains("only a shape is about"))
        #expect(try refusal(2, "partition bridge").contains("`bridge a`"))
        #expect(
            try refusal(2, "link a:eth0 flap --duty 100%").contains(
                "more than 0% and less than 100%")
        )
        #expect(try refusal(2, "link a:eth0 down --count 3").contains("only a flapping cable"))
        #expect(
            try refusal(2, "impair a:eth0 loss 1% only vrrp seed 3 via netem").contains(
                "netem has no 'only', 'from' and 'to'"))
        #expect(!(try Labctl.run("status", lab.name).output.contains("broken:")))
        try lab.down()
    }
}
