public import NetworkTypes

/// An LVS service (`virtual_server`): kept as written, since forwarding it is not our business.
public struct VirtualServer: Hashable, Sendable {
    /// What clients connect to.
    public enum Target: Hashable, Sendable {
        /// An address, and a port unless all ports are meant.
        case address(IPAddress, port: UInt16?)
        /// Packets with a firewall mark.
        case firewallMark(UInt32)
        /// A `virtual_server_group`.
        case group(String)
    }

    /// One of the machines behind it.
    public struct RealServer: Hashable, Sendable {
        /// Its address.
        public var address: IPAddress
        /// Its port; nil: the virtual server's.
        public var port: UInt16?
        /// Its settings, checkers left out.
        public var options: [Option]
        /// How its health is checked.
        public var checkers: [Option]
        /// Where it stands.
        public var position: SourcePosition
    }

    /// A keyword with its values and the keywords in its block.
    public struct Option: Hashable, Sendable {
        /// The keyword: `lb_algo`, `TCP_CHECK`.
        public var keyword: String
        /// The values on its line.
        public var values: [String]
        /// The keywords of its block.
        public var options: [Option]
        /// Where it stands.
        public var position: SourcePosition

        /// The first value of the last option of that keyword: the one that counts.
        public func value(of keyword: String) -> String? {
            options.last { $0.keyword == keyword }?.values.first
        }
    }

    /// What clients connect to.
    public var target: Target
    /// Its settings, real servers left out.
    public var options: [Option]
    /// The machines behind it.
    public var realServers: [RealServer]
    /// Where it stands.
    public var position: SourcePosition

    /// The first value of the last option of that keyword: the one that counts.
    public func value(of keyword: String) -> String? {
        options.last { $0.keyword == keyword }?.values.first
    }
}
