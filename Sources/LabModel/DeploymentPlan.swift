public import NetworkTypes

/// What has to be created for a lab: devices with their names, indices and addresses, in an order
/// that works.
///
/// It follows from the lab alone, so that the same lab is built the same way every time: two runs'
/// captures differ only where behaviour did. In the lab's fabric namespace are the bridges and one
/// port for every interface of a node; the port's other end is that interface.
public struct DeploymentPlan: Codable, Equatable, Sendable {
    /// The bridges, networks' first, then those of point-to-point links.
    public var bridges: [Bridge]
    /// The veth pairs, by node and interface in the order of the lab.
    public var ports: [Port]
    /// The interfaces that are macvlans of the host's, by node and interface in the order of the
    /// lab.
    public var hostPorts: [HostPort]
    /// The ports of the lab's own stations, by network in the order of the lab; in place of a
    /// node's name they have ``GatewayName``'s.
    public var gateways: [Port]
    /// The nodes, in the order of the lab.
    public var nodes: [NodePlan]

    /// The most ports the kernel gives a bridge (`BR_MAX_PORTS` less port number 0,
    /// net/bridge/br_private.h).
    public static let maximumPortsPerBridge = 1023

    /// A bridge in the fabric.
    public struct Bridge: Codable, Equatable, Sendable {
        /// Its device name: the network's name, or `p2pN` for link N.
        public var name: InterfaceName
        /// Its interface index in the fabric, from 2 (1 is `lo`).
        public var index: Int32
        public var mac: MACAddress
        /// Nil for the kernel's 1500.
        public var mtuBytes: Int?
        /// Whether it joins the two ends of a link: it forwards everything then, link-local groups
        /// too, and learns nothing.
        public var isPointToPoint: Bool

        public init(
            name: InterfaceName, index: Int32, mac: MACAddress, mtuBytes: Int? = nil,
            isPointToPoint: Bool = false
        ) {
            self.name = name
            self.index = index
            self.mac = mac
            self.mtuBytes = mtuBytes
            self.isPointToPoint = isPointToPoint
        }
    }

    /// A veth pair: a port in the fabric, and a node's interface.
    public struct Port: Codable, Equatable, Sendable {
        /// The device's name in the fabric: `NODE.INTERFACE`, or its beginning and a hash.
        public var name: InterfaceName
        /// Its interface index in the fabric.
        public var index: Int32
        /// The Ethernet address of the fabric's end.
        public var mac: MACAddress
        /// The bridge it is a port of.
        public var bridge: InterfaceName
        /// The node at the other end.
        public var node: String
        /// The interface's name in the node.
        public var interface: InterfaceName
        /// Its index in the node: from 2, in the order of the node's interfaces.
        public var interfaceIndex: Int32
        /// Its Ethernet address.
        public var interfaceMAC: MACAddress
        /// The MTU of both ends; nil for the kernel's 1500.
        public var mtuBytes: Int?

        public init(
            name: InterfaceName, index: Int32, mac: MACAddress, bridge: InterfaceName,
            node: String, interface: InterfaceName, interfaceIndex: Int32,
            interfaceMAC: MACAddress, mtuBytes: Int? = nil
        ) {
            self.name = name
            self.index = index
            self.mac = mac
            self.bridge = bridge
            self.node = node
            self.interface = interface
            self.interfaceIndex = interfaceIndex
            self.interfaceMAC = interfaceMAC
            self.mtuBytes = mtuBytes
        }
    }

    /// A node's interface that is a macvlan of one of the host's.
    public struct HostPort: Codable, Equatable, Sendable {
        /// The host's interface.
        public var parent: InterfaceName
        /// The interface in the node.
        public var interface: NodeInterface
        /// Its MTU; nil for that of ``parent``.
        public var mtuBytes: Int?

        public init(parent: InterfaceName, interface: NodeInterface, mtuBytes: Int? = nil) {
            self.parent = parent
            self.interface = interface
            self.mtuBytes = mtuBytes
        }
    }

    /// A node's interface, whatever it is plugged into.
    public struct NodeInterface: Codable, Equatable, Sendable {
        public var node: String
        /// The device's name in the node.
        public var name: InterfaceName
        /// Its index in the node: from 2, in the order of the node's interfaces.
        public var index: Int32
        public var mac: MACAddress

        public init(node: String, name: InterfaceName, index: Int32, mac: MACAddress) {
            self.node = node
            self.name = name
            self.index = index
            self.mac = mac
        }

        /// Where it is, as faults name it.
        public var endpoint: Endpoint { Endpoint(node: node, interface: name) }
    }

    /// What is set up in a node.
    public struct NodePlan: Codable, Equatable, Sendable {
        /// The node's name, which is its hostname.
        public var name: String
        /// The addresses, by interface index.
        public var addresses: [Address]
        /// The routes in an order in which each gateway is reachable when its route is added.
        public var routes: [Route]

        /// An address of an interface.
        public struct Address: Codable, Equatable, Sendable {
            public var interface: InterfaceName
            /// The interface's index in the node.
            public var interfaceIndex: Int32
            public var address: InterfaceAddress

            public init(
                interface: InterfaceName, interfaceIndex: Int32, address: InterfaceAddress
            ) {
                self.interface = interface
                self.interfaceIndex = interfaceIndex
                self.address = address
            }
        }

        public init(name: String, addresses: [Address] = [], routes: [Route] = []) {
            self.name = name
            self.addresses = addresses
            self.routes = routes
        }
    }

    /// The plan of `lab`.
    ///
    /// - Throws: A diagnostic with the lab's name as its file, when a network has more interfaces
    ///   than a bridge has ports, or an interface is plugged into nothing the lab has. Neither
    ///   happens to a lab that `Lab.decode` made.
    public init(_ lab: Lab) throws(Diagnostic) {
        var builder = PlanBuilder(lab: lab)
        try builder.build()
        bridges = builder.bridges
        ports = builder.ports
        hostPorts = builder.hostPorts
        gateways = builder.gateways
        nodes = lab.nodes.map { NodePlan(planning: $0) }
    }

    /// The greatest interface index in the fabric; what is made later has greater ones.
    public var greatestIndex: Int32 {
        (ports.map(\.index) + gateways.map(\.index) + bridges.map(\.index)).max() ?? 1
    }

    /// The port of a node's interface; nil for one that is a macvlan of the host's, too.
    public func port(of node: String, interface: InterfaceName) -> Port? {
        ports.first { $0.node == node && $0.interface == interface }
    }

    /// A node's interface.
    public func interface(_ name: InterfaceName, of node: String) -> NodeInterface? {
        port(of: node, interface: name)?.nodeInterface
            ?? hostPorts.map(\.interface).first { $0.node == node && $0.name == name }
    }

    /// All interfaces of nodes; those of one node are not in their order.
    public var interfaces: [NodeInterface] {
        ports.map(\.nodeInterface) + hostPorts.map(\.interface)
    }

    /// The nodes' /etc/hosts.
    public var hostsFiles: HostsFiles { HostsFiles(nodes) }

    /// The texts of /etc/hosts: in each the loopback addresses, the node itself, then all other
    /// nodes in the order of the lab, each with the first of its addresses of either family. A
    /// node without any stands for itself under Debian's 127.0.1.1.
    ///
    /// What one node says of another is worded once: a thousand have a million such lines.
    public struct HostsFiles: Sendable {
        private let nodes: [(name: String, lines: String)]

        fileprivate init(_ nodes: [NodePlan]) {
            self.nodes = nodes.map { node in
                (node.name, node.firstAddresses.map { "\($0) \(node.name)\n" }.joined())
            }
        }

        /// The text of a node's file.
        public func text(for node: String) -> String {
            var text = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
            for own in nodes where own.name == node {
                text += own.lines.isEmpty ? "127.0.1.1 \(node)\n" : own.lines
            }
            for other in nodes where other.name != node { text += other.lines }
            return text
        }
    }
}

extension DeploymentPlan.Port {
    /// The interface at its other end.
    public var nodeInterface: DeploymentPlan.NodeInterface {
        .init(node: node, name: interface, index: interfaceIndex, mac: interfaceMAC)
    }
}

extension DeploymentPlan.NodePlan {
    fileprivate init(planning node: Node) {
        name = node.name
        addresses = node.interfaces.enumerated().flatMap { position, interface in
            interface.addresses.map {
                Address(
                    interface: interface.name, interfaceIndex: Int32(position + 2), address: $0)
            }
        }
        // The kernel wants a gateway to be reachable without another gateway, so these two rounds
        // are all there is to the order.
        routes = node.routes.filter { $0.gateway == nil } + node.routes.filter { $0.gateway != nil }
    }

    /// The first address of each family that others can use as it stands.
    fileprivate var firstAddresses: [IPAddress] {
        [IPAddress.Family.v4, .v6].compactMap { family in
            addresses.first {
                $0.address.address.family == family && !$0.address.address.isLinkLocal
            }?
            .address.address
        }
    }
}
