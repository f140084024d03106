import LabModel
import NetworkTypes
import Testing

@testable import Chaos

@Suite("Chaos: schedules by their seeds")
struct PlannerTests {
    @Test("the same seed, lab and options give the same schedule; another seed another one")
    func deterministic() {
        let once = FiveNodes.schedule(seed: 7)
        #expect(FiveNodes.schedule(seed: 7) == once)
        #expect(FiveNodes.schedule(seed: 8) != once)
    }

    @Test("a longer schedule begins as a shorter one does")
    func prefix() {
        let short = FiveNodes.schedule(seed: 3, length: .seconds(20))
        let long = FiveNodes.schedule(seed: 3, length: .seconds(200))
        #expect(short.rounds.count > 3)
        #expect(Array(long.rounds.prefix(short.rounds.count)) == short.rounds)
    }

    @Test("it is about as long as was asked for, by the routers' timers")
    func length() {
        for seconds in [10, 60, 600] {
            let length = FiveNodes.schedule(seed: 5, length: .seconds(seconds))
                .length(on: FiveNodes.ground)
            #expect(length >= .seconds(seconds))
            #expect(length < .seconds(seconds + 10))
        }
    }

    @Test("every kind comes up, each direction and each shape of partition with it")
    func coverage() {
        let faults = (1...20).flatMap { FiveNodes.schedule(seed: UInt64($0)).faults }
        for kind in FaultKind.allCases {
            #expect(faults.count { $0.kind == kind } > faults.count / 50, "\(kind)")
        }
        var directions: Set<Fault.Direction> = []
        var groupCounts: Set<Int> = []
        var bridges = 0
        var withClient = 0
        var ways: Set<String> = []
        for fault in faults {
            switch fault.deed {
            case .fault(.blackhole(_, let direction)): directions.insert(direction)
            case .fault(.partition(let groups)):
                groupCounts.insert(groups.count)
                let nodes = groups.flatMap(\.self)
                if groups.count == 2, Set(nodes).count < nodes.count { bridges += 1 }
                if nodes.contains("client") { withClient += 1 }
                #expect(!nodes.contains("stranger"))
            case .fault(.impair(_, let impairment)):
                ways.formUnion(
                    impairment.description.split(separator: " ").map(String.init))
            default: break
            }
        }
        #expect(directions == [.both, .in, .out])
        #expect(groupCounts == [2, 5])
        #expect(bridges > 0)
        #expect(withClient > 0)
        #expect(ways.isSuperset(of: ["delay", "loss", "every", "gemodel", "duplicate", "reorder"]))
        // Every node, and every cable that adverts go over, and no other.
        let struck = Set(faults.map(\.claim))
        #expect(struck.isSuperset(of: FiveNodes.names + FiveNodes.names.map { "\($0):eth0" }))
        #expect(!struck.contains { $0.contains("client") || $0.contains("eth1") })
    }

    @Test("rounds overlap, and no two faults of a round have hold of the same thing")
    func claims() {
        var overlapping = 0
        for seed in 1...20 {
            for round in FiveNodes.schedule(seed: UInt64(seed)).rounds {
                #expect((1...Planner.maximumFaults).contains(round.faults.count))
                #expect(Set(round.faults.map(\.claim)).count == round.faults.count)
                #expect(round.faults.first?.start == .zero)
                #expect(
                    round.faults.allSatisfy {
                        $0.duration >= Planner.leastDuration || $0.isPartition
                            || $0.deed.endings.isEmpty
                    })
                for (one, other) in zip(round.faults, round.faults.dropFirst())
                where other.start < one.end { overlapping += 1 }
            }
        }
        #expect(overlapping > 100)
    }

    @Test("only the wanted kinds are drawn, and only those that the lab has something for")
    func kinds() {
        let wanted = FiveNodes.schedule(seed: 1, kinds: [.kill, .partition])
        #expect(Set(wanted.faults.map(\.kind)) == [.kill, .partition])
        let alone = Ground(FiveNodes.lab, routers: [FiveNodes.routers()[0]])
        #expect(!FaultKind.partition.applies(to: alone))
        #expect(FaultKind.kill.applies(to: alone))
        #expect(!FaultKind.kill.applies(to: Ground(FiveNodes.lab, routers: [])))
    }

    @Test("a rate is the most faults in a minute, whatever else is drawn")
    func rate() {
        let schedule = Planner(
            FiveNodes.ground, kinds: FaultKind.allCases, seed: 1, rate: 6
        ).schedule(length: .seconds(600))
        let minutes = schedule.length(on: FiveNodes.ground) / .seconds(60)
        let rate = Double(schedule.faults.count) / minutes
        #expect(rate <= 6.01)
        #expect(rate > 5.5)
        let quick = FiveNodes.schedule(seed: 1)
        #expect(schedule.rounds.first?.faults == quick.rounds.first?.faults)
    }

    @Test("what is on the host's network is struck by what needs no switch")
    func hostNetwork() throws {
        var lab = FiveNodes.lab
        let parent = try #require(InterfaceName("eth0"))
        lab.networks[0].external = .macvlan(.init(parent: parent))
        let ground = Ground(lab, routers: FiveNodes.routers())
        let usable = FaultKind.allCases.filter { $0.applies(to: ground) }
        #expect(
            usable == [
                .kill, .stop, .freeze, .reboot, .killService, .stopService, .freezeService, .limit,
                .clock,
            ])
    }

    @Test("a seed means this, on every machine")
    func golden() {
        let kinds: [FaultKind] = [.kill, .freezeService, .link, .partition, .impair]
        #expect(
            FiveNodes.schedule(seed: 1, kinds: kinds, length: .seconds(4)).rounds.map(\.text) == [
                "round 1: partition node3 | node1 node2 node4 node5 for 870ms; "
                    + "at 100ms freeze node1/vrrp for 300ms; "
                    + "at 280ms link node3:eth0 down for 290ms; "
                    + "at 630ms link node1:eth0 down for 100ms",
                "round 2: impair node4:eth0 in delay 132ms only arp seed 4510 for 770ms; "
                    + "at 30ms link node1:eth0 down for 300ms; "
                    + "at 530ms freeze node3/vrrp for 1.27s",
            ])
    }
}
