public import NetworkTypes

/// Lays a lab out in the fabric: names, indices and addresses of bridges and ports.
struct PlanBuilder {
    private let lab: Lab
    private var names = FabricNames()
    private var macs: MACDerivation
    private(set) var bridges: [DeploymentPlan.Bridge] = []
    private(set) var ports: [DeploymentPlan.Port] = []
    private(set) var hostPorts: [DeploymentPlan.HostPort] = []
    private(set) var gateways: [DeploymentPlan.Port] = []
    /// Index 1 is the fabric's `lo`.
    private var nextIndex: Int32 = 2

    init(lab: Lab) {
        self.lab = lab
        macs = MACDerivation(
            lab: lab.name, taken: lab.nodes.flatMap { $0.interfaces.map(\.mac) })
    }

    mutating func build() throws(Diagnostic) {
        // Networks first: their names are the user's and stay as they are; all others give way.
        for network in lab.networks {
            names.reserve(network.name)
            // The host's own needs none.
            if network.parent != nil { continue }
            addBridge(named: network.name, mtu: network.mtuBytes, isPointToPoint: false)
        }
        for (index, _) in lab.links.enumerated() {
            let mtu = lab.nodes.flatMap(\.interfaces).first { $0.attachment == .link(index) }
                .flatMap(\.mtuBytes)
            addBridge(named: names.name("p2p\(index + 1)"), mtu: mtu, isPointToPoint: true)
        }
        var counts: [InterfaceName: Int] = [:]
        for node in lab.nodes {
            for (position, interface) in node.interfaces.enumerated() {
                if let network = hostNetwork(of: interface) {
                    addHostPort(for: interface, at: position, of: node.name, on: network)
                    continue
                }
                let bridge = try bridge(for: interface, of: node.name)
                counts[bridge.name, default: 0] += 1
                addPort(for: interface, at: position, of: node.name, on: bridge)
            }
        }
        for network in lab.networks where network.gateway != nil {
            guard let bridge = bridges.first(where: { $0.name == network.name }) else { continue }
            counts[bridge.name, default: 0] += 1
            addGateway(on: bridge)
        }
        for (bridge, count) in counts.sorted(by: { $0.key < $1.key })
        where count > DeploymentPlan.maximumPortsPerBridge {
            throw problem(
                "bridge \(bridge) would have \(count) ports; Linux allows "
                    + "\(DeploymentPlan.maximumPortsPerBridge)")
        }
    }

    private func problem(_ message: String) -> Diagnostic {
        Diagnostic(file: lab.name, line: 0, column: 0, message: message)
    }

    private mutating func takeIndex() -> Int32 {
        defer { nextIndex += 1 }
        return nextIndex
    }

    private mutating func addBridge(named name: InterfaceName, mtu: Int?, isPointToPoint: Bool) {
        bridges.append(
            DeploymentPlan.Bridge(
                name: name, index: takeIndex(), mac: macs.next(for: ["bridge", name.text, ""]),
                mtuBytes: mtu, isPointToPoint: isPointToPoint))
    }

    private func bridge(
        for interface: Interface, of node: String
    ) throws(Diagnostic) -> DeploymentPlan.Bridge {
        switch interface.attachment {
        case .network(let name):
            if lab.networks.contains(where: { $0.name == name }),
                let bridge = bridges.first(where: { $0.name == name })
            {
                return bridge
            }
            throw problem(
                "interface \(node):\(interface.name) is on no network of the lab: \(name)")
        case .link(let index):
            guard lab.links.indices.contains(index) else {
                throw problem(
                    "interface \(node):\(interface.name) is on no link of the lab: \(index)")
            }
            return bridges[bridges.count - lab.links.count + index]
        }
    }

    private mutating func addPort(
        for interface: Interface, at position: Int, of node: String,
        on bridge: DeploymentPlan.Bridge
    ) {
        ports.append(
            DeploymentPlan.Port(
                name: names.name("\(node).\(interface.name)"), index: takeIndex(),
                mac: macs.next(for: ["port", node, interface.name.text]), bridge: bridge.name,
                node: node, interface: interface.name, interfaceIndex: Int32(position + 2),
                interfaceMAC: interface.mac, mtuBytes: interface.mtuBytes ?? bridge.mtuBytes))
    }

    /// The network of an interface, where that is the host's.
    private func hostNetwork(of interface: Interface) -> Network? {
        guard case .network(let name) = interface.attachment else { return nil }
        return lab.networks.first { $0.name == name && $0.parent != nil }
    }

    private mutating func addHostPort(
        for interface: Interface, at position: Int, of node: String, on network: Network
    ) {
        guard let parent = network.parent else { return }
        hostPorts.append(
            DeploymentPlan.HostPort(
                parent: parent,
                interface: DeploymentPlan.NodeInterface(
                    node: node, name: interface.name, index: Int32(position + 2),
                    mac: interface.mac),
                mtuBytes: interface.mtuBytes ?? network.mtuBytes))
    }

    private mutating func addGateway(on bridge: DeploymentPlan.Bridge) {
        let station = GatewayName.name(on: bridge.name)
        gateways.append(
            DeploymentPlan.Port(
                name: names.name("gw.\(bridge.name)"), index: takeIndex(),
                mac: macs.next(for: ["port", station, ""]), bridge: bridge.name, node: station,
                interface: bridge.name, interfaceIndex: Int32(gateways.count + 2),
                interfaceMAC: macs.next(for: ["gateway", bridge.name.text, ""]),
                mtuBytes: bridge.mtuBytes))
    }
}

/// Device names of the fabric: readable, at most 15 bytes, no two the same.
struct FabricNames {
    private var taken: Set<InterfaceName> = []

    /// Takes a name that cannot change.
    mutating func reserve(_ name: InterfaceName) { taken.insert(name) }

    /// `wanted`, if it fits and is free; else its beginning, `~` and four characters of a hash.
    mutating func name(_ wanted: String) -> InterfaceName {
        if let name = InterfaceName(wanted), taken.insert(name).inserted { return name }
        for attempt in 0... {
            let hash = FNV1a.hash(attempt == 0 ? wanted : "\(wanted)\0\(attempt)")
            let digits = String((hash ^ hash >> 32) % 1_679_616, radix: 36)
            let suffix = "~" + String(repeating: "0", count: 4 - digits.count) + digits
            var start = Substring(wanted)
            while start.utf8.count + suffix.utf8.count > InterfaceName.maximumLengthBytes {
                start.removeLast()
            }
            if let name = InterfaceName(start + suffix), taken.insert(name).inserted {
                return name
            }
        }
        preconditionFailure("a fabric has fewer ports than there are names")
    }
}

/// What a lab has on its host while it is up, where it has something there.
public enum HostDevice {
    /// The end of the cable by which its packets get out: `lab-NAME`, or its beginning and a hash.
    public static func name(of lab: String) -> InterfaceName {
        var names = FabricNames()
        return names.name("lab-\(lab)")
    }

    /// The table of the packet filter: `labctl-NAME`.
    public static func table(of lab: String) -> String { "labctl-\(lab)" }
}
