import LabModel
import NetworkTypes
import Testing

@Suite("A lab at an instant of its timeline")
struct LabMomentTests {
    private func moment(_ milliseconds: Double, _ more: [TimelineEvent] = []) -> LabMoment {
        LabMoment(
            at: at(milliseconds),
            events: (TwoNodeRun.events() + more).sorted { $0.time < $1.time },
            lab: TwoNodeRun.lab, routers: TwoNodes.routers)
    }

    @Test("before the election nobody has the address, and both timers are set by the start")
    func election() {
        let moment = moment(3000)
        #expect(moment.owners.map(\.nodes) == [[]])
        #expect(moment.routers.map(\.state) == [.backup, .backup])
        let timers = moment.routers.map(\.timer)
        #expect(timers.map { $0?.name } == [.masterDown, .masterDown])
        // 3 x 1 s + (256 - priority)/256 s after the daemons were ready.
        #expect(timers[0]?.expires == at(50) + .seconds(3) + .seconds(1) * 156 / 256)
        #expect(timers[1]?.expires == at(50) + .seconds(3) + .seconds(1) * 157 / 256)
        #expect(moment.neighbours.isEmpty)
    }

    @Test("a master waits for its next advertisement, its backup for three that are missing")
    func master() {
        let moment = moment(4900)
        #expect(moment.owners.map(\.nodes) == [["master"]])
        #expect(moment.owners[0].since == at(3601))
        #expect(moment.routers.map(\.state) == [.master, .backup])
        #expect(moment.routers[0].timer?.name == .advertisement)
        #expect(moment.routers[0].timer?.set == at(4600))
        #expect(moment.routers[0].timer?.expires == at(5600))
        #expect(moment.routers[1].timer?.set == at(4600))
        #expect(
            moment.routers[1].timer?.expires == at(4600) + .seconds(3) + .seconds(1) * 157 / 256)
        #expect(moment.neighbours.map(\.station) == ["master"])
    }

    @Test("neighbours are those of every address, of nodes that run; nobody's only of virtual ones")
    func neighbours() {
        func entry(_ node: String, _ address: String, _ mac: MACAddress?) -> TimelineEvent {
            TwoNodeRun.seen(
                4000,
                .neighbour(
                    TimelineEvent.Neighbour(
                        node: node, interface: "eth0", address: IPAddress(address)!, mac: mac,
                        state: .reachable)))
        }
        let more = [
            entry("client", "10.10.10.2", TwoNodeRun.backupMAC), entry("client", "10.10.10.9", nil),
            entry("backup", "10.10.10.10", nil),
            entry("master", "10.10.10.2", TwoNodeRun.backupMAC),
        ]
        func told(_ milliseconds: Double) -> [String] {
            moment(milliseconds, more).neighbours.map {
                "\($0.node) \($0.address) \($0.station ?? "-")"
            }
        }
        let others = [
            "backup 10.10.10.10 -", "client 10.10.10.2 backup", "client 10.10.10.10 master",
        ]
        #expect(told(4900) == ["master 10.10.10.2 backup"] + others)
        #expect(told(5100) == others)
    }

    @Test("a master that resigns leaves its backup the skew time")
    func resignation() {
        let resigns = TwoNodeRun.seen(4700, TwoNodeRun.advert("master", priority: 0))
        let timer = moment(4900, [resigns]).routers[1].timer
        #expect(timer?.expires == at(4700) + .seconds(1) * 157 / 256)
    }

    @Test("an advertisement of another network moves no timer")
    func otherNetwork() {
        guard case .advertisement(var advert) = TwoNodeRun.advert("client") else { return }
        advert.interface = "eth1"
        let other = TwoNodeRun.seen(4800, .advertisement(advert))
        #expect(moment(4900, [other]).routers[1].timer?.set == at(4600))
    }

    @Test(
        "an advertisement that the network does not let through moves no timer",
        arguments: [
            Fault.blackhole(LabMomentTests.endpoint("backup"), .in),
            .blackhole(LabMomentTests.endpoint("master"), .out),
            .partition([["master"], ["backup", "client"]]),
        ])
    func cut(_ fault: Fault) {
        let more = [
            TwoNodeRun.seen(4700, .fault(fault)),
            TwoNodeRun.seen(4750, TwoNodeRun.advert("master")),
            TwoNodeRun.seen(4800, .fault(.heal(nil))),
            TwoNodeRun.seen(4850, TwoNodeRun.advert("master")),
        ]
        // The one before the fault was heard, the one in it was not, the one after it was.
        #expect(moment(4780, more).routers[1].timer?.set == at(4600))
        #expect(moment(4900, more).routers[1].timer?.set == at(4850))
        // The master has sent it all the same.
        #expect(moment(4780, more).routers[0].timer?.set == at(4750))
    }

    @Test("a cut the other way lets advertisements through; a frozen backup hears none")
    func cutElsewhere() {
        let more = [
            TwoNodeRun.seen(4700, .fault(.blackhole(Self.endpoint("backup"), .out))),
            TwoNodeRun.seen(4750, TwoNodeRun.advert("master")),
            TwoNodeRun.seen(4800, .control(.freeze, Target(node: "backup"))),
            TwoNodeRun.seen(4850, TwoNodeRun.advert("master")),
        ]
        #expect(moment(4900, more).routers[1].timer?.set == at(4750))
    }

    fileprivate static func endpoint(_ node: String) -> Endpoint {
        Endpoint(node: node, interface: InterfaceName("eth0")!)
    }

    @Test("a dead node is dead, its router without state; what is stamped later is not seen")
    func death() {
        let moment = moment(5005)
        #expect(moment.nodes.map(\.state) == [.killed, .running, .running])
        #expect(moment.nodes.map(\.ready) == [[], ["keepalived"], []])
        #expect(moment.routers.map(\.state) == [nil, .backup])
        #expect(moment.owners.map(\.nodes) == [[]])
        #expect(moment.step == "kill master")
        #expect(moment.neighbours.map(\.station) == ["master"])
    }

    @Test("faults are there until they are mended")
    func faults() {
        let endpoint = Self.endpoint("backup")
        let more = [
            TwoNodeRun.seen(4000, .fault(.blackhole(endpoint, .in))),
            TwoNodeRun.seen(4100, .fault(.partition([["master"], ["backup"]]))),
            TwoNodeRun.seen(4200, .fault(.linkUp(endpoint))),
            TwoNodeRun.seen(4300, .fault(.heal(nil))),
        ]
        #expect(moment(4050, more).faults == ["link backup:eth0 blackhole in"])
        #expect(moment(4150, more).faults.count == 2)
        #expect(moment(4250, more).faults == ["partition master | backup"])
        #expect(moment(4350, more).faults.isEmpty)
    }

    @Test("a frozen node stands still until it is thawed or dies; a frozen service is not the node")
    func frozen() {
        let more = [
            TwoNodeRun.seen(4000, .control(.freeze, Target(node: "master"))),
            TwoNodeRun.seen(4200, .control(.thaw, Target(node: "master"))),
            TwoNodeRun.seen(
                4300, .control(.freeze, Target(node: "backup", service: "keepalived"))),
            TwoNodeRun.seen(4400, .control(.freeze, Target(node: "master"))),
        ]
        func frozen(_ milliseconds: Double) -> [Bool] {
            moment(milliseconds, more).nodes.map(\.isFrozen)
        }
        #expect(frozen(4100) == [true, false, false])
        #expect(frozen(4350) == [false, false, false])
        #expect(frozen(4450) == [true, false, false])
        #expect(moment(4450, more).nodes[0].state == .running)
        #expect(frozen(5005) == [false, false, false])
    }
}
