public import NetworkTypes

/// How a network of a lab is joined to what is outside of it.
public enum ExternalNetwork: Codable, Equatable, Sendable {
    /// Its nodes get out by the host's own addresses, as docker's bridge networks do; nobody gets
    /// in.
    case nat(NAT)
    /// Its nodes are stations of the network that an interface of the host is on: each of theirs is
    /// a macvlan of it, in bridge mode, as of docker's macvlan networks.
    case macvlan(Macvlan)

    /// What is said of a network that the host's interface is on.
    public struct Macvlan: Codable, Equatable, Sendable {
        /// The host's interface.
        public var parent: InterfaceName

        public init(parent: InterfaceName) { self.parent = parent }
    }

    /// What is said of a network that is NATed.
    public struct NAT: Codable, Equatable, Sendable {
        /// Whether the host is made to forward packets (net.ipv4.ip_forward) while the lab is up,
        /// where it does not.
        public var enablesForwarding: Bool
        /// The name servers of the nodes on it; nil for the host's.
        public var nameServers: [IPAddress]?

        public init(enablesForwarding: Bool = false, nameServers: [IPAddress]? = nil) {
            self.enablesForwarding = enablesForwarding
            self.nameServers = nameServers
        }
    }
}
