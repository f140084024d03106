import LabModel
import Netlink
import NetworkTypes

/// What the kernels of a lab's nodes have, kept from what they tell; what changes comes out as
/// events of the timeline.
struct KernelView {
    /// An interface of a node as its kernel has it now.
    struct InterfaceState {
        var name: String
        var isUp = false
        var hasCarrier = false
        /// Whether a daemon holds it down: FRR's vrrpd does with the macvlan of a router that is no
        /// master, where the virtual addresses stay. They count as absent meanwhile.
        var isHeldDown = false
        var addresses: Set<InterfaceAddress> = []
    }

    /// The whole of a node's kernel, read at once.
    struct Snapshot {
        var links: [Netlink.Link] = []
        var addresses: [AssignedAddress] = []
        var routes: [Netlink.Route] = []
        var neighbours: [Neighbour] = []
    }

    /// A neighbour entry's place.
    fileprivate struct Entry: Hashable {
        var interface: Int32
        var address: IPAddress
    }

    private struct NodeState {
        var interfaces: [Int32: InterfaceState] = [:]
        // Gap: IPv4 says nothing of the routes that go with an interface, or that another takes the
        // place of; they stay here until a resynchronisation.
        var routes: Set<TimelineEvent.Route> = []
        var neighbours: [Entry: TimelineEvent.Neighbour] = [:]
    }

    private let ports: [String: [Int32: String]]
    private let hostPorts: [String: Set<Int32>]
    private var nodes: [String: NodeState] = [:]

    /// A view that has seen nothing yet; the plan gives interfaces their names that have not been
    /// told about.
    init(_ plan: DeploymentPlan) {
        ports = Dictionary(grouping: plan.interfaces, by: \.node).mapValues { interfaces in
            Dictionary(
                interfaces.map { ($0.index, $0.name.text) }, uniquingKeysWith: { first, _ in first }
            )
        }
        hostPorts = Dictionary(grouping: plan.hostPorts, by: \.interface.node).mapValues { ports in
            Set(ports.map(\.interface.index))
        }
    }

    /// The interfaces of a node that something is known of, by index.
    func interfaces(of node: String) -> [Int32: InterfaceState] { nodes[node]?.interfaces ?? [:] }

    /// The nodes that something is known of, sorted.
    var names: [String] { nodes.keys.sorted() }

    /// Takes a notification into account.
    ///
    /// - Returns: what it changes, as events.
    mutating func take(
        _ kind: Netlink.Notification.Kind, of node: String
    ) -> [TimelineEvent.Kind] {
        switch kind {
        case .addressAdded(let assigned): return add(assigned, node)
        case .addressRemoved(let assigned):
            return remove(assigned.address, from: assigned.interfaceIndex, node)
        case .link(let link): return change(link, node)
        case .linkRemoved(let link):
            nodes[node]?.interfaces[link.index] = nil
            return []
        case .routeAdded(let route):
            let route = told(route, node)
            nodes[node, default: NodeState()].routes.insert(route)
            return [.routeAdded(node: node, route)]
        case .routeRemoved(let route):
            let route = told(route, node)
            nodes[node]?.routes.remove(route)
            return [.routeRemoved(node: node, route)]
        case .neighbour(let neighbour):
            let entry = Entry(neighbour)
            let told = told(neighbour, node)
            nodes[node, default: NodeState()].neighbours[entry] = told
            return [.neighbour(told)]
        case .neighbourRemoved(let neighbour): return forget(Entry(neighbour), node)
        case .ruleAdded, .ruleRemoved, .bridgePort, .overrun: return []
        }
    }

    /// Takes in what a node's kernel really has, after notifications were lost.
    ///
    /// - Returns: the difference, as events.
    mutating func take(_ snapshot: Snapshot, of node: String) -> [TimelineEvent.Kind] {
        var events = snapshot.links.flatMap { change($0, node) }
        events += snapshot.addresses.flatMap { add($0, node) }
        let present = Set(snapshot.links.map(\.index))
        for index in interfaces(of: node).keys.sorted() {
            let addresses = Set(
                snapshot.addresses.filter { $0.interfaceIndex == index }.map(\.address))
            let gone = interfaces(of: node)[index]?.addresses.subtracting(addresses) ?? []
            events += gone.sorted(by: inOrder).flatMap { remove($0, from: index, node) }
            if !present.contains(index) { nodes[node]?.interfaces[index] = nil }
        }
        let routes = Set(snapshot.routes.map { told($0, node) })
        let known = nodes[node]?.routes ?? []
        events += known.subtracting(routes).sorted(by: inOrder).map {
            .routeRemoved(node: node, $0)
        }
        events += routes.subtracting(known).sorted(by: inOrder).map { .routeAdded(node: node, $0) }
        nodes[node, default: NodeState()].routes = routes
        return events + takeNeighbours(snapshot.neighbours, of: node)
    }

    private mutating func takeNeighbours(
        _ neighbours: [Neighbour], of node: String
    ) -> [TimelineEvent.Kind] {
        var events: [TimelineEvent.Kind] = []
        let present = Set(neighbours.map { Entry($0) })
        for entry in (nodes[node]?.neighbours ?? [:]).keys.sorted(by: { $0.address < $1.address })
        where !present.contains(entry) {
            events += forget(entry, node)
        }
        for neighbour in neighbours {
            let entry = Entry(neighbour)
            let told = told(neighbour, node)
            guard nodes[node]?.neighbours[entry] != told else { continue }
            nodes[node, default: NodeState()].neighbours[entry] = told
            events.append(.neighbour(told))
        }
        return events
    }

    /// Forgets a node that is gone: the kernel tells nothing about a namespace that it has dropped.
    ///
    /// - Returns: the end of its addresses.
    mutating func forget(_ node: String) -> [TimelineEvent.Kind] {
        let interfaces = nodes.removeValue(forKey: node)?.interfaces.values ?? [:].values
        return interfaces.sorted { $0.name < $1.name }.flatMap { interface in
            interface.addresses.sorted(by: inOrder).map {
                .addressRemoved(node: node, interface: interface.name, address: $0)
            }
        }
    }

    // MARK: Links and addresses

    private func state(_ index: Int32, _ node: String) -> InterfaceState {
        nodes[node]?.interfaces[index] ?? InterfaceState(name: name(index, node))
    }

    private func name(_ index: Int32, _ node: String) -> String {
        nodes[node]?.interfaces[index]?.name
            ?? (index == 1 ? "lo" : ports[node]?[index] ?? "if\(index)")
    }

    private mutating func set(_ state: InterfaceState, _ index: Int32, _ node: String) {
        nodes[node, default: NodeState()].interfaces[index] = state
    }

    private mutating func add(_ assigned: AssignedAddress, _ node: String) -> [TimelineEvent.Kind] {
        var state = state(assigned.interfaceIndex, node)
        // The kernel repeats itself, when an IPv6 address ceases to be tentative for one.
        guard state.addresses.insert(assigned.address).inserted else { return [] }
        set(state, assigned.interfaceIndex, node)
        if state.isHeldDown { return [] }
        return [.addressAdded(node: node, interface: state.name, address: assigned.address)]
    }

    private mutating func remove(
        _ address: InterfaceAddress, from index: Int32, _ node: String
    ) -> [TimelineEvent.Kind] {
        var state = state(index, node)
        guard state.addresses.remove(address) != nil else { return [] }
        set(state, index, node)
        if state.isHeldDown { return [] }
        return [.addressRemoved(node: node, interface: state.name, address: address)]
    }

    private mutating func change(_ link: Netlink.Link, _ node: String) -> [TimelineEvent.Kind] {
        var state = state(link.index, node)
        let isNews =
            state.isUp != link.isUp || state.hasCarrier != link.hasCarrier
            || state.name != link.name
        let wasHeldDown = state.isHeldDown
        state.name = link.name
        state.isUp = link.isUp
        state.hasCarrier = link.hasCarrier
        // A macvlan of the lab's own is held down when its cable is pulled, and has its addresses.
        state.isHeldDown = link.isHeldDown && hostPorts[node]?.contains(link.index) != true
        set(state, link.index, node)
        var events: [TimelineEvent.Kind] = []
        if isNews {
            events.append(
                .link(
                    node: node, interface: link.name, isUp: link.isUp, hasCarrier: link.hasCarrier))
        }
        guard wasHeldDown != state.isHeldDown else { return events }
        for address in state.addresses.sorted(by: inOrder) {
            events.append(
                state.isHeldDown
                    ? .addressRemoved(node: node, interface: link.name, address: address)
                    : .addressAdded(node: node, interface: link.name, address: address))
        }
        return events
    }

    // MARK: Routes and neighbours

    private func told(_ route: Netlink.Route, _ node: String) -> TimelineEvent.Route {
        TimelineEvent.Route(
            destination: route.destination, type: route.kind.description, gateway: route.gateway,
            interface: route.device.map { name($0.index, node) }, metric: route.metric,
            table: route.table)
    }

    private func told(_ neighbour: Neighbour, _ node: String) -> TimelineEvent.Neighbour {
        TimelineEvent.Neighbour(
            node: node, interface: name(neighbour.interfaceIndex, node),
            address: neighbour.address, mac: neighbour.macAddress,
            state: TimelineEvent.Neighbour.State(neighbour.state))
    }

    private mutating func forget(_ entry: Entry, _ node: String) -> [TimelineEvent.Kind] {
        nodes[node]?.neighbours[entry] = nil
        return [
            .neighbourRemoved(
                node: node, interface: name(entry.interface, node), address: entry.address)
        ]
    }
}

extension KernelView.Entry {
    fileprivate init(_ neighbour: Neighbour) {
        self.init(interface: neighbour.interfaceIndex, address: neighbour.address)
    }
}

extension TimelineEvent.Neighbour.State {
    /// The kernel's bits, of which one is set.
    init(_ state: Neighbour.State) {
        let words: [(Neighbour.State, Self)] = [
            (.incomplete, .incomplete), (.reachable, .reachable), (.stale, .stale),
            (.delay, .delay), (.probe, .probe), (.failed, .failed), (.noARP, .noarp),
            (.permanent, .permanent),
        ]
        self = words.first { state.contains($0.0) }?.1 ?? .none
    }
}

/// An order that does not change from run to run.
private func inOrder(_ left: some CustomStringConvertible, _ right: some CustomStringConvertible)
    -> Bool
{
    left.description < right.description
}

/// See above.
private func inOrder(_ left: TimelineEvent.Route, _ right: TimelineEvent.Route) -> Bool {
    (left.table, left.destination.description, left.metric ?? 0)
        < (right.table, right.destination.description, right.metric ?? 0)
}
