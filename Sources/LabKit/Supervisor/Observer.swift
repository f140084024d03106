import CLinux
import Glibc
import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import VRRP

/// Reads kernel and wire and puts what they show on the timeline: links, addresses, routes and
/// neighbours of every node from one netlink socket, frames from one packet socket, both in the
/// fabric, so that no observer keeps a dead node's namespace alive. What daemons say of themselves
/// is not asked.
final class Observer {
    /// How often one look reads on while more arrives, so that a flood does not keep the supervisor
    /// from its other work.
    private static let maximumRounds = 64

    private let fabric: Fabric
    private let loop: EventLoop
    private let timeline: TimelineRecorder
    private let monitor: RouteMonitor
    private let capture: PacketCapture
    /// What imposters send, by network.
    private var imposters: [InterfaceName: ImposterCapture] = [:]
    private let socket: RouteSocket
    private let lateness: Lateness
    private var view: KernelView
    /// The first process of a node, from which its namespace is entered after a loss.
    var process: (String) -> Int32? = { _ in nil }
    /// The fabric's ports, by index, that deliver frames. A new port seems to forward before it
    /// does.
    private(set) var operationalPorts: Set<Int32> = []
    /// Called when ``operationalPorts`` has changed.
    var onPortChange: () -> Void = {}
    /// When the power of a node was cut that the kernel has not buried yet.
    private var cuts: [String: MonotonicInstant] = [:]
    private var frameListeners: [Int: (PacketCapture.Frame, DeploymentPlan.Port) -> Void] = [:]
    private var nextListener = 0

    /// Begins to listen, in the calling thread's network namespace: the fabric.
    ///
    /// - Throws: ``NetlinkError``, ``SystemError``.
    init(_ fabric: Fabric, timeline: TimelineRecorder, loop: EventLoop) throws {
        self.fabric = fabric
        self.timeline = timeline
        self.loop = loop
        monitor = try RouteMonitor(
            [.links, .addresses, .routes, .neighbours], allNamespaces: true)
        capture = try PacketCapture(filter: CaptureFilter.program)
        socket = try RouteSocket()
        lateness = Lateness(loop)
        view = KernelView(fabric.plan)
        try loop.add(monitor.descriptor, .readable) { [self] _ in readMonitor() }
        try loop.add(capture.descriptor.rawValue, .readable) { [self] _ in readCapture() }
    }

    /// The interfaces of a node as its kernel has them, by index.
    func interfaces(of node: String) -> [Int32: KernelView.InterfaceState] {
        view.interfaces(of: node)
    }

    /// Takes in what has already arrived, so that an event that the supervisor causes itself is not
    /// put before one that came first.
    func catchUp() {
        readMonitor()
        readCapture()
        for capture in imposters.values { capture.catchUp() }
    }

    /// Leaves out what a node sends from now on: its power is cut, and its port with it, which
    /// frames pass only after they are captured. That the kernel still has to bury its processes,
    /// and lets them send meanwhile, is no business of the lab's.
    func disregard(_ node: String) { cuts[node] = MonotonicClock.now }

    /// Listens to a node again, now that nothing of it runs: what is still sent is worth knowing.
    func regard(_ node: String) {
        guard cuts[node] != nil else { return }
        readCapture()
        cuts[node] = nil
    }

    /// Forgets a node that is gone: the kernel tells nothing about a namespace that it has dropped.
    func forget(_ node: String) {
        let now = MonotonicClock.now
        for kind in view.forget(node) { timeline.record(kind, at: now, stamp: .origin) }
    }

    // MARK: Kernel

    private func readMonitor() {
        var hasLost = false
        do {
            for _ in 0..<Self.maximumRounds {
                let notifications = try monitor.drain()
                let now = MonotonicClock.now
                let uncertainty = lateness.look(at: now)
                if notifications.isEmpty { break }
                for notification in notifications {
                    if case .overrun = notification.kind { hasLost = true }
                    handle(notification, at: now, uncertainty)
                }
            }
        } catch {
            StandardError.print("notifications of the kernel are lost: \(error)")
        }
        // What was queued before the loss is older than what is read now.
        if hasLost { resynchronise() }
    }

    private func handle(
        _ notification: Netlink.Notification, at time: MonotonicInstant, _ uncertainty: Duration
    ) {
        guard let id = notification.namespaceID else { return handleFabric(notification.kind) }
        guard let node = fabric.node(ofNamespace: id) else { return }
        for kind in view.take(notification.kind, of: node) {
            timeline.record(kind, at: time, stamp: .receipt, uncertainty: uncertainty)
        }
    }

    private func handleFabric(_ kind: Netlink.Notification.Kind) {
        let before = operationalPorts
        switch kind {
        case .link(let link) where link.isOperational: operationalPorts.insert(link.index)
        case .link(let link), .linkRemoved(let link): operationalPorts.remove(link.index)
        case .addressAdded, .addressRemoved, .routeAdded, .routeRemoved, .ruleAdded, .ruleRemoved,
            .neighbour, .neighbourRemoved, .bridgePort, .overrun:
            break
        }
        if operationalPorts != before { onPortChange() }
    }

    // After a loss the truth is read from the kernel, and only the difference becomes events.
    private func resynchronise() {
        let begin = MonotonicClock.now
        timeline.record(
            .lost(.init(.notifications, resynchronised: TimelineEvent.Loss.Subject.allCases)),
            at: begin, stamp: .origin)
        for link in (try? socket.links()) ?? [] { handleFabric(.link(link)) }
        for node in fabric.connectedNodes {
            // A node that is going down tells nothing more.
            guard let pid = process(node), let snapshot = try? snapshot(ofNodeOf: pid) else {
                continue
            }
            let now = MonotonicClock.now
            for kind in view.take(snapshot, of: node) {
                timeline.record(kind, at: now, stamp: .receipt, uncertainty: now - begin)
            }
        }
    }

    private func snapshot(ofNodeOf pid: Int32) throws -> KernelView.Snapshot {
        try NetworkNamespace.of(pid: pid).run {
            let socket = try RouteSocket()
            return KernelView.Snapshot(
                links: try socket.links(), addresses: try socket.addresses(),
                routes: try socket.routes(.v4, table: Self.everyTable)
                    + socket.routes(.v6, table: Self.everyTable),
                neighbours: try socket.neighbours())
        }
    }

    /// RT_TABLE_UNSPEC.
    private static let everyTable: UInt32 = 0

    // MARK: Wire

    private func readCapture() {
        do {
            for _ in 0..<Self.maximumRounds {
                let frames = try capture.drain()
                for frame in frames { handle(frame) }
                if frames.count < PacketCapture.maximumFramesPerDrain { break }
            }
            let drops = try capture.drops()
            if drops > 0 { timeline.record(.lost(.init(.frames, count: drops))) }
        } catch {
            StandardError.print("captured frames are lost: \(error)")
        }
    }

    private func handle(_ frame: PacketCapture.Frame) {
        // A frame is seen again on the bridge itself; it belongs to the port it entered by.
        guard let port = fabric.port(index: frame.interfaceIndex) else { return }
        if let cut = cuts[port.node], frame.time > cut { return }
        if let kind = CapturedFrame.event(frame.bytes, port: port) {
            timeline.record(
                kind, at: frame.time, stamp: .kernel, uncertainty: frame.uncertainty,
                frame: frame.bytes)
        }
        for number in frameListeners.keys { frameListeners[number]?(frame, port) }
    }

    /// Calls `listener` with every frame that enters the fabric from now on, whole and of whatever
    /// protocol.
    ///
    /// - Returns: what ``removeFrameListener(_:)`` takes.
    /// - Throws: ``SystemError`` when the kernel refuses the filter.
    func addFrameListener(
        _ listener: @escaping (PacketCapture.Frame, DeploymentPlan.Port) -> Void
    ) throws(SystemError) -> Int {
        if frameListeners.isEmpty { try setFilters(CaptureFilter.everything) }
        nextListener += 1
        frameListeners[nextListener] = listener
        return nextListener
    }

    func removeFrameListener(_ number: Int) {
        guard frameListeners.removeValue(forKey: number) != nil, frameListeners.isEmpty else {
            return
        }
        do {
            try setFilters(CaptureFilter.program)
        } catch {
            StandardError.print("all frames are still captured: \(error)")
        }
    }

    // MARK: Imposters

    /// Notes that imposters' ports were made or removed: each is captured apart, and seen nowhere
    /// else.
    ///
    /// - Throws: ``SystemError`` when the kernel refuses a socket or a filter.
    func standsChanged() throws(SystemError) {
        for (network, capture) in imposters where fabric.stands[network] == nil {
            capture.finish()
            imposters[network] = nil
        }
        for (network, stand) in fabric.stands where imposters[network] == nil {
            let name = ImposterName.name(on: network)
            imposters[network] = try ImposterCapture(
                of: stand.port.index, filter: filter, loop: loop
            ) { [unowned self] in
                handle($0)
            } onLoss: { [unowned self] count in
                timeline.record(.lost(.init(.flood, count: count, node: name)))
            }
        }
        try setFilters(filter)
    }

    /// What of the frames is wanted now.
    private var filter: [FilterInstruction] {
        frameListeners.isEmpty ? CaptureFilter.program : CaptureFilter.everything
    }

    private func setFilters(_ filter: [FilterInstruction]) throws(SystemError) {
        // What an imposter sends is seen at its port, again on the bridge, and what it is sent at
        // the other end of its cable.
        let devices = fabric.stands.values.flatMap {
            [$0.port.index, $0.outer.index, $0.bridge.index]
        }
        try capture.setFilter(CaptureFilter.besides(devices.sorted(), filter))
        for capture in imposters.values { try capture.setFilter(filter) }
    }
}
