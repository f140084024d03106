import LabModel
import NetworkTypes
import Testing

@Suite("Who held which address when")
struct AddressHistoryTests {
    private let vip = TwoNodes.vip
    private let address = InterfaceAddress("10.10.10.10/32")!

    private func history(_ events: [(Double, TimelineEvent.Kind)]) -> AddressHistory {
        events.reduce(into: AddressHistory()) { history, event in
            history.fold(TimelineEvent(time: at(event.0), stamp: .receipt, kind: event.1))
        }
    }

    private func added(_ node: String) -> TimelineEvent.Kind {
        .addressAdded(node: node, interface: "eth0", address: address)
    }

    private func removed(_ node: String) -> TimelineEvent.Kind {
        .addressRemoved(node: node, interface: "eth0", address: address)
    }

    @Test("A takeover after a kill leaves a time in which nobody has it")
    func gap() {
        let history = history([
            (10, added("master")), (20, .node("master", .killed)), (25, added("backup")),
        ])
        #expect(
            history.periods(of: vip) == [
                .init(address: vip, nodes: ["master"], since: at(10), until: at(20)),
                .init(address: vip, nodes: [], since: at(20), until: at(25)),
                .init(address: vip, nodes: ["backup"], since: at(25)),
            ])
    }

    @Test("Where two have it, both are named for as long as it lasts")
    func overlap() {
        let history = history([
            (10, added("master")), (20, added("backup")), (22, removed("master")),
            (30, removed("backup")),
        ])
        #expect(
            history.periods(of: vip).map(\.nodes) == [
                ["master"], ["backup", "master"], ["backup"], [],
            ])
        #expect(history.periods(of: vip).map(\.since) == [at(10), at(20), at(22), at(30)])
    }

    @Test("A change at one moment is no gap")
    func handover() {
        let history = history([
            (10, added("master")), (20, removed("master")), (20, added("backup")),
        ])
        #expect(history.periods(of: vip).map(\.nodes) == [["master"], ["backup"]])
    }

    @Test("The virtual addresses are those that were advertised")
    func virtualAddresses() {
        let seen = TimelineEvent.Advertisement(
            node: "master", interface: "eth0", source: IPAddress("10.10.10.1")!, version: 3,
            vrid: 51, priority: 100, interval: .seconds(1),
            addresses: [IPAddress("10.10.10.11")!, vip])
        let history = history([(10, added("master")), (11, .advertisement(seen))])
        #expect(history.virtualAddresses == [vip, IPAddress("10.10.10.11")!])
        #expect(history.periods(of: IPAddress("10.10.10.11")!).isEmpty)
    }
}
