import CLinux
import Glibc
public import NetworkTypes

extension Route {
    /// Reads RTM_NEWROUTE and RTM_DELROUTE; nil for other messages, for other families and for
    /// malformed ones.
    init?(_ message: NetlinkMessage) {
        guard Int(message.type) == RTM_NEWROUTE || Int(message.type) == RTM_DELROUTE,
            let header = message.header(as: rtmsg.self),
            let kind = RouteKind(rawValue: header.rtm_type)
        else { return nil }
        let attributes = message.attributes(after: rtmsg.self)
        func address(_ type: rtattr_type_t) -> IPAddress? {
            attributes.address(Int(type.rawValue), family: header.rtm_family)
        }
        func number<Number: FixedWidthInteger & BitwiseCopyable>(
            _ type: rtattr_type_t
        ) -> Number? {
            attributes.number(Int(type.rawValue))
        }
        // The default route comes without a destination.
        let any: IPAddress
        switch CInt(header.rtm_family) {
        case AF_INET: any = .v4(.any)
        case AF_INET6: any = .v6(.any)
        default: return nil
        }
        let base = address(RTA_DST) ?? any
        guard Int(header.rtm_dst_len) <= base.bitWidth else { return nil }
        self.init(
            to: IPPrefix(containing: base, length: Int(header.rtm_dst_len)),
            via: address(RTA_GATEWAY)
                ?? attributes.bytes(Int(RTA_VIA.rawValue)).flatMap(Self.gateway),
            dev: number(RTA_OIF).map { Device(index: $0) })
        self.kind = kind
        preferredSource = address(RTA_PREFSRC)
        metric = number(RTA_PRIORITY)
        table = number(RTA_TABLE) ?? UInt32(header.rtm_table)
        scope = Scope(rawValue: header.rtm_scope)
        typeOfService = header.rtm_tos
        origin = header.rtm_protocol
        isOnLink = header.rtm_flags & UInt32(RTNH_F_ONLINK) != 0
        if let source = address(RTA_SRC), Int(header.rtm_src_len) <= source.bitWidth {
            from = IPPrefix(containing: source, length: Int(header.rtm_src_len))
        }
        nextHops = Self.nextHops(
            (attributes.bytes(Int(RTA_MULTIPATH.rawValue)) ?? [])[...], family: header.rtm_family)
        // Metrics are not read: nobody asks for them.
    }

    /// Reads RTA_VIA: a family and an address of it.
    private static func gateway(_ via: [UInt8]) -> IPAddress? {
        IPAddress(octets: via.dropFirst(2))
    }

    /// Reads RTA_MULTIPATH, up to the first entry that is not whole.
    private static func nextHops(_ bytes: ArraySlice<UInt8>, family: UInt8) -> [NextHop] {
        var hops: [NextHop] = []
        var rest = bytes
        let headerBytes = MemoryLayout<rtnexthop>.size
        while rest.count >= headerBytes {
            let header = rest.withUnsafeBytes { $0.loadUnaligned(as: rtnexthop.self) }
            let length = Int(header.rtnh_len)
            guard (headerBytes...rest.count).contains(length) else { break }
            let attributes = Attributes(in: rest.prefix(length).dropFirst(headerBytes))
            hops.append(
                NextHop(
                    via: attributes.address(Int(RTA_GATEWAY.rawValue), family: family)
                        ?? attributes.bytes(Int(RTA_VIA.rawValue)).flatMap(gateway),
                    dev: Device(index: header.rtnh_ifindex), weight: Int(header.rtnh_hops) + 1,
                    isOnLink: CInt(header.rtnh_flags) & RTNH_F_ONLINK != 0))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return hops
    }
}

/// What this machine knows about the Ethernet address of a station on the link.
public struct Neighbour: Hashable, Sendable {
    public var interfaceIndex: Int32
    public var address: IPAddress
    /// Its Ethernet address; nil while that is asked for or when nobody answered.
    public var macAddress: MACAddress?
    public var state: State

    /// How sure the kernel is (`NUD_*`).
    public struct State: OptionSet, Hashable, Sendable {
        public var rawValue: UInt16

        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let incomplete = State(rawValue: 0x01)
        public static let reachable = State(rawValue: 0x02)
        public static let stale = State(rawValue: 0x04)
        public static let delay = State(rawValue: 0x08)
        public static let probe = State(rawValue: 0x10)
        public static let failed = State(rawValue: 0x20)
        public static let noARP = State(rawValue: 0x40)
        public static let permanent = State(rawValue: 0x80)
    }

    public init(
        _ address: IPAddress, interfaceIndex: Int32, macAddress: MACAddress?, state: State
    ) {
        self.interfaceIndex = interfaceIndex
        self.address = address
        self.macAddress = macAddress
        self.state = state
    }

    /// Reads RTM_NEWNEIGH and RTM_DELNEIGH; nil for other messages, other families (a bridge's
    /// forwarding table) and malformed ones.
    init?(_ message: NetlinkMessage) {
        guard Int(message.type) == RTM_NEWNEIGH || Int(message.type) == RTM_DELNEIGH,
            let header = message.header(as: ndmsg.self)
        else { return nil }
        let attributes = message.attributes(after: ndmsg.self)
        guard let address = attributes.address(NDA_DST, family: header.ndm_family) else {
            return nil
        }
        interfaceIndex = header.ndm_ifindex
        self.address = address
        macAddress = attributes.bytes(NDA_LLADDR).flatMap { octets in
            octets.count == 6 ? MACAddress(octets: octets) : nil
        }
        state = State(rawValue: header.ndm_state)
    }
}
