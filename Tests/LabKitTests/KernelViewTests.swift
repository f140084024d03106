import LabModel
import Netlink
import NetworkTypes
import Testing

@testable import LabKit

@Suite("what kernels tell becomes events, and after a loss only the difference does")
struct KernelViewTests {
    private let address = InterfaceAddress("10.0.0.1/24")!
    private let vip = InterfaceAddress("10.0.0.100/32")!
    private let mac = MACAddress("02:00:00:00:00:01")!

    /// Node `a` with eth0, index 2.
    private func view(_ external: String = "") throws -> KernelView {
        let yaml = """
            name: x
            networks: { lan: { subnet: 10.0.0.0/24\(external) } }
            nodes: { a: { interfaces: { eth0: { network: lan, address: 10.0.0.1 } } } }
            """
        let decoding = Lab.decode(yaml: yaml, file: "lab.yaml", readFile: { _ in .missing })
        let lab = try #require(decoding.lab)
        return KernelView(try DeploymentPlan(lab))
    }

    private func added(_ address: InterfaceAddress) -> Netlink.Notification.Kind {
        .addressAdded(AssignedAddress(address, interfaceIndex: 2))
    }

    private func neighbour(
        _ state: Neighbour.State, at mac: MACAddress? = nil
    ) -> Neighbour {
        Neighbour(vip.address, interfaceIndex: 2, macAddress: mac ?? self.mac, state: state)
    }

    private var route: Netlink.Route {
        Netlink.Route(
            to: IPPrefix("10.1.0.0/16")!, via: IPAddress("10.0.0.9"), dev: Device(index: 2))
    }

    private let told = TimelineEvent.Route(
        destination: IPPrefix("10.1.0.0/16")!, gateway: IPAddress("10.0.0.9"), interface: "eth0")

    @Test("an address is added once, however often the kernel says so")
    func addresses() throws {
        var view = try view()
        let event = TimelineEvent.Kind.addressAdded(node: "a", interface: "eth0", address: vip)
        #expect(view.take(added(vip), of: "a") == [event])
        #expect(view.take(added(vip), of: "a").isEmpty)
        #expect(
            view.take(.addressRemoved(AssignedAddress(vip, interfaceIndex: 2)), of: "a") == [
                .addressRemoved(node: "a", interface: "eth0", address: vip)
            ])
        #expect(
            view.take(.addressRemoved(AssignedAddress(vip, interfaceIndex: 2)), of: "a").isEmpty)
    }

    @Test("a device that a daemon holds down has no addresses, until it lets it go")
    func heldDown() throws {
        var view = try view()
        var link = Netlink.Link(index: 2, name: "eth0")
        _ = view.take(.link(link), of: "a")
        link.isHeldDown = true
        _ = view.take(.link(link), of: "a")
        #expect(view.take(added(vip), of: "a").isEmpty)
        link.isHeldDown = false
        #expect(
            view.take(.link(link), of: "a") == [
                .addressAdded(node: "a", interface: "eth0", address: vip)
            ])
        link.isHeldDown = true
        #expect(
            view.take(.link(link), of: "a") == [
                .addressRemoved(node: "a", interface: "eth0", address: vip)
            ])
    }

    @Test("a macvlan of the host's has its addresses while its cable is pulled")
    func pulled() throws {
        var view = try view(", external: { type: macvlan, parent: eth7 }")
        var link = Netlink.Link(index: 2, name: "eth0")
        _ = view.take(.link(link), of: "a")
        _ = view.take(added(vip), of: "a")
        link.isHeldDown = true
        #expect(view.take(.link(link), of: "a").isEmpty)
        // One that a daemon makes is another matter.
        var other = Netlink.Link(index: 9, name: "vrrp")
        other.isHeldDown = true
        _ = view.take(.link(other), of: "a")
        let theirs = AssignedAddress(vip, interfaceIndex: 9)
        #expect(view.take(.addressAdded(theirs), of: "a").isEmpty)
    }

    @Test("every word about a route or a neighbour is told")
    func routesAndNeighbours() throws {
        var view = try view()
        #expect(view.take(.routeAdded(route), of: "a") == [.routeAdded(node: "a", told)])
        #expect(view.take(.routeAdded(route), of: "a") == [.routeAdded(node: "a", told)])
        #expect(view.take(.routeRemoved(route), of: "a") == [.routeRemoved(node: "a", told)])
        let states: [(Neighbour.State, TimelineEvent.Neighbour.State)] = [
            (.incomplete, .incomplete), (.reachable, .reachable), (.stale, .stale),
            (.delay, .delay), (.probe, .probe), (.failed, .failed), (.noARP, .noarp),
            (.permanent, .permanent), ([], .none),
        ]
        for (state, word) in states {
            #expect(
                view.take(.neighbour(neighbour(state)), of: "a") == [
                    .neighbour(
                        .init(
                            node: "a", interface: "eth0", address: vip.address, mac: mac,
                            state: word))
                ])
        }
        #expect(
            view.take(.neighbourRemoved(neighbour(.failed)), of: "a") == [
                .neighbourRemoved(node: "a", interface: "eth0", address: vip.address)
            ])
    }

    @Test("after a loss, what is new, what is gone and what has changed is told, and no more")
    func resynchronisation() throws {
        var view = try view()
        _ = view.take(.link(Netlink.Link(index: 2, name: "eth0")), of: "a")
        _ = view.take(added(address), of: "a")
        _ = view.take(.routeAdded(route), of: "a")
        _ = view.take(.neighbour(neighbour(.reachable)), of: "a")
        var snapshot = KernelView.Snapshot()
        snapshot.links = [Netlink.Link(index: 2, name: "eth0", hasCarrier: false)]
        snapshot.addresses = [AssignedAddress(vip, interfaceIndex: 2)]
        let other = MACAddress("02:00:00:00:00:02")!
        snapshot.neighbours = [neighbour(.stale, at: other)]
        let moved = TimelineEvent.Neighbour(
            node: "a", interface: "eth0", address: vip.address, mac: other, state: .stale)
        #expect(
            view.take(snapshot, of: "a") == [
                .link(node: "a", interface: "eth0", isUp: true, hasCarrier: false),
                .addressAdded(node: "a", interface: "eth0", address: vip),
                .addressRemoved(node: "a", interface: "eth0", address: address),
                .routeRemoved(node: "a", told), .neighbour(moved),
            ])
        #expect(view.take(snapshot, of: "a").isEmpty)
        snapshot.routes = [route]
        snapshot.neighbours = []
        #expect(
            view.take(snapshot, of: "a") == [
                .routeAdded(node: "a", told),
                .neighbourRemoved(node: "a", interface: "eth0", address: vip.address),
            ])
    }

    @Test("a node that is gone loses its addresses, and starts with nothing")
    func gone() throws {
        var view = try view()
        _ = view.take(added(vip), of: "a")
        _ = view.take(added(address), of: "a")
        #expect(
            view.forget("a") == [
                .addressRemoved(node: "a", interface: "eth0", address: address),
                .addressRemoved(node: "a", interface: "eth0", address: vip),
            ])
        #expect(view.forget("a").isEmpty)
        #expect(view.take(added(vip), of: "a").count == 1)
    }

    @Test("interfaces are called by the plan until the kernel names them")
    func names() throws {
        var view = try view()
        let lo = AssignedAddress(InterfaceAddress("127.0.0.1/8")!, interfaceIndex: 1)
        let foreign = AssignedAddress(address, interfaceIndex: 7)
        #expect(
            view.take(.addressAdded(lo), of: "a") == [
                .addressAdded(node: "a", interface: "lo", address: lo.address)
            ])
        #expect(
            view.take(.addressAdded(foreign), of: "a") == [
                .addressAdded(node: "a", interface: "if7", address: address)
            ])
        _ = view.take(.link(Netlink.Link(index: 7, name: "vrrp.51")), of: "a")
        #expect(
            view.take(.addressRemoved(foreign), of: "a") == [
                .addressRemoved(node: "a", interface: "vrrp.51", address: address)
            ])
    }
}
