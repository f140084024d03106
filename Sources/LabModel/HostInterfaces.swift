public import NetworkTypes

extension Network {
    /// The host's interface that its nodes' are macvlans of; nil for a network of the lab's own.
    public var parent: InterfaceName? {
        if case .macvlan(let macvlan)? = external { macvlan.parent } else { nil }
    }
}

extension Lab {
    /// The host's interfaces that nodes of the lab have macvlans of, in the order of its networks.
    public var parents: [InterfaceName] { networks.compactMap(\.parent) }

    /// Which of its nodes' interfaces are macvlans of the host's.
    public var hostInterfaces: HostInterfaces {
        guard !parents.isEmpty else { return HostInterfaces() }
        return HostInterfaces(
            parents: networks.map { ($0.name.text, $0.parent) },
            interfaces: nodes.flatMap { node in
                node.interfaces.compactMap { interface in
                    guard case .network(let network) = interface.attachment else { return nil }
                    return (Endpoint(node: node.name, interface: interface.name), network.text)
                }
            })
    }
}

/// Which interfaces of a lab's nodes are macvlans of the host's, on which networks; and what cannot
/// be done to them, since there is no switch of the lab's that would do it.
public struct HostInterfaces: Equatable, Sendable {
    /// The host's interface of each such network.
    private var parents: [String: InterfaceName] = [:]
    /// The network that each such interface of a node is on.
    private var networks: [Endpoint: String] = [:]

    /// None.
    public init() {}

    /// - Parameters:
    ///   - parents: the networks with the host's interface that each is on; nil for the lab's own.
    ///   - interfaces: those of the nodes, with their networks.
    init(parents: [(String, InterfaceName?)], interfaces: [(Endpoint, String)]) {
        for case (let network, let parent?) in parents { self.parents[network] = parent }
        for (endpoint, network) in interfaces where self.parents[network] != nil {
            networks[endpoint] = network
        }
    }

    /// The host's interface that a node's is a macvlan of; nil for one in a switch of the lab's.
    public func parent(of endpoint: Endpoint) -> InterfaceName? {
        networks[endpoint].flatMap { parents[$0] }
    }

    /// Those of a node's interfaces that are macvlans of the host's, with what they are those of.
    func parents(of node: String, _ names: [InterfaceName]) -> [InterfaceName: InterfaceName] {
        if parents.isEmpty { return [:] }
        let pairs = names.compactMap { name in
            parent(of: Endpoint(node: node, interface: name)).map { (name, $0) }
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// Why a fault cannot be applied where there is no switch of the lab's; nil when it can.
    public func problem(with fault: Fault) -> String? {
        if parents.isEmpty { return nil }
        switch fault {
        // What is done to the interface itself, and what mends.
        case .linkDown, .linkUp, .flap, .plug(_, nil), .limit, .clock, .heal: return nil
        case .blackhole(let endpoint, _), .unplug(let endpoint), .impair(let endpoint, _):
            return problem(with: endpoint)
        case .plug(let endpoint, let network?):
            return problem(with: endpoint)
                ?? parents[network.text].map {
                    "network \(network) is that of the host's \($0) and has no switch to plug a "
                        + "cable into"
                }
        case .imposter(let network, let imposture):
            guard !imposture.isNone, let parent = parents[network.text] else { return nil }
            return "network \(network) is that of the host's \(parent), where no imposter stands"
        case .partition(let groups):
            return problem { one, other in
                let mine = groups.filter { $0.contains(one) }
                return !mine.isEmpty && groups.contains { $0.contains(other) }
                    && !mine.contains { $0.contains(other) }
            }
        case .cut(let senders, let receivers):
            return problem { senders.contains($0) && receivers.contains($1) }
        }
    }

    private func problem(with endpoint: Endpoint) -> String? {
        parent(of: endpoint).map {
            "\(endpoint) is a macvlan of the host's \($0), and no switch of the lab's is there to "
                + "lose, delay or lead away its frames: 'down' and 'flap' are what a link there "
                + "can do"
        }
    }

    /// Why two nodes cannot be kept from each other that share such a network; nil where no two
    /// such are to be.
    private func problem(between areToBeParted: (String, String) -> Bool) -> String? {
        let ends = networks.sorted { $0.key.description < $1.key.description }
        for (one, network) in ends {
            for (other, its) in ends where its == network && areToBeParted(one.node, other.node) {
                let parent = parents[network].map { "that of the host's \($0)" } ?? ""
                return "nodes \(one.node) and \(other.node) are both on network \(network), "
                    + "\(parent), which no switch of the lab's can part"
            }
        }
        return nil
    }
}
