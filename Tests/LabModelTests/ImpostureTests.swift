import NetworkTypes
import Spoofing
import Testing

@testable import LabModel

@Suite("What a station that belongs to nobody does, in words")
struct ImpostureTests {
    private func read(_ text: String) throws -> Imposture {
        try Imposture(words: text.split(separator: " ").map(String.init))
    }

    @Test(
        "words are read, and written again in one order",
        arguments: [
            ("arp 10.0.0.100", "arp 10.0.0.100"),
            ("arp fd00::100 announce", "arp fd00::100 announce 1s"),
            ("arp 10.0.0.100 announce 250ms arp 10.0.0.101", nil),
            ("advert", "advert"), ("advert priority 255", "advert"),
            (
                "advert from 10.0.0.9 auth s3cret wrong ttl,checksum interval 2s version 2 "
                    + "address 10.0.0.1 priority 200 vrid 51 address 10.0.0.2",
                "advert vrid 51 priority 200 version 2 interval 2s address 10.0.0.1 "
                    + "address 10.0.0.2 auth s3cret from 10.0.0.9 wrong ttl,checksum"
            ),
            ("advert auth none", "advert"),
            ("flood 100000 wrong random seed 7", nil), ("replay", "replay"),
            ("replay rate 10 delay 1.5s", "replay delay 1500ms rate 10"),
            (
                "seed 3 mac 00:00:5e:00:01:33 arp 10.0.0.1 advert vrid 51 replay flood 5 vrid 9",
                "arp 10.0.0.1 advert vrid 51 replay flood 5 vrid 9 mac 00:00:5e:00:01:33 seed 3"
            ),
            ("none", "none"),
        ])
    func words(text: String, canonical: String?) throws {
        let imposture = try read(text)
        let canonical = canonical ?? text
        #expect(imposture.description == canonical)
        #expect(Imposture.parse(canonical) == imposture)
        #expect(imposture.isNone == (text == "none"))
    }

    @Test(
        "what is wrong is said with what would be right",
        arguments: [
            ("", "would do nothing: give arp, advert, flood or replay"),
            ("mac 02:00:00:00:00:01", "would do nothing"),
            ("none advert", "'none' stands beside something"),
            ("none none", "'none' is there twice"), ("adverd", "did you mean 'advert'?"),
            ("arp", "'arp' lacks its value"), ("arp a.b", "'a.b' after 'arp' is no address"),
            ("arp 10.0.0.1 announce 5", "'5' after 'announce' is no duration, as 500ms is"),
            ("announce 1s", "'announce' belongs behind arp and its address"),
            ("vrid 51", "'vrid' belongs behind advert or flood"),
            ("arp 10.0.0.1 vrid 51", "'vrid' belongs behind advert or flood"),
            ("advert vrid 0", "'0' after 'vrid' is no whole number from 1 to 255"),
            ("advert vrid 1 vrid 2", "'vrid' is there twice in one advert"),
            ("advert priority 256", "from 0 to 255"), ("advert version 4", "from 2 to 3"),
            ("advert wrong sum", "'sum' after 'wrong' is nothing that can be wrong; known are"),
            ("advert wrong cheksum", "did you mean 'checksum'?"),
            ("advert wrong ttl,ttl", "'ttl' is there twice"), ("advert wrong ttl,", "''"),
            ("flood", "'flood' lacks its value"),
            ("flood 0", "'0' after 'flood' is no number of frames a second, 1 to 100000"),
            ("flood 100001", "1 to 100000"), ("replay rate x", "is no number of frames a second"),
            ("replay delay 1s delay 2s", "'delay' belongs behind replay, and there once"),
            ("advert mac 01:00:5e:00:00:12", "is no Ethernet address of a station"),
            ("advert seed -1", "'-1' after 'seed' is no whole number from 0"),
            ("advert seed 1 seed 2", "'seed' is there twice"),
        ])
    func mistakes(text: String, message: String) {
        do throws(ImpostureError) {
            let words = text.split(separator: " ").map(String.init)
            Issue.record("read as \(try Imposture(words: words))")
        } catch {
            #expect(error.description.contains(message), "\(error)")
        }
    }

    // MARK: In a lab

    private static let yaml = """
        name: test
        networks:
          lan: { subnet: 10.0.0.0/29 }
          both: { subnets: [ 10.0.1.0/24, "fd00::/64" ] }
          bare: {}
        nodes:
          a: { interfaces: { eth0: { network: lan, address: 10.0.0.6 }, eth1: { network: both } } }
          b: { interfaces: { eth0: { network: lan, address: 10.0.0.1 } } }
        """

    private static let routers = [
        VirtualRouterFacts(
            node: "a", service: "keepalived", instance: "VI_1", interface: "eth0", vrid: 51,
            priority: 100, advertisementInterval: .seconds(2), preempts: true,
            addresses: [IPAddress("10.0.0.5")!]),
        VirtualRouterFacts(
            node: "b", service: "keepalived", instance: "VI_1", interface: "eth0", vrid: 51,
            priority: 90, advertisementInterval: .seconds(2), preempts: true,
            addresses: [IPAddress("10.0.0.5")!]),
        VirtualRouterFacts(
            node: "a", service: "keepalived", instance: "V6", interface: "eth1", version: 3,
            vrid: 60, priority: 100, advertisementInterval: .milliseconds(100), preempts: true,
            addresses: [IPAddress("fe80::1")!, IPAddress("fd00::1")!]),
        VirtualRouterFacts(
            node: "a", service: "keepalived", instance: "V4", interface: "eth1", version: 3,
            vrid: 61, priority: 100, advertisementInterval: .seconds(1), preempts: true,
            addresses: [IPAddress("10.0.1.1")!]),
    ]

    private func order(_ text: String, on network: String = "lan") throws -> StationOrder {
        let lab = try #require(decode(Self.yaml, file: "test/lab.yaml").lab)
        let name = try #require(InterfaceName(network))
        return try read(text).order(
            on: try #require(lab.network(name)), in: lab, routers: Self.routers)
    }

    @Test("what words leave open follows from the network's routers")
    func resolution() throws {
        let order = try order("advert flood 10 wrong ttl replay rate 3 arp 10.0.0.5 announce 2s")
        // 10.0.0.6 is a's, 10.0.0.5 the virtual one.
        let advert = ForgedAdvert(
            version: 2, vrid: 51, priority: 255, interval: .seconds(2),
            addresses: [IPAddress("10.0.0.5")!], source: IPAddress("10.0.0.4")!,
            period: .seconds(2))
        var flood = advert
        flood.flaws = [.ttl]
        flood.period = .milliseconds(100)
        #expect(order.adverts == [advert, flood])
        #expect(order.replays == [Replay(perSecond: 3)])
        #expect(
            order.claims == [AddressClaim(IPAddress("10.0.0.5")!, announcePeriod: .seconds(2))])
        #expect(!order.mac.isMulticast && order.mac.octets[0] == 2)
        #expect(try self.order("replay").mac == order.mac, "the same in every run")
        #expect(try self.order("replay", on: "bare").mac != order.mac)
    }

    @Test("over IPv6 it speaks from its link-local address")
    func resolutionOverIPv6() throws {
        let order = try order("advert vrid 60 mac 00:00:5e:00:02:3c", on: "both")
        #expect(
            order.adverts == [
                ForgedAdvert(
                    version: 3, vrid: 60, priority: 255, interval: .milliseconds(100),
                    addresses: [IPAddress("fe80::1")!, IPAddress("fd00::1")!],
                    source: IPAddress("fe80::200:5eff:fe00:23c")!, period: .milliseconds(100))
            ])
    }

    @Test("what is told counts, whatever the routers have")
    func told() throws {
        let order = try order(
            "advert vrid 7 priority 0 version 3 interval 1s address 192.0.2.1 from 192.0.2.9",
            on: "bare")
        #expect(
            order.adverts == [
                ForgedAdvert(
                    version: 3, vrid: 7, priority: 0, addresses: [IPAddress("192.0.2.1")!],
                    source: IPAddress("192.0.2.9")!, period: .seconds(1))
            ])
        #expect(try self.order("advert vrid 7", on: "both").adverts[0].addresses == [])
    }

    @Test(
        "what stays open, or cannot be encoded, is said",
        arguments: [
            ("advert", "bare", "network bare has no virtual router: say which is meant"),
            ("advert", "both", "network both has VRIDs 60, 61: say which is meant"),
            ("advert vrid 7", "bare", "network bare has no IPv4 address left for the station"),
            ("advert interval 500ms", "lan", "advert of VRID 51: "),
            ("advert address fd00::1 from 10.0.0.4", "lan", "advert of VRID 51: "),
            ("advert vrid 61 auth secret", "both", "version 3 of VRRP has no passwords"),
        ])
    func open(text: String, network: String, message: String) throws {
        let error = #expect(throws: ImpostureError.self) { try order(text, on: network) }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    // MARK: As a fault

    private static let lan = InterfaceName("lan")!

    @Test("one on a network takes the other's place; healed, and ended, there is none")
    func composition() throws {
        var network = NetworkFaults()
        network.apply(.imposter(Self.lan, try read("arp 10.0.0.5")))
        let advert = Fault.imposter(Self.lan, try read("advert"))
        network.apply(advert)
        network.apply(.partition([["a"], ["b"]]))
        #expect(
            network.faults.map(\.description) == ["partition a | b", "imposter lan advert"])
        #expect(NetworkFaults(network.faults) == network)
        #expect(network.holds(advert) && !network.isSound)
        #expect(!network.holds(.imposter(Self.lan, try read("arp 10.0.0.5"))))
        network.apply(.partition([]))
        network.apply(.heal(Endpoint(node: "a", interface: InterfaceName("eth0")!)))
        #expect(network.holds(advert), "it is no node's")
        network.apply(try #require(advert.ending))
        #expect(network.isSound)
        #expect(advert.ending?.ending == nil)
        network.apply(advert)
        network.apply(.heal(nil))
        #expect(network.isSound)
    }

    @Test("it reaches everybody, and everybody it, in a partition too")
    func reach() throws {
        let name = ImposterName.name(on: Self.lan)
        #expect(name == "imposter@lan")
        #expect(ImposterName.network(of: name) == Self.lan)
        #expect(ImposterName.network(of: "imposter") == nil)
        let imposter = Endpoint(node: name, interface: Self.lan)
        let a = Endpoint(node: "a", interface: InterfaceName("eth0")!)
        let network = NetworkFaults([
            .imposter(Self.lan, try read("advert")), .partition([["a"], ["b"]]),
        ])
        #expect(network.passes(from: imposter, to: a) && network.passes(from: a, to: imposter))
    }

    @Test("a network that the lab does not have, and no node is called so")
    func problems() throws {
        let lab = try #require(decode(Self.yaml, file: "test/lab.yaml").lab)
        let other = Fault.imposter(InterfaceName("lam")!, try read("advert"))
        #expect(other.problem(in: lab) == "lab test has no network lam; did you mean 'lan'?")
        #expect(Fault.imposter(Self.lan, try read("advert")).problem(in: lab) == nil)
        let called = decode(
            "name: t\nnodes: { \"imposter@lan\": {} }\n", file: "test/lab.yaml")
        #expect(called.lab == nil)
    }
}
