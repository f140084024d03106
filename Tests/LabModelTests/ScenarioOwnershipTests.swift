import LabModel
import NetworkTypes
import Testing

@Suite("Ownership")
struct ScenarioOwnershipTests {
    private let vip = TwoNodes.vip
    private let address = InterfaceAddress("10.10.10.10/32")!

    private func folded(_ events: [(Double, TimelineEvent.Kind)]) -> Ownership {
        events.reduce(into: Ownership()) { ownership, event in
            ownership.fold(
                TimelineEvent(time: at(event.0), stamp: .receipt, kind: event.1))
        }
    }

    private func added(_ node: String, _ interface: String = "eth0", _ text: String? = nil)
        -> TimelineEvent.Kind
    {
        .addressAdded(
            node: node, interface: interface,
            address: text.map { InterfaceAddress($0)! } ?? address)
    }

    private func removed(_ node: String, _ interface: String = "eth0", _ text: String? = nil)
        -> TimelineEvent.Kind
    {
        .addressRemoved(
            node: node, interface: interface,
            address: text.map { InterfaceAddress($0)! } ?? address)
    }

    @Test("An address moves: who held it when, and since when the present set is what it is")
    func move() {
        let ownership = folded([
            (10, added("master")), (20, added("backup")), (30, removed("master")),
        ])
        #expect(ownership.holders(of: vip) == ["backup"])
        #expect(ownership.lastChange(of: vip) == at(30))
        #expect(ownership.holders(of: vip, at: at(9)) == [])
        #expect(ownership.holders(of: vip, at: at(10)) == ["master"])
        #expect(ownership.holders(of: vip, at: at(25)) == ["backup", "master"])
        #expect(ownership.holders(of: vip, at: at(30)) == ["backup"])
        #expect(
            ownership.spans(of: vip) == [
                .init(address: vip, node: "master", since: at(10), until: at(30)),
                .init(address: vip, node: "backup", since: at(20)),
            ])
        #expect(ownership.addresses == [vip])
    }

    @Test("An address of the loopback is how a real server takes what a director sends it")
    func loopback() {
        let ownership = folded([
            (10, added("director")), (20, added("web", "lo")), (30, removed("web", "lo")),
        ])
        #expect(ownership.holders(of: vip, at: at(25)) == ["director"])
        #expect(ownership.lastChange(of: vip) == at(10))
    }

    @Test(
        "A node that is stopped or killed holds nothing",
        arguments: [
            TimelineEvent.NodeState.stopped, .killed, .failed,
        ])
    func deadNode(_ state: TimelineEvent.NodeState) {
        var ownership = folded([(10, added("master")), (20, .node("master", state))])
        #expect(ownership.holders(of: vip) == [])
        #expect(ownership.lastChange(of: vip) == at(20))
        // What is read of it afterwards is old news, until it starts again.
        ownership.fold(TimelineEvent(time: at(21), stamp: .receipt, kind: added("master")))
        #expect(ownership.holders(of: vip) == [])
        ownership.fold(
            TimelineEvent(time: at(30), stamp: .origin, kind: .node("master", .starting)))
        ownership.fold(TimelineEvent(time: at(31), stamp: .receipt, kind: added("master")))
        #expect(ownership.holders(of: vip) == ["master"])
        #expect(ownership.spans(of: vip).count == 2)
    }

    @Test("An address on two interfaces, or with two prefix lengths, is held until both are gone")
    func twoPlaces() {
        let events: [(Double, TimelineEvent.Kind)] = [
            (10, added("master")), (11, added("master", "eth1")),
            (12, added("master", "eth0", "10.10.10.10/24")), (20, removed("master")),
            (21, removed("master", "eth1")),
        ]
        let held = folded(events)
        #expect(held.holders(of: vip) == ["master"])
        #expect(held.lastChange(of: vip) == at(10))
        let gone = folded(events + [(22, removed("master", "eth0", "10.10.10.10/24"))])
        #expect(gone.holders(of: vip) == [])
        #expect(gone.lastChange(of: vip) == at(22))
    }

    @Test("Notifications that repeat, or remove what was never there, change nothing")
    func idempotence() {
        let ownership = folded([
            (5, removed("backup")), (10, added("master")), (11, added("master")),
            (12, removed("backup")),
        ])
        #expect(ownership.spans(of: vip).count == 1)
        #expect(ownership.lastChange(of: vip) == at(10))
        #expect(Ownership().lastChange(of: vip) == nil)
    }
}
