import NetworkTypes
import Testing

@testable import LabModel

/// What checks, bounds and tables make of a station that belongs to nobody.
@Suite("An imposter on the timeline")
struct ImposterSightTests {
    private static let vip = IPv4Address(10, 10, 10, 10)
    private static let mac = MACAddress("02:66:66:66:66:66")!
    private static let lan = InterfaceName("lan")!
    private static let name = ImposterName.name(on: lan)

    private static func arp(_ sender: IPv4Address = vip) -> TimelineEvent.Kind {
        .arp(
            TimelineEvent.ARP(
                node: name, interface: "lan", operation: .reply, sender: sender, senderMAC: mac,
                target: IPv4Address(10, 10, 10, 3),
                targetMAC: MACAddress("02:00:00:00:00:03")!))
    }

    private static func advert(
        _ node: String = name, priority: Int = 255, interval: Duration = .seconds(1),
        flaw: String? = nil
    ) -> TimelineEvent.Kind {
        .advertisement(
            TimelineEvent.Advertisement(
                node: node, interface: node == name ? "lan" : "eth0",
                source: IPAddress("10.10.10.250")!, version: 2, vrid: 51, priority: priority,
                interval: interval, addresses: [.v4(vip)], flaw: flaw))
    }

    @Test(
        "the timeline has it in words, and in JSON both ways",
        arguments: [
            (
                .fault(.imposter(lan, .parse("advert vrid 51")!)),
                "-         imposter lan advert vrid 51",
                #""event":"fault","fault":"imposter","network":"lan","imposture":"advert vrid 51""#
            ),
            (
                .lost(.init(.flood, count: 98_000, node: name)),
                "imposter@lan  98000 more frames, left out",
                #""what":"flood","node":"imposter@lan","count":98000,"resynchronised":[]"#
            ),
            (
                advert(flaw: "TTL 254"),
                "imposter@lan  VRRPv2 advertisement on lan: vrid 51, priority 255, interval 1 s,"
                    + " 10.10.10.10 from 10.10.10.250, TTL 254",
                #""addresses":["10.10.10.10"],"flaw":"TTL 254""#
            ),
        ] as [(TimelineEvent.Kind, String, String)])
    func timeline(kind: TimelineEvent.Kind, words: String, json: String) throws {
        let event = TimelineEvent(time: at(1), stamp: .origin, kind: kind)
        #expect(EventText(origin: at(1)).line(for: event) == "    0.000000  " + words)
        var line = JSONLine()
        line.append(event)
        #expect(String(decoding: line.bytes, as: UTF8.self).contains(json))
        #expect(try JSONLineDecoder().decode(TimelineEvent.self, from: line.bytes) == event)
    }

    private func run(_ rule: Check.Rule) -> Run {
        var run = Run(TwoNodes.control(.kill, "master"), checks: [Check(rule)])
        run.settle()
        _ = run.newLines()
        return run
    }

    @Test("no-duplicate-address: one answer for an address that a node has is a duplicate")
    func duplicate() {
        var run = run(.noDuplicateAddress)
        run.see(Self.arp(IPv4Address(10, 10, 10, 77)), 4000, stamp: .kernel)
        #expect(run.newLines() == [])
        run.see(Self.arp(), 5000, stamp: .kernel)
        #expect(
            run.newLines().first == "violated: no duplicate address: 10.10.10.10 at"
                + " 02:66:66:66:66:66 (imposter@lan) and on master for 0 s (kill master)")
    }

    @Test("no-duplicate-address: so is what it announces; an address that nobody has is its own")
    func announced() {
        let announcement = TimelineEvent.Kind.gratuitousARP(
            node: Self.name, interface: "lan", address: Self.vip, mac: Self.mac)
        var run = run(.noDuplicateAddress)
        run.vipRemoved("master", 4000)
        run.see(announcement, 5000, stamp: .kernel)
        #expect(run.newLines() == [])
        run.vipAdded("backup", 6000)
        run.see(announcement, 7000, stamp: .kernel)
        #expect(run.newLines().first?.contains("(imposter@lan) and on backup") == true)
    }

    @Test("one-owner: by the kernels' books it owns nothing")
    func oneOwner() {
        var run = run(.oneOwner(.v4(Self.vip), overlap: .zero))
        run.see(Self.arp(), 5000, stamp: .kernel)
        run.see(Self.advert(), 5001, stamp: .kernel)
        #expect(run.newLines() == [])
    }

    @Test("adverts: what it sends is none of a router's")
    func adverts() {
        var run = run(.advertised(router: nil, gap: .milliseconds(1100)))
        run.see(Self.advert("master", priority: 100), 5000, stamp: .kernel)
        run.see(Self.advert(), 5500, stamp: .kernel)
        run.passTime(to: 6101)
        #expect(run.newLines().first?.contains("none with VRID 51 after that of master") == true)
    }

    @Test("priority: of any node, it is none; of it, it is said")
    func priority() {
        var any = run(.priority(node: nil, 1...200))
        any.see(Self.advert(), 5000, stamp: .kernel)
        #expect(any.newLines() == [])
        var its = run(.priority(node: Self.name, 1...200))
        its.see(Self.advert(), 5000, stamp: .kernel)
        #expect(its.newLines().first?.contains("imposter@lan advertises 255") == true)
    }

    @Test("whose entry points at its Ethernet address finds the address at the imposter")
    func neighbours() {
        var seen = Observation(probes: [], stations: [:])
        func fold(_ kind: TimelineEvent.Kind) {
            _ = seen.fold(TimelineEvent(time: at(0), stamp: .kernel, kind: kind))
        }
        fold(Self.arp())
        #expect(seen.neighbours.station(Self.mac) == "imposter@lan")
    }

    // MARK: Bounds

    private let bounds = TakeoverBounds(routers: TwoNodes.routers)

    private func group(_ act: Act) -> ActGroup {
        var group = ActGroup()
        _ = group.append(act)
        return group
    }

    private func bound(_ imposture: String, nodes: [String]) throws -> TimeBound {
        let fault = Fault.imposter(Self.lan, try #require(Imposture.parse(imposture)))
        let seen = Observation(probes: [], stations: [:])
        let act = Act(deed: .fault(fault), time: at(0), summary: fault.description)
        return bounds.bound(
            for: .init(address: TwoNodes.vip, nodes: nodes, isRequest: false),
            after: group(act), begun: at(0), seen: seen
        ).bound
    }

    @Test("every router yields to the first advertisement of a higher priority")
    func silenced() throws {
        #expect(try bound("advert", nodes: []).terms.isEmpty)
        #expect(try bound("advert vrid 51 priority 101", nodes: []).terms.isEmpty)
        // Not master's: nothing is known of what comes of that.
        let margins = try bound("advert priority 100", nodes: []).margins
        #expect(margins.count == 2)
        #expect(try bound("advert wrong ttl", nodes: []).margins.count == 2)
    }

    @Test("when it is gone, the best one waits its Master_Down_Interval")
    func gone() throws {
        let bound = try bound("none", nodes: ["master"])
        #expect(bound.terms == TwoNodes.routers[0].masterDownInterval())
    }

    @Test("in version 3 it is that of the interval that the imposter said")
    func learned() throws {
        var routers = TwoNodes.routers
        for index in routers.indices { routers[index].version = 3 }
        let bounds = TakeoverBounds(routers: routers)
        var seen = Observation(probes: [], stations: [:])
        let advert = Self.advert(interval: .seconds(5))
        _ = seen.fold(TimelineEvent(time: at(0), stamp: .kernel, kind: advert))
        let act = Act(deed: .fault(.heal(nil)), time: at(0), summary: "heal")
        let bound = bounds.bound(
            for: .init(address: TwoNodes.vip, nodes: ["master"], isRequest: false),
            after: group(act), begun: at(0), seen: seen
        ).bound
        #expect(bound.terms == routers[0].masterDownInterval(learned: .seconds(5)))
    }

    // MARK: Captures

    @Test("its frames are on the bridge of its network, recorded or not")
    func captured() throws {
        let lab = try #require(
            decode(
                """
                name: test
                networks: { lan: { subnet: 10.10.10.0/24 } }
                nodes: { a: { interfaces: { eth0: { network: lan } } } }
                """, file: "lab.yaml"
            ).lab)
        let plan = try DeploymentPlan(lab)
        #expect(plan.bridge(of: Self.arp()) == Self.lan)
        #expect(plan.bridge(of: Self.advert()) == Self.lan)
        #expect(
            plan.bridge(of: .packet(node: "a", interface: "eth0", lengthBytes: 60)) == Self.lan)
        #expect(plan.bridge(of: .packet(node: "b", interface: "eth0", lengthBytes: 60)) == nil)
    }
}
