public import LabModel
public import NetworkTypes

/// What of a lab can be struck: the nodes that run virtual routers, their services and cables. What
/// is beside them, the clients above all, is left alone: it is what the others are judged by.
public struct Ground: Equatable, Sendable {
    /// The virtual routers.
    public let routers: [VirtualRouterFacts]
    /// The nodes with virtual routers, in the order of the lab file.
    public let nodes: [String]
    /// Every service that those run from their start on.
    public let services: [Target]
    /// The cables that they advertise over, but for those that lead to the host's network: a switch
    /// of the lab's is what strikes them.
    public let cables: [Endpoint]
    /// The networks that those are plugged into.
    public let networks: [InterfaceName]
    /// The other nodes on the routers' networks, in the order of the lab file.
    public let bystanders: [String]
    /// For each virtual address, in order, the nodes that share it, the one with the highest
    /// priority first.
    public let succession: [(address: IPAddress, nodes: [String])]
    /// How long the slowest router waits for a master: what times are drawn in proportion to.
    public let unit: Duration
    /// Whether all of it is on switches of the lab's, so that it can be cut into parts.
    public let canBeParted: Bool

    /// What there is in a lab with those virtual routers.
    public init(_ lab: Lab, routers: [VirtualRouterFacts]) {
        self.routers = routers
        let struck = Set(routers.map(\.node))
        let nodes = lab.nodes.filter { struck.contains($0.name) }
        self.nodes = nodes.map(\.name)
        let outside = lab.hostInterfaces
        canBeParted = lab.parents.isEmpty
        services = nodes.flatMap { node in
            node.services.filter(\.startsWithNode).map {
                Target(node: node.name, service: $0.name)
            }
        }
        cables = nodes.flatMap { node in
            let names = Set(routers.filter { $0.node == node.name }.map(\.interface))
            return node.interfaces.filter { names.contains($0.name.text) }.map {
                Endpoint(node: node.name, interface: $0.name)
            }.filter { outside.parent(of: $0) == nil }
        }
        let networks = Self.networks(of: cables, in: lab)
        self.networks = lab.networks.map(\.name).filter { networks.contains($0.text) }
        bystanders = lab.nodes.filter { node in
            !struck.contains(node.name)
                && node.interfaces.contains { networks.contains($0.attachment.network ?? "") }
        }.map(\.name)
        let addresses = Set(routers.flatMap(\.addresses)).sorted().filter { !$0.isLinkLocal }
        succession = addresses.map { address in
            let sharing = routers.filter { $0.addresses.contains(address) }
            let best = sharing.enumerated().sorted {
                ($1.element.priority, $0.offset) < ($0.element.priority, $1.offset)
            }
            return (address, best.map(\.element.node))
        }
        unit = routers.map(\.masterDownTime).max() ?? .seconds(1)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.routers == right.routers && left.nodes == right.nodes
            && left.services == right.services && left.cables == right.cables
            && left.bystanders == right.bystanders
    }

    private static func networks(of cables: [Endpoint], in lab: Lab) -> Set<String> {
        Set(
            cables.compactMap { cable in
                lab.node(cable.node)?.interfaces.first { $0.name == cable.interface }?
                    .attachment.network
            })
    }
}

extension Interface.Attachment {
    /// The network's name; nil for a link.
    fileprivate var network: String? {
        if case .network(let name) = self { name.text } else { nil }
    }
}

extension IPAddress {
    /// Whether it is IPv6's address of a link, which FRR and VRRPv3 over IPv6 have beside the one
    /// that hosts use.
    var isLinkLocal: Bool { if case .v6(let address) = self { address.isLinkLocal } else { false } }
}

extension VirtualRouterFacts {
    /// Master_Down_Interval as one time.
    var masterDownTime: Duration { masterDownInterval().reduce(.zero) { $0 + $1.duration } }
}
