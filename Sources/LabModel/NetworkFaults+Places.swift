public import NetworkTypes

// Which switch a cable's end is plugged into: its own network's, another one's, or none.

extension NetworkFaults {
    /// Where a cable is plugged in that is not where the lab has it.
    public enum Place: Hashable, Sendable, CustomStringConvertible {
        /// In the switch of another network.
        case network(InterfaceName)
        /// Nowhere: the carrier is gone.
        case nowhere

        /// As a status says it: `plugged into dmz`, `unplugged`.
        public var description: String {
            switch self {
            case .network(let name): "plugged into \(name)"
            case .nowhere: "unplugged"
            }
        }
    }

    /// What an interface is connected with now; nil where its cable is in no switch.
    public func attachment(of endpoint: Endpoint, in lab: Lab) -> Interface.Attachment? {
        switch places[endpoint] {
        case .network(let name): .network(name)
        case .nowhere: nil
        case nil:
            lab.node(endpoint.node)?.interfaces.first { $0.name == endpoint.interface }?.attachment
        }
    }

    /// The plan as it is cabled now: a port that is plugged in elsewhere is a port of that bridge.
    /// One that is in none is still one of its own, but down.
    public func cabled(_ plan: DeploymentPlan) -> DeploymentPlan {
        guard !places.isEmpty else { return plan }
        var plan = plan
        for index in plan.ports.indices {
            let port = plan.ports[index]
            let endpoint = Endpoint(node: port.node, interface: port.interface)
            if case .network(let name) = places[endpoint] { plan.ports[index].bridge = name }
        }
        return plan
    }

    /// How a cable flaps; nil when it does not.
    public func flap(of endpoint: Endpoint) -> Flap? {
        if case .flapping(let flap) = cables[endpoint] { flap } else { nil }
    }

    /// Whether not a frame passes because the cable is pulled, by whatever of its ends.
    public func isPulled(_ endpoint: Endpoint) -> Bool {
        cables[endpoint] == .down || places[endpoint] == .nowhere
    }
}

extension Lab {
    /// The fault as it is there: who is plugged into his own network is plugged in where he
    /// belongs.
    public func normalized(_ fault: Fault) -> Fault {
        guard case .plug(let endpoint, let network?) = fault else { return fault }
        let own = node(endpoint.node)?.interfaces.first { $0.name == endpoint.interface }
        return own?.attachment == .network(network) ? .plug(endpoint, nil) : fault
    }
}
