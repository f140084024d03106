import CLinux
import Glibc
import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import VRRP

/// Reads kernel and wire and puts what they show on the timeline: addresses and links of every node
/// from one netlink socket, advertisements and gratuitous ARP from one packet socket, both in the
/// fabric, so that no observer keeps a dead node's namespace alive. What daemons say of themselves
/// is not asked.
final class Observer {
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

    private let fabric: Fabric
    private let timeline: TimelineRecorder
    private let monitor: RouteMonitor
    private let capture: PacketCapture
    private let socket: RouteSocket
    /// Per node, by interface index.
    private(set) var interfaces: [String: [Int32: InterfaceState]] = [:]
    /// The fabric's ports, by index, that deliver frames. A new port seems to forward before it
    /// does.
    private(set) var operationalPorts: Set<Int32> = []
    /// Called when ``operationalPorts`` has changed.
    var onPortChange: () -> Void = {}

    /// Begins to listen, in the calling thread's network namespace: the fabric.
    ///
    /// - Throws: ``NetlinkError``, ``SystemError``.
    init(_ fabric: Fabric, timeline: TimelineRecorder, loop: EventLoop) throws {
        self.fabric = fabric
        self.timeline = timeline
        monitor = try RouteMonitor([.links, .addresses], allNamespaces: true)
        capture = try PacketCapture(filter: CaptureFilter.program)
        socket = try RouteSocket()
        try loop.add(monitor.descriptor, .readable) { [self] _ in readMonitor() }
        try loop.add(capture.descriptor.rawValue, .readable) { [self] _ in readCapture() }
    }

    /// Takes in what has already arrived, so that an event that the supervisor causes itself is not
    /// put before one that came first.
    func catchUp() {
        readMonitor()
        readCapture()
    }

    /// Forgets a node that is gone: the kernel tells nothing about a namespace that it has dropped.
    func forget(_ node: String) {
        let now = MonotonicClock.now
        for interface in interfaces.removeValue(forKey: node)?.values.sorted(by: {
            $0.name < $1.name
        })
            ?? []
        {
            for address in interface.addresses.sorted(by: { $0.description < $1.description }) {
                timeline.record(
                    .addressRemoved(node: node, interface: interface.name, address: address),
                    at: now, stamp: .origin)
            }
        }
    }

    // MARK: Kernel

    private func readMonitor() {
        do {
            let notifications = try monitor.drain()
            let now = MonotonicClock.now
            for notification in notifications { handle(notification, at: now) }
        } catch {
            StandardError.print("notifications of the kernel are lost: \(error)")
        }
    }

    private func handle(_ notification: Netlink.Notification, at time: MonotonicInstant) {
        if case .overrun = notification.kind { return resynchronise() }
        guard let id = notification.namespaceID else { return handleFabric(notification.kind) }
        guard let node = fabric.node(ofNamespace: id) else { return }
        switch notification.kind {
        case .addressAdded(let assigned): added(assigned, node: node, at: time)
        case .addressRemoved(let assigned):
            let state = interface(assigned.interfaceIndex, of: node)
            guard state.addresses.contains(assigned.address) else { return }
            interfaces[node]?[assigned.interfaceIndex]?.addresses.remove(assigned.address)
            guard !state.isHeldDown else { return }
            timeline.record(
                .addressRemoved(node: node, interface: state.name, address: assigned.address),
                at: time, stamp: .receipt)
        case .link(let link): changed(link, node: node, at: time)
        case .linkRemoved(let link): interfaces[node]?[link.index] = nil
        case .routeAdded, .routeRemoved, .ruleAdded, .ruleRemoved, .neighbour, .neighbourRemoved,
            .bridgePort, .overrun:
            break
        }
    }

    private func handleFabric(_ kind: Netlink.Notification.Kind) {
        let before = operationalPorts
        switch kind {
        case .link(let link) where link.isOperational: operationalPorts.insert(link.index)
        case .link(let link), .linkRemoved(let link): operationalPorts.remove(link.index)
        case .addressAdded, .addressRemoved, .routeAdded, .routeRemoved, .ruleAdded, .ruleRemoved,
            .neighbour,
            .neighbourRemoved, .bridgePort, .overrun:
            break
        }
        if operationalPorts != before { onPortChange() }
    }

    private func added(_ assigned: AssignedAddress, node: String, at time: MonotonicInstant) {
        let state = interface(assigned.interfaceIndex, of: node)
        // The kernel repeats itself, when an IPv6 address ceases to be tentative for one.
        guard !state.addresses.contains(assigned.address) else { return }
        interfaces[node]?[assigned.interfaceIndex]?.addresses.insert(assigned.address)
        guard !state.isHeldDown else { return }
        timeline.record(
            .addressAdded(node: node, interface: state.name, address: assigned.address),
            at: time, stamp: .receipt)
    }

    private func changed(_ link: Netlink.Link, node: String, at time: MonotonicInstant) {
        var state = interface(link.index, of: node)
        let isNews =
            state.isUp != link.isUp || state.hasCarrier != link.hasCarrier
            || state.name != link.name
        state.name = link.name
        state.isUp = link.isUp
        state.hasCarrier = link.hasCarrier
        let wasHeldDown = state.isHeldDown
        state.isHeldDown = link.isHeldDown
        interfaces[node]?[link.index] = state
        if isNews {
            timeline.record(
                .link(
                    node: node, interface: link.name, isUp: link.isUp, hasCarrier: link.hasCarrier),
                at: time, stamp: .receipt)
        }
        guard wasHeldDown != link.isHeldDown else { return }
        for address in state.addresses.sorted(by: { $0.description < $1.description }) {
            timeline.record(
                link.isHeldDown
                    ? .addressRemoved(node: node, interface: link.name, address: address)
                    : .addressAdded(node: node, interface: link.name, address: address),
                at: time, stamp: .receipt)
        }
    }

    private func interface(_ index: Int32, of node: String) -> InterfaceState {
        if let known = interfaces[node]?[index] { return known }
        let planned = fabric.plan.ports.first { $0.node == node && $0.interfaceIndex == index }
        let name = index == 1 ? "lo" : planned?.interface.text ?? "if\(index)"
        let state = InterfaceState(name: name)
        interfaces[node, default: [:]][index] = state
        return state
    }

    // After an overrun the truth is read from the kernel, and only the difference becomes events.
    private func resynchronise() {
        let now = MonotonicClock.now
        for link in (try? socket.links()) ?? [] { handleFabric(.link(link)) }
        for node in interfaces.keys.sorted() {
            guard let id = fabric.namespaceID(of: node),
                let links = try? socket.links(inNamespace: id),
                let addresses = try? socket.addresses(inNamespace: id)
            else { continue }
            for link in links { changed(link, node: node, at: now) }
            for assigned in addresses { added(assigned, node: node, at: now) }
            for (index, state) in interfaces[node] ?? [:] {
                let present = Set(
                    addresses.filter { $0.interfaceIndex == index }.map(\.address))
                for address in state.addresses.subtracting(present) {
                    interfaces[node]?[index]?.addresses.remove(address)
                    timeline.record(
                        .addressRemoved(node: node, interface: state.name, address: address),
                        at: now, stamp: .receipt)
                }
            }
        }
    }

    // MARK: Wire

    private func readCapture() {
        do {
            for frame in try capture.drain() { handle(frame) }
        } catch {
            StandardError.print("captured frames are lost: \(error)")
        }
    }

    private func handle(_ frame: PacketCapture.Frame) {
        // A frame is seen again on the bridge itself; it belongs to the port it entered by.
        guard let port = fabric.port(index: frame.interfaceIndex) else { return }
        guard let kind = CapturedFrame.event(frame.bytes, port: port) else { return }
        timeline.record(kind, at: frame.time, stamp: .kernel)
    }
}
