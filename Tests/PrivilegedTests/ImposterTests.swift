import Glibc
import LinuxSystem
import Testing

@Suite("Imposters", .enabled(if: buildsLabs, "needs root"))
struct ImposterTests {
    private func isThere(_ lab: LabUnderTest) throws -> Bool {
        try Labctl.run("status", lab.name).output.contains("imposter lan ")
    }

    /// Where a node's kernel has an address: the Ethernet address of its entry.
    private func entry(
        _ lab: LabUnderTest, _ node: String, for address: String
    ) throws -> String? {
        let words = try lab.shell(node, "ip neigh show \(address) dev eth0").split(separator: " ")
        return words.firstIndex(of: "lladdr").map { String(words[$0 + 1]) }
    }

    private static let liar = "02:66:66:66:66:66"

    @Test("answers for an address and announces it; seen as nobody's; healed, nothing is left")
    func arp() throws {
        let lab = try LabUnderTest("imp-arp", threeQuietNodes)
        try lab.up()
        _ = try lab.shell("a", "ip address add 10.10.10.100/32 dev eth0")
        let before = try lab.switches()
        #expect(try lab.reaches("c", "10.10.10.100"))
        // It announces at once, but an entry younger than a second stays (locktime, arp(7)).
        try lab.fault(
            "imposter", "lan", "arp", "10.10.10.100", "announce", "300ms", "mac", Self.liar)
        try waitUntil("c believes it") {
            try entry(lab, "c", for: "10.10.10.100") == Self.liar
        }
        #expect(try lab.misses("c", "10.10.10.100"))
        #expect(try lab.pids(of: "imposter").count == 1)
        #expect(try isThere(lab))
        let graph = try Labctl.run("graph", lab.name).output
        #expect(graph.contains("(imposter arp 10.10.10.100 announce 300ms mac"), "\(graph)")
        #expect(try lab.events("gratuitous-arp").contains("imposter@lan  gratuitous ARP on lan"))
        // Whoever has no entry gets an answer from both.
        _ = try lab.exec("b", "ping", "-c", "1", "-W", "1", "10.10.10.100")
        try waitUntil("its answer is on the timeline") {
            try lab.events("arp").contains("10.10.10.100 is at \(Self.liar), to 10.10.10.2")
        }
        try lab.fault("heal")
        #expect(try lab.pids(of: "imposter").isEmpty)
        #expect(try !isThere(lab))
        #expect(try lab.switches() == before)
        #expect(try entry(lab, "c", for: "10.10.10.100") == Self.liar, "an entry stays")
        try lab.down()
    }

    @Test("answers neighbour solicitations for an IPv6 address, its own Ethernet address in them")
    func neighbourDiscovery() throws {
        let lab = try LabUnderTest(
            "imp-nd",
            """
            networks: { lan: { subnet: "fd00:1::/64" } }
            nodes:
              a: { interfaces: { eth0: { network: lan, address: "fd00:1::1" } } }
            """)
        try lab.up()
        #expect(try lab.misses("a", "fd00:1::100"))
        try lab.fault("imposter", "lan", "arp", "fd00:1::100", "mac", Self.liar)
        _ = try lab.shell("a", "ip neigh flush dev eth0")
        _ = try lab.exec("a", "ping", "-c", "1", "-W", "1", "fd00:1::100")
        #expect(try entry(lab, "a", for: "fd00:1::100") == Self.liar)
        try lab.fault("imposter", "lan", "arp", "fd00:1::100", "announce", "200ms")
        try waitUntil("what it announces is on the timeline, with an address of its own") {
            try lab.events("unsolicited-na").contains("imposter@lan")
        }
        let own = try #require(try entry(lab, "a", for: "fd00:1::100"))
        #expect(own.hasPrefix("02:"))
        try lab.fault("imposter", "lan", "none")
        try lab.down()
    }

    @Test("reaches every part of a network that is cut; what breaks a cable breaks it for it too")
    func composition() throws {
        let lab = try LabUnderTest("imp-more", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        func believe(_ nodes: String...) throws {
            for node in ["a", "b", "c"] {
                _ = try lab.shell(
                    node, "ip neigh replace 10.10.10.77 lladdr 02:00:00:00:00:77 dev eth0 nud stale"
                )
            }
            try waitUntil("\(nodes) believe it") {
                try nodes.allSatisfy {
                    try entry(lab, $0, for: "10.10.10.77") == Self.liar
                }
            }
        }
        try lab.fault(
            "imposter", "lan", "arp", "10.10.10.77", "announce", "300ms", "mac", Self.liar)
        try lab.fault("partition", "a", "b,c")
        try believe("a", "b", "c")
        try lab.fault("impair", "a:eth0", "in", "loss", "100%", "only", "arp")
        try lab.fault("kill", "b")
        try lab.fault("start", "b")
        try believe("b", "c")
        #expect(try entry(lab, "a", for: "10.10.10.77") != Self.liar, "it is deaf for ARP")
        try lab.fault("heal", "a:eth0")
        try believe("a", "b", "c")
        #expect(try isThere(lab), "a port's heal is not its")
        // Another one takes its place, on the same port.
        let ports = try lab.switches()
        try lab.fault("imposter", "lan", "replay")
        #expect(try lab.switches() == ports)
        #expect(try lab.pids(of: "imposter").count == 1)
        try lab.fault("heal")
        #expect(try lab.switches() == before)
        #expect(try lab.pids(of: "imposter").isEmpty)
        try lab.down()
    }

    @Test("with a time it is taken back; one that is killed is gone, and the timeline says so")
    func ends() throws {
        let lab = try LabUnderTest("imp-ends", threeQuietNodes)
        try lab.up()
        let before = try lab.switches()
        try lab.fault("imposter", "lan", "arp", "10.10.10.100", "--for", "400ms")
        #expect(try isThere(lab))
        try waitUntil("it is taken back") { try !isThere(lab) }
        try waitUntil("nothing of it is left") {
            try lab.switches() == before && lab.pids(of: "imposter").isEmpty
        }
        #expect(try lab.events("fault").contains("imposter lan none"))
        try lab.fault("imposter", "lan", "arp", "10.10.10.101")
        kill(try #require(try lab.pids(of: "imposter").first), SIGKILL)
        try waitUntil("it is gone") { try !isThere(lab) }
        try waitUntil("nothing of it is left") { try lab.switches() == before }
        try lab.fault("imposter", "lan", "arp", "10.10.10.102")
        #expect(try lab.pids(of: "imposter").count == 1, "another one can come")
        try lab.down()
    }

    @Test("without the program there is none; wrong words, networks and routers are refused before")
    func refusals() throws {
        let lab = try LabUnderTest("imp-none", threeQuietNodes)
        let programs = try lab.copiedPrograms()
        #expect(try programs.labctl("up").status == 0)
        let before = try lab.switches()
        for (words, message, status): ([String], String, Int32) in [
            (["lan", "arq", "10.10.10.1"], "unknown word 'arq'; did you mean 'arp'?", 2),
            (["lam", "arp", "10.10.10.1"], "has no network lam; did you mean 'lan'?", 5),
            (["lan", "advert"], "imposter lan: network lan has no virtual router", 5),
            (["lan", "none", "--for", "1s"], "only an imposter that is there", 2),
        ] {
            let refused = try Labctl.start(["imposter", "-l", lab.name] + words).finish()
            #expect(refused.status == status && refused.errors.contains(message))
        }
        try programs.remove("imposter")
        let refused = try programs.labctl("imposter", "-l", lab.name, "lan", "replay")
        #expect(refused.status != 0)
        #expect(refused.errors.contains("imposter: no such file or directory"), "\(refused.errors)")
        try waitUntil("nothing of it is left") { try lab.switches() == before }
        #expect(try !isThere(lab))
        try lab.down()
    }

    @Test("a lab file with an imposture that its routers leave open is refused before it is built")
    func file() throws {
        let lab = try LabUnderTest(
            "imp-file",
            threeQuietNodes + """

                scenarios:
                  s: { steps: [ imposter: lan flood 10 ] }
                """)
        let run = try Labctl.run("check", lab.folder)
        #expect(run.status == 2)
        #expect(
            run.errors.contains(
                "lab.yaml:8:") && run.errors.contains("scenario s: imposter lan: network lan has"),
            "\(run.errors)")
    }
}
