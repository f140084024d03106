import CLinux
import Glibc
public import NetworkTypes

/// A network device, as the kernel describes it.
public struct Link: Hashable, Sendable {
    public var index: Int32
    public var name: String
    /// Whether it was set up (IFF_UP).
    public var isUp: Bool
    /// Whether it has carrier (IFF_LOWER_UP): for a veth, whether both ends are up.
    public var hasCarrier: Bool
    /// Whether frames pass (IFLA_OPERSTATE is UP): some milliseconds after a carrier that is new,
    /// when the kernel has given the device its queue and a bridge lets the port forward. Until
    /// then frames vanish. `lo` never says so.
    public var isOperational: Bool
    /// Whether a daemon holds it down (IFLA_PROTO_DOWN): a macvlan then has no carrier.
    public var isHeldDown: Bool
    /// The index of the bridge it is a port of.
    public var masterIndex: Int32?
    public var address: MACAddress?
    public var mtuBytes: Int
    /// What sort of network it is on.
    public var flags: Flags
    /// The sort of its hardware (ARPHRD_ of linux/if_arp.h): 1 Ethernet, 772 the loopback.
    public var hardwareType: UInt16
    /// `bridge`, `veth`...; nil for devices without a kind, such as `lo`.
    public var kind: String?
    /// What the bridge it is a port of lets through it.
    public var portState: BridgePortState?
    /// The mode of a macvlan (`MACVLAN_MODE_*`).
    public var macvlanMode: UInt32?
    /// The index of a veth's other end, or of the device below a macvlan and its like, in that
    /// one's own namespace.
    public var peerIndex: Int32?
    /// The number of the namespace that the other end is in; nil when it is in the same one.
    public var peerNamespaceID: Int32?

    /// What a device can do whatever state it is in, by the kernel's numbers (netdevice(7)).
    public struct Flags: OptionSet, Hashable, Sendable {
        public var rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// IFF_BROADCAST.
        public static let broadcast = Flags(rawValue: 0x2)
        /// IFF_LOOPBACK.
        public static let loopback = Flags(rawValue: 0x8)
        /// IFF_POINTOPOINT.
        public static let pointToPoint = Flags(rawValue: 0x10)
        /// IFF_NOARP.
        public static let noARP = Flags(rawValue: 0x80)
        /// IFF_MULTICAST.
        public static let multicast = Flags(rawValue: 0x1000)

        static let known: Flags = [.broadcast, .loopback, .pointToPoint, .noARP, .multicast]
    }

    /// A device of which nothing else is known: Ethernet, and of the usual size.
    public init(
        index: Int32, name: String, isUp: Bool = true, hasCarrier: Bool = true,
        address: MACAddress? = nil, kind: String? = nil
    ) {
        self.index = index
        self.name = name
        self.isUp = isUp
        self.hasCarrier = hasCarrier
        isOperational = isUp && hasCarrier
        isHeldDown = false
        self.address = address
        mtuBytes = 1500
        flags = [.broadcast, .multicast]
        hardwareType = 1
        self.kind = kind
    }

    /// The device, to make requests about it.
    public var device: Device { Device(index: index, name: InterfaceName(name)) }

    /// Reads RTM_NEWLINK and RTM_DELLINK; nil for other messages and for one that is cut short.
    init?(_ message: NetlinkMessage) {
        guard Int(message.type) == RTM_NEWLINK || Int(message.type) == RTM_DELLINK,
            let header = message.header(as: ifinfomsg.self),
            // The bridge tells of its ports in messages of the same type but of its own family: a
            // port that leaves its bridge would look like a device that is gone.
            CInt(header.ifi_family) == AF_UNSPEC
        else { return nil }
        let attributes = message.attributes(after: ifinfomsg.self)
        guard let name = attributes.text(IFLA_IFNAME) else { return nil }
        index = header.ifi_index
        self.name = name
        isUp = header.ifi_flags & upFlag != 0
        hasCarrier = header.ifi_flags & Self.lowerUpFlag != 0
        isOperational = attributes.number(IFLA_OPERSTATE, as: UInt8.self) == Self.operationalUp
        isHeldDown = attributes.number(IFLA_PROTO_DOWN, as: UInt8.self) == 1
        masterIndex = attributes.number(IFLA_MASTER)
        address = attributes.bytes(IFLA_ADDRESS).flatMap { octets in
            octets.count == 6 ? MACAddress(octets: octets) : nil
        }
        mtuBytes = Int(attributes.number(IFLA_MTU, as: UInt32.self) ?? 0)
        flags = Flags(rawValue: header.ifi_flags).intersection(.known)
        hardwareType = header.ifi_type
        let information = attributes.nested(IFLA_LINKINFO)
        kind = information.text(IFLA_INFO_KIND)
        if information.text(IFLA_INFO_SLAVE_KIND) == "bridge" {
            portState = information.nested(IFLA_INFO_SLAVE_DATA).number(IFLA_BRPORT_STATE)
                .flatMap { BridgePortState(rawValue: $0) }
        }
        if kind == "macvlan" {
            macvlanMode = information.nested(IFLA_INFO_DATA).number(IFLA_MACVLAN_MODE)
        }
        peerIndex = attributes.number(IFLA_LINK)
        peerNamespaceID = attributes.number(IFLA_LINK_NETNSID)
    }

    // IFF_LOWER_UP and IF_OPER_UP: only in <linux/if.h>, which cannot be included beside
    // <net/if.h>.
    private static let lowerUpFlag: UInt32 = 1 << 16
    private static let operationalUp: UInt8 = 6
}

/// A device in its role as a bridge's port, as the bridge describes it.
public struct BridgePort: Hashable, Sendable {
    /// The device's index.
    public var index: Int32
    public var name: String
    /// The bridge's index.
    public var masterIndex: Int32
    public var state: BridgePortState

    /// Reads RTM_NEWLINK of family AF_BRIDGE; nil for other messages, for the bridge itself and for
    /// malformed ones.
    init?(_ message: NetlinkMessage) {
        guard Int(message.type) == RTM_NEWLINK, let header = message.header(as: ifinfomsg.self),
            CInt(header.ifi_family) == AF_BRIDGE
        else { return nil }
        let attributes = message.attributes(after: ifinfomsg.self)
        guard let name = attributes.text(IFLA_IFNAME),
            let masterIndex: Int32 = attributes.number(IFLA_MASTER),
            let number: UInt8 = attributes.nested(IFLA_PROTINFO).number(IFLA_BRPORT_STATE),
            let state = BridgePortState(rawValue: number)
        else { return nil }
        index = header.ifi_index
        self.name = name
        self.masterIndex = masterIndex
        self.state = state
    }
}
