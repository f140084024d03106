import NetworkTypes
import Testing
import Wire

@testable import LabModel

@Suite("What a cable does to frames, in words")
struct CableImpairmentTests {
    private func read(_ text: String) throws -> CableImpairment {
        try CableImpairment(words: text.split(separator: " ").map(String.init))
    }

    @Test(
        "words are read, in any order, and written again in one",
        arguments: [
            ("delay 10ms", "delay 10ms"),
            ("delay 1.5ms 250us distribution normal in", "in delay 1500us 250us normal"),
            ("delay 2s 1s uniform both", "delay 2s 1s"),
            ("seed 7 only vrrp loss 5% out", "out loss 5% only vrrp seed 7"),
            ("loss random 0.25%", "loss 0.25%"), ("loss every 3", "loss every 3"),
            ("loss gemodel 1%", "loss gemodel 1% 99% 100% 0%"),
            ("loss gemodel 1% 10% 70% 0.1%", "loss gemodel 1% 10% 70% 0.1%"),
            ("duplicate 1% corrupt 2%", "duplicate 1% corrupt 2%"),
            ("delay 10ms reorder 25% gap 5", "delay 10ms reorder 25% gap 5"),
            ("rate 1mbit burst 4kb limit 20", "rate 1000000bit burst 4096b limit 20"),
            ("rate 1gbit", "rate 1000000000bit burst 500000b limit 6250000b"),
            ("rate 8kbit", "rate 8000bit burst 1600b limit 16000b"),
            ("delay 1ms queue 10", "delay 1ms queue 10"), ("none", "none"),
            ("mtu 1400 in", "in mtu 1400"), ("loss 1% mtu 68", "mtu 68 loss 1%"),
            ("only vrrp none out", "out none only vrrp"),
            (
                "loss 100% only udp port 53 from a to b",
                "loss 100% only udp port 53 from a to b"
            ),
        ])
    func words(text: String, canonical: String) throws {
        let impairment = try read(text)
        #expect(impairment.description == canonical)
        #expect(CableImpairment.parse(canonical) == impairment)
    }

    @Test(
        "what is wrong is said with what would be right",
        arguments: [
            ("", "nothing would be done to frames"), ("out only vrrp", "nothing would be done"),
            ("dely 10ms", "unknown word 'dely'; did you mean 'delay'?"),
            ("delay", "'delay' lacks its value"), ("delay 10", "'10' after 'delay' is no duration"),
            ("loss 5", "'5' after 'loss' is no share, as 10% is"),
            ("loss 101%", "'101%' after 'loss' is no share"),
            ("loss every 0", "'0' after 'loss every' is no whole number from 1"),
            ("in out loss 1%", "'out' is there twice"),
            ("loss 1% loss 2%", "'loss' is there twice"),
            ("delay 1ms 1ms distribution pareto", "a distribution is uniform or normal"),
            ("loss 1% only vrrpp", "'vrrpp' after 'only' is no protocol; did you mean 'vrrp'?"),
            ("loss 1% only arp port 5", "port 5 of arp: give udp or tcp too"),
            ("reorder 10%", "reorder without a delay"), ("rate 10", "'10' after 'rate' is no rate"),
            ("rate 1mbit burst x", "'x' after 'burst' is no size"),
            ("mtu 67", "an MTU of 67: it is 68 to 65535"), ("mtu big", "'big' after 'mtu' is no"),
            ("none loss 1%", "'none' stands beside something"),
            ("loss 1% seed -1", "'-1' after 'seed' is no whole number from 0"),
        ])
    func mistakes(text: String, message: String) {
        do throws(CableImpairmentError) {
            let words = text.split(separator: " ").map(String.init)
            Issue.record("read as \(try CableImpairment(words: words))")
        } catch {
            #expect(error.description.contains(message), "\(error)")
        }
    }

    private static func lab(_ yaml: String) throws -> Lab {
        try #require(decode(yaml, file: "test/lab.yaml").lab)
    }

    private static let port = Endpoint(node: "a", interface: InterfaceName("eth0")!)

    @Test("one for the same frames takes the other's place, one for others comes before it")
    func composition() throws {
        var network = NetworkFaults()
        network.apply(.impair(Self.port, try read("delay 10ms")))
        network.apply(.impair(Self.port, try read("loss 50% only vrrp")))
        network.apply(.impair(Self.port, try read("delay 20ms")))
        #expect(network.fault(at: Self.port) == "delay 20ms; loss 50% only vrrp")
        #expect(
            network.faults.map(\.description) == [
                "impair a:eth0 loss 50% only vrrp", "impair a:eth0 delay 20ms",
            ])
        #expect(NetworkFaults(network.faults) == network)
        #expect(!network.isSound)
        network.apply(.linkDown(Self.port))
        network.apply(.linkUp(Self.port))
        #expect(network.impairments[Self.port]?.count == 2, "the cable is the same")
        network.apply(.heal(Self.port))
        #expect(network.isSound)
    }

    @Test("what takes a fault back takes back that and nothing else")
    func endings() throws {
        let delay = Fault.impair(Self.port, try read("delay 10ms"))
        let loss = Fault.impair(Self.port, try read("out loss 50% only vrrp seed 3"))
        let faults: [Fault] = [
            delay, loss, .linkDown(Self.port), .partition([["a"], ["b", "c"]]),
            .cut(from: ["a"], to: ["b"]), .unplug(Self.port),
        ]
        for fault in faults {
            var network = NetworkFaults(faults)
            #expect(network.holds(fault))
            network.apply(try #require(fault.ending))
            #expect(!network.holds(fault))
            #expect(network.faults.count == faults.count - 1)
            #expect(fault.ending?.ending == nil)
        }
        #expect(loss.ending?.description == "impair a:eth0 out none only vrrp")
        #expect(Fault.partition([["a"], ["b"]]).ending?.description == "partition none")
        var network = NetworkFaults([.linkDown(Self.port)])
        network.apply(.blackhole(Self.port, .both))
        #expect(!network.holds(.linkDown(Self.port)), "another has taken its place")
    }

    @Test("the rules of a cable: its directions, and nodes by their addresses on its network")
    func rules() throws {
        let lab = try Self.lab(
            """
            name: test
            networks: { lan: { subnet: 10.0.0.0/24 }, other: { subnet: 10.0.1.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lan }, eth1: { network: other } } }
              b: { interfaces: { eth0: { network: lan }, eth1: { network: other } } }
            """)
        let plan = try DeploymentPlan(lab)
        let network = NetworkFaults([
            .impair(Self.port, try read("out loss every 3 seed 9")),
            .impair(Self.port, try read("delay 1ms only vrrp from b")),
        ])
        let cable = try #require(network.impairedCables(of: plan).first)
        #expect(network.impairedCables(of: plan).count == 1)
        #expect(cable.port == plan.ports.first)
        let address = plan.ports.first { $0.node == "b" && $0.bridge.text == "lan" }?.interfaceMAC
        var delay = Impairment()
        delay.delay = .milliseconds(1)
        var loss = Impairment()
        loss.loss = .every(3)
        let ofB = WireRule(delay, of: FrameSelector(.vrrp, from: address))
        #expect(cable.inward == [ofB])
        #expect(cable.outward == [ofB, WireRule(loss, seed: 9)])
    }

    @Test("a node or interface that the lab does not have")
    func problems() throws {
        let lab = try Self.lab(
            """
            name: test
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes: { a: { interfaces: { eth0: { network: lan } } } }
            """)
        let impairment = try read("loss 1% from b")
        #expect(
            Fault.impair(Self.port, impairment).problem(in: lab)
                == "lab test has no node b; its nodes are a")
        let other = Endpoint(node: "a", interface: InterfaceName("eth9")!)
        #expect(Fault.impair(other, try read("loss 1%")).problem(in: lab) != nil)
    }
}
