import CLinux
import Glibc
public import NetworkTypes

/// A device to be made on top of another, with a place of its own on the same link.
public struct VirtualLink: Hashable, Sendable {
    public var kind: Kind
    public var name: InterfaceName
    /// The device below.
    public var base: Device
    /// Its Ethernet address; an ipvlan has its base's.
    public var address: MACAddress?

    /// Whether an ipvlan reaches others on its base: `IPVLAN_F_*`, 0 for yes.
    public var ipvlanFlags: UInt16 = 0

    /// What ``Link/macvlanMode`` is of one made here.
    public static let privateMode = MACVLAN_MODE_PRIVATE.rawValue

    /// How frames are told apart that are for it.
    public enum Kind: String, Hashable, Sendable {
        /// By its own Ethernet address; in private mode, which also takes frames that come from
        /// that very address: those of another virtual router's master.
        case macvlan
        /// By their IP addresses, in layer 2 mode.
        case ipvlan
    }

    public init(
        _ kind: Kind, name: InterfaceName, base: Device, address: MACAddress? = nil
    ) {
        self.kind = kind
        self.name = name
        self.base = base
        self.address = address
    }
}

extension Request {
    /// Makes a macvlan or an ipvlan, down. A kind that the kernel does not have is EOPNOTSUPP.
    ///
    /// Like `ip link add link BASE name NAME address MAC type macvlan mode private`.
    public static func add(_ link: VirtualLink) throws(NetlinkError) -> Request {
        var words = "ip link add link \(link.base) name \(link.name)"
        if let address = link.address { words += " address \(address)" }
        words += " type \(link.kind.rawValue) mode \(link.kind == .macvlan ? "private" : "l2")"
        let operation = words
        return try Request(operation) { () throws(LibNLError) in
            let message = try LibNLMessage(
                type: CInt(RTM_NEWLINK), flags: NLM_F_CREATE | NLM_F_EXCL)
            try message.append(ifinfomsg())
            try message.put(IFLA_LINK, link.base.index)
            try message.put(IFLA_IFNAME, link.name.text)
            if let address = link.address { try message.put(IFLA_ADDRESS, address.octets) }
            try message.nest(IFLA_LINKINFO) { () throws(LibNLError) in
                try message.put(IFLA_INFO_KIND, link.kind.rawValue)
                try message.nest(IFLA_INFO_DATA) { () throws(LibNLError) in
                    switch link.kind {
                    case .macvlan:
                        try message.put(IFLA_MACVLAN_MODE, VirtualLink.privateMode)
                    case .ipvlan:
                        try message.put(IFLA_IPVLAN_MODE, UInt16(IPVLAN_MODE_L2.rawValue))
                        try message.put(IFLA_IPVLAN_FLAGS, link.ipvlanFlags)
                    }
                }
            }
            return message
        }
    }

    /// Keeps the kernel from giving a device a link-local address of its own (RFC 9568 §7.4: none
    /// may be made of the virtual router's Ethernet address). Comes before the device is set up,
    /// and cannot be part of the request that makes it.
    ///
    /// Like `ip link set dev DEV addrgenmode none`.
    public static func withoutLinkLocalAddress(
        _ device: Device
    ) throws(NetlinkError) -> Request {
        try Request("ip link set dev \(device) addrgenmode none") { () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(RTM_NEWLINK))
            var header = ifinfomsg()
            header.ifi_index = device.index
            try message.append(header)
            try message.nest(IFLA_AF_SPEC) { () throws(LibNLError) in
                try message.nest(Int(AF_INET6)) { () throws(LibNLError) in
                    try message.put(
                        Int(IFLA_INET6_ADDR_GEN_MODE), UInt8(IN6_ADDR_GEN_MODE_NONE.rawValue))
                }
            }
            return message
        }
    }
}
