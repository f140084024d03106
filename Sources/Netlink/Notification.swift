import CLinux

/// Something that changed in a network namespace.
public struct Notification: Hashable, Sendable {
    /// The number of the namespace it happened in (``Request/setNamespaceID(_:of:)``); nil for the
    /// monitor's own.
    public var namespaceID: Int32?
    public var kind: Kind

    /// What changed.
    public enum Kind: Hashable, Sendable {
        /// A device got an address, or one of its addresses changed, as IPv6 ones do when
        /// duplicate address detection ends.
        case addressAdded(AssignedAddress)
        /// A device lost an address.
        case addressRemoved(AssignedAddress)
        /// A device is new or something about it changed.
        case link(Link)
        /// A device is gone, or moved to another namespace.
        case linkRemoved(Link)
        /// A bridge has a new port, or something about one changed: the only word there is of a
        /// change of its state. One that leaves its bridge is a ``link(_:)`` without master.
        case bridgePort(BridgePort)
        case routeAdded(Route)
        case routeRemoved(Route)
        case ruleAdded(Rule)
        case ruleRemoved(Rule)
        /// Something about a neighbour is new.
        case neighbour(Neighbour)
        case neighbourRemoved(Neighbour)
        /// The kernel had to drop notifications of any kind and namespace: what is known must be
        /// read anew.
        case overrun
    }

    public init(namespaceID: Int32?, kind: Kind) {
        self.namespaceID = namespaceID
        self.kind = kind
    }

    /// What one datagram from the kernel says. Messages that are malformed, and those about
    /// anything else, are left out.
    public static func parse(_ datagram: [UInt8], namespaceID: Int32? = nil) -> [Notification] {
        NetlinkMessage.messages(in: datagram).compactMap { message in
            Kind(message).map { Notification(namespaceID: namespaceID, kind: $0) }
        }
    }
}

extension Notification.Kind {
    init?(_ message: NetlinkMessage) {
        let kind: Self? =
            switch Int(message.type) {
            case RTM_NEWADDR: AssignedAddress(message).map(Self.addressAdded)
            case RTM_DELADDR: AssignedAddress(message).map(Self.addressRemoved)
            case RTM_NEWLINK:
                Link(message).map(Self.link) ?? BridgePort(message).map(Self.bridgePort)
            case RTM_DELLINK: Link(message).map(Self.linkRemoved)
            case RTM_NEWROUTE: Route(message).map(Self.routeAdded)
            case RTM_DELROUTE: Route(message).map(Self.routeRemoved)
            case RTM_NEWRULE: Rule(message).map(Self.ruleAdded)
            case RTM_DELRULE: Rule(message).map(Self.ruleRemoved)
            case RTM_NEWNEIGH: Neighbour(message).map(Self.neighbour)
            case RTM_DELNEIGH: Neighbour(message).map(Self.neighbourRemoved)
            default: nil
            }
        guard let kind else { return nil }
        self = kind
    }
}
