import CLibNL
import CLinux
import Glibc
public import NetworkTypes

/// A macvlan in bridge mode to be made: a station of its own on the network of the device below,
/// whose frames get to others on the same device without leaving the machine. What is left nil, the
/// kernel chooses.
public struct Macvlan: Hashable, Sendable {
    public var name: InterfaceName
    /// The device below, in the namespace of whoever asks.
    public var base: Device
    public var address: MACAddress
    /// Nil for the base's.
    public var mtuBytes: Int?
    /// Where it is made; nil for where the base is.
    public var namespace: NamespaceReference?

    public init(
        name: InterfaceName, base: Device, address: MACAddress, mtuBytes: Int? = nil,
        namespace: NamespaceReference? = nil
    ) {
        self.name = name
        self.base = base
        self.address = address
        self.mtuBytes = mtuBytes
        self.namespace = namespace
    }
}

extension Request {
    /// Makes a macvlan, down. A kernel without is EOPNOTSUPP, a base that is a bridge's port EBUSY.
    ///
    /// It has no index to be asked for: the kernel would look for a device of that index where the
    /// request is made, and not where the device is made (rtnl_newlink, net/core/rtnetlink.c). Nor
    /// may its name be one that is there. ``move(_:to:name:index:)`` gives both.
    ///
    /// Like `ip link add link BASE name NAME address MAC netns NAMESPACE type macvlan mode bridge`.
    public static func add(_ link: Macvlan) throws(NetlinkError) -> Request {
        var words = "ip link add link \(link.base) name \(link.name) address \(link.address)"
        if let mtu = link.mtuBytes { words += " mtu \(mtu)" }
        if let namespace = link.namespace { words += " netns \(namespace)" }
        let operation = words + " type macvlan mode bridge"
        return try Request(operation) { () throws(LibNLError) in
            let message = try LibNLMessage(
                type: CInt(RTM_NEWLINK), flags: NLM_F_CREATE | NLM_F_EXCL)
            try message.append(ifinfomsg())
            try message.put(IFLA_LINK, link.base.index)
            try message.put(IFLA_IFNAME, link.name.text)
            try message.put(IFLA_ADDRESS, link.address.octets)
            if let mtu = link.mtuBytes { try message.put(IFLA_MTU, UInt32(clamping: mtu)) }
            if let namespace = link.namespace { try message.put(namespace) }
            try message.putMacvlan(mode: MACVLAN_MODE_BRIDGE.rawValue)
            return message
        }
    }

    /// Moves a device into another namespace, where it gets that name and index. It takes a grace
    /// period of the kernel's: what can be made in place is.
    ///
    /// Like `ip link set dev DEV netns NAMESPACE name NAME`, and Linux 5.12's IFLA_NEW_IFINDEX.
    public static func move(
        _ device: Device, to namespace: NamespaceReference, name: InterfaceName, index: Int32
    ) throws(NetlinkError) -> Request {
        try Request("ip link set dev \(device) netns \(namespace) name \(name) index \(index)") {
            () throws(LibNLError) in
            let message = try LibNLMessage.changing(device)
            try message.put(namespace)
            try message.put(IFLA_IFNAME, name.text)
            try message.put(IFLA_NEW_IFINDEX, index)
            return message
        }
    }

    /// Lets a macvlan be as if it had a cable and that were pulled, or plugged in again: it has no
    /// carrier, so nothing leaves it; and it takes frames from no source, so nothing gets in.
    ///
    /// Like `ip link set dev DEV protodown on type macvlan mode source`, and back:
    /// `protodown off type macvlan mode bridge`.
    public static func setMacvlan(
        _ device: Device, isPulled: Bool
    ) throws(NetlinkError) -> Request {
        let words = isPulled ? "on type macvlan mode source" : "off type macvlan mode bridge"
        return try Request("ip link set dev \(device) protodown \(words)") {
            () throws(LibNLError) in
            let message = try LibNLMessage.changing(device)
            try message.put(IFLA_PROTO_DOWN, UInt8(isPulled ? 1 : 0))
            try message.putMacvlan(
                mode: isPulled ? MACVLAN_MODE_SOURCE.rawValue : MACVLAN_MODE_BRIDGE.rawValue)
            return message
        }
    }
}

extension LibNLMessage {
    fileprivate static func changing(_ device: Device) throws(LibNLError) -> LibNLMessage {
        let message = try LibNLMessage(type: CInt(RTM_NEWLINK))
        var header = ifinfomsg()
        header.ifi_index = device.index
        try message.append(header)
        return message
    }

    fileprivate func put(_ namespace: NamespaceReference) throws(LibNLError) {
        switch namespace {
        case .descriptor(let number): try put(IFLA_NET_NS_FD, UInt32(number))
        case .process(let pid): try put(IFLA_NET_NS_PID, UInt32(pid))
        }
    }

    fileprivate func putMacvlan(mode: UInt32) throws(LibNLError) {
        try nest(IFLA_LINKINFO) { () throws(LibNLError) in
            try put(IFLA_INFO_KIND, "macvlan")
            try nest(IFLA_INFO_DATA) { () throws(LibNLError) in
                try put(IFLA_MACVLAN_MODE, mode)
            }
        }
    }
}
