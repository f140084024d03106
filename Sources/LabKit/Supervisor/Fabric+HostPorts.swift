import Glibc
import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

// Interfaces of nodes that are macvlans of the host's. There is no switch of the lab's between them
// and the host's network, so the little that can be broken about them is broken in the node: its
// root could mend it.

extension Fabric {
    /// How long a macvlan of the same address may take to go whose node has just ended.
    private static let burialPatience = Duration.seconds(3)
    private static let burialPauseMicroseconds: UInt32 = 2000

    /// The name of a macvlan that is not where it belongs yet. No interface of a host is called so.
    static func unplacedName(_ number: Int) -> InterfaceName {
        guard let name = InterfaceName("labctl~\(number)") else {
            preconditionFailure("a valid name")
        }
        return name
    }

    /// A node's macvlans, in the order of its interfaces.
    func hostPorts(of node: String) -> [DeploymentPlan.HostPort] {
        plan.hostPorts.filter { $0.interface.node == node }
    }

    /// Makes a node's macvlans, down.
    ///
    /// They are made in a namespace that is there for no longer than this call, so that no moment
    /// is the wrong one to be killed at: the kernel deletes a macvlan with its namespace, wherever
    /// that is. From there they are moved to where they belong, with the index that they have to
    /// have.
    ///
    /// - Parameter pid: the node's first process, in the supervisor's PID namespace.
    /// - Throws: ``NetlinkError``, ``SystemError``; ``LabError`` where the host's interface is
    ///   gone.
    func makeHostPorts(of node: String, pid: Int32) throws {
        let ports = hostPorts(of: node)
        guard let hostNamespace, !ports.isEmpty else { return }
        let host = NetworkNamespace(try hostNamespace.duplicate())
        let attic = try NetworkNamespace.create()
        let place = NamespaceReference.descriptor(attic.rawValue)
        try host.run {
            let socket = try RouteSocket()
            for (number, port) in ports.enumerated() {
                guard let parent = try socket.link(named: port.parent) else {
                    throw LabError.machine("this machine's \(port.parent) is gone")
                }
                try socket.perform(
                    .add(
                        Macvlan(
                            name: Self.unplacedName(number), base: parent.device,
                            address: port.interface.mac, mtuBytes: port.mtuBytes,
                            namespace: place)))
            }
        }
        try attic.run {
            let socket = try RouteSocket()
            for (number, port) in ports.enumerated() {
                let name = Self.unplacedName(number)
                guard let link = try socket.link(named: name) else {
                    throw SystemError("find device \(name)", .noSuchFileOrDirectory)
                }
                try socket.perform(
                    .move(
                        link.device, to: .process(pid), name: port.interface.name,
                        index: port.interface.index))
            }
        }
    }

    /// Sets a node's macvlans up, in the calling thread's network namespace: the node's.
    ///
    /// - Throws: ``NetlinkError``, also where another macvlan of the same interface has the address
    ///   and stays.
    func setUpHostPorts(of node: String) throws {
        for port in hostPorts(of: node) {
            let socket = try RouteSocket()
            let request = try Request.set(port.device, .up)
            let deadline = MonotonicClock.now + Self.burialPatience
            while let refusal = try socket.attempt([request]).compactMap(\.self).first {
                // macvlan_open() gives no two of them one address, and the kernel takes a moment
                // to bury the namespace that a node has just left.
                guard [EBUSY, EADDRINUSE].contains(refusal.code.rawValue),
                    MonotonicClock.now < deadline
                else { throw refusal }
                usleep(Self.burialPauseMicroseconds)
            }
            if isDown(port.interface.endpoint) {
                try socket.perform(.setMacvlan(port.device, isPulled: true))
            }
        }
    }

    /// Has a node whose power is cut neither send nor answer by its macvlans any more.
    func silenceHostPorts(of node: String, pid: Int32?) throws {
        guard let pid else { return }
        try changeInside(pid, try hostPorts(of: node).map { try .set($0.device, .down) })
    }

    /// Pulls the cables of macvlans, so to speak, or plugs them in; those of a node that is down
    /// are made as they are to be when it starts.
    func setPulled(_ isPulled: Bool, _ ports: [DeploymentPlan.HostPort]) throws {
        for port in ports {
            let node = port.interface.node
            guard !disconnected.contains(node), let pid = process(node) else { continue }
            try changeInside(pid, [.setMacvlan(port.device, isPulled: isPulled)])
        }
    }

    /// Performs requests in a node, about devices that may be gone with it.
    private func changeInside(_ pid: Int32, _ requests: [Request]) throws {
        guard !requests.isEmpty else { return }
        do {
            let namespace = try NetworkNamespace.of(pid: pid)
            let refusals = try namespace.run { try RouteSocket().attempt(requests) }
            for case let refusal? in refusals where refusal.code.rawValue != ENODEV {
                throw refusal
            }
        } catch let error as SystemError where error.code.rawValue == ESRCH {
            // It has ended.
        }
    }
}

extension DeploymentPlan.HostPort {
    /// The interface, in the node's namespace.
    var device: Device { Device(index: interface.index, name: interface.name) }
}
