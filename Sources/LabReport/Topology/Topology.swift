public import LabModel
public import NetworkTypes

/// A lab as it is drawn: who is plugged into what, and, where the lab is up, what each node is
/// doing.
///
/// Every drawing (SVG, DOT, Mermaid, text) is made of this value and of nothing else.
public struct Topology: Equatable, Sendable {
    /// The lab's name.
    public var lab: String
    /// Everything that joins interfaces: networks in the order of the file, then point-to-point
    /// links.
    public var segments: [Segment]
    /// In the order of the lab file.
    public var nodes: [Node]

    /// A network, or a link between two nodes.
    public struct Segment: Equatable, Sendable {
        /// The network's name; `master:eth1 -- slave:eth1` for a link.
        public var name: String
        /// Its subnets; none for a link.
        public var subnets: [IPPrefix]
        /// Whether it joins exactly two interfaces and has no bridge that learns.
        public var isLink: Bool
        /// How it is cut, where it is, and what an imposter does there: `partition a | b c`,
        /// `imposter arp 10.0.0.100`.
        public var fault: String?
        /// How it is joined to the host: `127.0.0.1:8080 -> 10.0.0.100:80`.
        public var outside: [String] = []

        /// Its name, its subnets, what joins it to the host and what is wrong with it.
        var words: [String] {
            [name] + subnets.map(\.description) + outside + (fault.map { ["(\($0))"] } ?? [])
        }
    }

    /// A node with its interfaces.
    public struct Node: Equatable, Sendable {
        public var name: String
        public var ports: [Port]
        /// Its services' names.
        public var services: [String]
        /// What it is doing; nil where the lab is not up.
        public var activity: Activity?
        /// What it lacks, where it lacks something: `cpu 20%`.
        public var fault: String?

        /// What it is doing, and what it lacks.
        var words: [String] {
            (activity?.words ?? []) + (fault.map { ["(\($0))"] } ?? [])
        }
    }

    /// An interface of a node.
    public struct Port: Equatable, Sendable {
        public var interface: InterfaceName
        public var addresses: [InterfaceAddress]
        /// The place in ``Topology/segments`` of what it is plugged into.
        public var segment: Int
        /// What is wrong with its cable, where something is: `down`, `blackhole in`.
        public var fault: String?
    }

    /// What a node of a lab that is up is doing, as kernel and wire show it.
    public struct Activity: Equatable, Sendable {
        public var state: TimelineEvent.NodeState
        /// One for each virtual router that is configured on it.
        public var routers: [Router]
        /// Whether all its processes stand still.
        public var isFrozen: Bool

        public init(
            state: TimelineEvent.NodeState, routers: [Router], isFrozen: Bool = false
        ) {
            self.state = state
            self.routers = routers
            self.isFrozen = isFrozen
        }
    }

    /// A virtual router on a node.
    public struct Router: Equatable, Sendable {
        /// The `vrrp_instance`'s name.
        public var instance: String
        /// `MASTER`, `BACKUP`, or nil while its daemon does not run.
        public var role: String?
        /// The virtual addresses that the node holds.
        public var held: [IPAddress]

        public init(instance: String, role: String?, held: [IPAddress]) {
            self.instance = instance
            self.role = role
            self.held = held
        }
    }

    /// The drawing of a lab.
    ///
    /// - Parameters:
    ///   - activities: what its nodes are doing, by name; empty for a lab that is not up.
    ///   - faults: what is broken in it.
    public init(_ lab: Lab, activities: [String: Activity] = [:], faults: [Fault] = []) {
        self.lab = lab.name
        let network = NetworkFaults(faults)
        let cuts = network.cuts.map(\.description)
        let partition = cuts.isEmpty ? nil : cuts.joined(separator: "; ")
        segments = lab.networks.map {
            Segment(
                name: $0.name.text, subnets: $0.subnets, isLink: false,
                fault: Self.joined(partition, network.impostures[$0.name]),
                outside: Self.outside($0, of: lab))
        }
        segments += lab.links.map { link in
            Segment(
                name: link.endpoints.map(\.description).joined(separator: " -- "), subnets: [],
                isLink: true, fault: partition)
        }
        nodes = lab.nodes.map { node in
            Node(
                name: node.name,
                ports: node.interfaces.map { interface in
                    let endpoint = Endpoint(node: node.name, interface: interface.name)
                    return Port(
                        interface: interface.name, addresses: interface.addresses,
                        // One that is in no switch is drawn where it belongs.
                        segment: Self.segment(
                            of: network.attachment(of: endpoint, in: lab) ?? interface.attachment,
                            in: lab),
                        fault: network.fault(at: endpoint))
                }, services: node.services.map(\.name), activity: activities[node.name],
                fault: network.fault(of: node.name))
        }
    }

    private static func joined(_ partition: String?, _ imposture: Imposture?) -> String? {
        let words = [partition, imposture.map { "imposter \($0)" }].compactMap(\.self)
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }

    private static func outside(_ network: Network, of lab: Lab) -> [String] {
        let published = lab.published.filter { port in
            network.subnets.contains { $0.contains(port.address) }
        }
        let parent = network.parent.map { "the host's \($0)" }
        return (network.isNATed ? ["NAT"] : parent.map { [$0] } ?? [])
            + published.map(\.description)
    }

    private static func segment(of attachment: Interface.Attachment, in lab: Lab) -> Int {
        switch attachment {
        case .link(let index): return lab.networks.count + index
        case .network(let name):
            guard let index = lab.networks.firstIndex(where: { $0.name == name }) else {
                preconditionFailure("a lab's interfaces name networks that it has")
            }
            return index
        }
    }
}

extension Topology.Activity {
    /// The state in a word, and the role of each virtual router: `killed`, `VI_1 MASTER`.
    var words: [String] {
        guard state == .running else { return [state.rawValue] }
        return (isFrozen ? ["frozen"] : [])
            + routers.map { "\($0.instance) \($0.role ?? "not running")" }
    }

    /// The virtual addresses that the node holds.
    var held: [IPAddress] { routers.flatMap(\.held) }

    /// The one role that a drawing's colour shows; nil where routers differ or none runs.
    var commonRole: String? {
        guard state == .running, let role = routers.first?.role,
            routers.allSatisfy({ $0.role == role })
        else { return nil }
        return role
    }
}
