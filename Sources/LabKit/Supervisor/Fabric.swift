import CLinux
import Glibc
import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// The lab's switches: the bridges of the supervisor's own network namespace and the ports that
/// nodes are plugged into.
///
/// All of it goes with the namespace; nothing is ever deleted one by one, but for the ports of a
/// node that starts again.
final class Fabric {
    let plan: DeploymentPlan
    let socket: RouteSocket
    /// What is broken in the network.
    var faults = NetworkFaults()
    /// What the switches throw away because of it.
    var filter = PortFilter()
    /// The flapping cables that are down for the moment.
    var flapsDown: Set<Endpoint> = []
    /// The cables that are on their way from one switch to another.
    var moving: Set<Endpoint> = []
    /// The nodes whose ports are never set up again: their kernels are at work on their ends.
    private(set) var disconnected: Set<String> = []
    /// What stands, or is to stand, in the place of ports whose cables are impaired.
    var splices: [Endpoint: Splice] = [:]
    /// The host's network namespace, where nodes have macvlans of its interfaces.
    var hostNamespace: SharedDescriptor?
    /// The first process of a node.
    var process: (String) -> Int32? = { _ in nil }
    /// Whether the switches pass frames.
    private(set) var isOn = false
    /// Where imposters stand, by network.
    var stands: [InterfaceName: ImposterStand] = [:]
    /// The number under which a node's namespace is known here; a new one at every start of a node.
    private var namespaceIDs: [String: Int32] = [:]
    private var nodesByNamespace: [Int32: String] = [:]
    private var nextNamespaceID: Int32 = 1
    private let ports: [Int32: DeploymentPlan.Port]
    private let portsByNode: [String: [DeploymentPlan.Port]]
    private let nodePlans: [String: DeploymentPlan.NodePlan]
    private let bridges: [InterfaceName: DeploymentPlan.Bridge]

    /// Prepares the calling thread's network namespace, which must be fresh, and makes the bridges,
    /// which pass nothing before ``turnOn()``.
    ///
    /// - Throws: ``NetlinkError``, ``SystemError``.
    init(_ plan: DeploymentPlan) throws {
        self.plan = plan
        // Whatever is asked of every node is looked up: a lab may have a thousand.
        ports = Dictionary(
            (plan.ports + plan.gateways).map { ($0.index, $0) },
            uniquingKeysWith: { port, _ in port })
        portsByNode = Dictionary(grouping: plan.ports, by: \.node)
        nodePlans = Dictionary(
            plan.nodes.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
        bridges = Dictionary(
            plan.bridges.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
        // A switch has no addresses of its own and sends nothing of its own accord.
        try FileSystem.writeParameter("1", to: "/proc/sys/net/ipv6/conf/default/disable_ipv6")
        try FileSystem.writeParameter("1", to: "/proc/sys/net/ipv6/conf/all/disable_ipv6")
        for table in ["iptables", "ip6tables", "arptables"] {
            // Bridged frames must not pass the packet filters of this namespace; where the kernel
            // has no such hook, there is no such file.
            let path = "/proc/sys/net/bridge/bridge-nf-call-\(table)"
            if FileSystem.exists(path) { try FileSystem.writeParameter("0", to: path) }
        }
        socket = try RouteSocket()
        var requests = [try Request.set(.loopback, .up)]
        for bridge in plan.bridges {
            var device = Netlink.Bridge(
                name: bridge.name, index: bridge.index, address: bridge.mac,
                mtuBytes: bridge.mtuBytes)
            device.isUp = false
            device.forwardsReservedGroups = bridge.isPointToPoint
            requests.append(try .add(device))
        }
        try socket.perform(requests)
    }

    /// Has the bridges pass frames, once all nodes are plugged in.
    ///
    /// A node's kernel says on its own that it is there (multicast listener reports, neighbour and
    /// router solicitations), and a bridge floods that to all: by then, none of a thousand nodes
    /// hears from a thousand others, which takes longer than everything else that a lab needs.
    ///
    /// - Throws: ``NetlinkError``.
    func turnOn() throws {
        try socket.perform(try plan.bridges.map { try .set($0.device, .up) })
        // A bridge's own carrier comes with its first port, and shows up to a second later unless
        // somebody asks (rtnl_getlink, net/core/rtnetlink.c).
        for bridge in plan.bridges { _ = try socket.link(named: bridge.name) }
        isOn = true
    }

    /// The node whose namespace has that number here.
    func node(ofNamespace id: Int32) -> String? { nodesByNamespace[id] }

    /// The number that a node's namespace has here now.
    func namespaceID(of node: String) -> Int32? { namespaceIDs[node] }

    /// The nodes whose namespaces are known here, sorted.
    var connectedNodes: [String] { namespaceIDs.keys.sorted() }

    /// A node's ports, in the order of its interfaces.
    func ports(of node: String) -> [DeploymentPlan.Port] { portsByNode[node] ?? [] }

    /// A node's interfaces, in their order.
    func interfaces(of node: String) -> [DeploymentPlan.NodeInterface] {
        (ports(of: node).map(\.nodeInterface) + hostPorts(of: node).map(\.interface)).sorted {
            $0.index < $1.index
        }
    }

    /// The port that frames with that device index entered by.
    func port(index: Int32) -> DeploymentPlan.Port? {
        ports[index] ?? stands.values.first { $0.port.index == index }?.port
    }

    /// Plugs a node in: makes its links, and its addresses and routes inside.
    ///
    /// - Parameters:
    ///   - pid: its first process, in the supervisor's PID namespace.
    ///   - sysctls: those of `net.`, which are set before the links are made where they can be.
    /// - Throws: ``NetlinkError``, ``SystemError``, naming the object.
    func connect(_ node: Node, pid: Int32) throws {
        let ports = ports(of: node.name)
        let before = namespaceIDs[node.name]
        if let before { nodesByNamespace[before] = nil }
        let id = nextNamespaceID
        nextNamespaceID += 1
        disconnected.remove(node.name)
        let deferred = try NetworkNamespace.of(pid: pid).run {
            try apply(node.sysctls.filter(\.isNetwork))
        }
        if before != nil { try removeLeftOverPorts(ports) }
        // The number comes first: from then on every change inside is told.
        var requests = [try Request.setNamespaceID(id, of: .process(pid))]
        namespaceIDs[node.name] = id
        nodesByNamespace[id] = node.name
        for port in ports {
            // Its queues went with the interface's former life.
            splices[port.endpoint]?.emulation = nil
            requests += try links(port, pid: pid)
        }
        try socket.perform(requests)
        try makeHostPorts(of: node.name, pid: pid)
        try NetworkNamespace.of(pid: pid).run { try configureInside(node, deferred) }
    }

    /// Configures a node's interfaces and routes, in the calling thread's network namespace: the
    /// node's.
    private func configureInside(_ node: Node, _ deferred: [Sysctl]) throws {
        let requests = try insideRequests(node)
        let inside = try RouteSocket()
        // Those of an interface are there with it, and some count only while it is down, as
        // accept_dad does: once up, its link-local address is being looked for already.
        let late = try apply(deferred)
        try setUpHostPorts(of: node.name)
        try inside.perform(requests)
        if let sysctl = try apply(late).first {
            throw SystemError(
                "sysctl \(sysctl.name) on node \(node.name)", .noSuchFileOrDirectory)
        }
    }

    /// Takes a node's switch ports away: from now on not one frame passes, in either direction,
    /// while the node itself sees its carrier stay.
    ///
    /// - Parameter pid: its first process, if it is still there.
    func disconnect(_ node: String, pid: Int32? = nil) throws {
        try silenceHostPorts(of: node, pid: pid)
        disconnected.insert(node)
        var requests: [Request] = []
        // One whose cable is pulled passes nothing already.
        for port in switchPlan.ports where port.node == node && !isDown(port) {
            requests.append(
                try .setBridgePort(
                    Device(index: port.index, name: port.name), .state(.disabled)))
        }
        // A port that is already gone with its node passes nothing either.
        try attemptUnlessGone(requests)
    }

    /// Performs requests about devices that may be gone already.
    func attemptUnlessGone(_ requests: [Request]) throws {
        for case let error? in try socket.attempt(requests) {
            if error.code.rawValue != ENODEV { throw error }
        }
    }

    // A node that died takes its ends of the links with it, and these ours, but only when the
    // kernel gets round to it.
    private func removeLeftOverPorts(_ ports: [DeploymentPlan.Port]) throws {
        try attemptUnlessGone(
            try ports.map { try .delete(Device(index: $0.index, name: $0.name)) })
    }

    /// The bridge that a port's cable is plugged into; nil where it is in none.
    func bridge(of port: DeploymentPlan.Port) -> DeploymentPlan.Bridge? {
        var name = port.bridge
        switch faults.places[port.endpoint] {
        case .nowhere: return nil
        case .network(let other): name = other
        case nil: break
        }
        guard let bridge = bridges[name] else {
            preconditionFailure("the plan has a bridge for every port and every network")
        }
        return bridge
    }

    private func links(_ port: DeploymentPlan.Port, pid: Int32) throws -> [Request] {
        let bridge = bridge(of: port)
        var end = VethEnd(
            name: port.name, index: port.index, address: port.mac, mtuBytes: port.mtuBytes,
            master: bridge?.device)
        // What stands in its place is in the bridge already.
        let splice = splices[port.endpoint].flatMap { $0.isInPlace ? $0 : nil }
        if splice != nil { end.master = nil }
        end.isUp = !isDown(port)
        let peer = VethPeer(
            name: port.interface, index: port.interfaceIndex, address: port.interfaceMAC,
            mtuBytes: port.mtuBytes, namespace: .process(pid))
        var requests = [try Request.add(end, peer: peer)]
        guard let bridge else { return requests }
        if let splice {
            // It was taken out of service with the node.
            requests.append(try .setBridgePort(splice.inner, .state(.forwarding)))
        } else if bridge.isPointToPoint || filter.separated.contains(port.index) {
            // Two stations, so flooding reaches the right one: a cable learns nothing.
            requests.append(
                try .setBridgePort(Device(index: port.index, name: port.name), .learning(false)))
        }
        return requests
    }

    private func insideRequests(_ node: Node) throws -> [Request] {
        guard let nodePlan = nodePlans[node.name] else { return [] }
        var requests = [try Request.set(.loopback, .up)]
        for address in nodePlan.addresses {
            let device = Device(index: address.interfaceIndex, name: address.interface)
            var broadcast: IPv4Address?
            if case .v4 = address.address.address {
                broadcast = address.address.network.broadcast
            }
            // A lab's addresses are known to be unique, so nobody waits a second for duplicate
            // address detection.
            let isV6 = address.address.address.family == .v6
            requests.append(
                try .add(
                    address.address, to: device, broadcast: broadcast,
                    flags: isV6 ? .noDuplicateDetection : []))
        }
        for port in ports(of: node.name) {
            requests.append(
                try .set(Device(index: port.interfaceIndex, name: port.interface), .up))
        }
        for route in nodePlan.routes {
            let family = route.gateway?.family ?? route.destination?.base.family ?? .v4
            let everywhere = IPPrefix(
                containing: family == .v4 ? .v4(.any) : .v6(.any), length: 0)
            let device = route.interface.flatMap { name in
                plan.interface(name, of: node.name)
            }.map { Device(index: $0.index, name: $0.name) }
            requests.append(
                try .add(
                    Netlink.Route(
                        to: route.destination ?? everywhere, via: route.gateway, dev: device)))
        }
        return requests
    }

    /// Writes kernel parameters of the calling thread's network namespace.
    ///
    /// - Returns: those that do not exist (yet: a parameter of an interface comes with it).
    private func apply(_ sysctls: [Sysctl]) throws -> [Sysctl] {
        try sysctls.filter { try !$0.write() }
    }
}

extension Sysctl {
    /// Whether it belongs to a network namespace.
    var isNetwork: Bool { name.hasPrefix("net.") || name.hasPrefix("net/") }

    /// Writes it, for the calling thread's namespaces.
    ///
    /// - Returns: false when there is no such parameter.
    fileprivate func write() throws(SystemError) -> Bool {
        do {
            try FileSystem.writeParameter(value, to: procPath)
            return true
        } catch  where error.code == .noSuchFileOrDirectory {
            return false
        }
    }

    /// Its file. As sysctl(8) reads names: the first separator met decides, and the other one then
    /// stands for a dot inside a part (`net.ipv4.conf.eth0/100.forwarding`).
    var procPath: String {
        let separator = name.first { $0 == "." || $0 == "/" } ?? "."
        guard separator == "." else { return "/proc/sys/\(name)" }
        return "/proc/sys/"
            + String(name.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
    }
}
