import CLibNL
import CLinux
public import NetworkTypes

/// A bridge to be made. What is left nil, the kernel chooses.
public struct Bridge: Hashable, Sendable {
    public var name: InterfaceName
    public var index: Int32?
    /// Given, it stays; otherwise a bridge takes the lowest of its ports' addresses.
    public var address: MACAddress?
    public var mtuBytes: Int?
    /// Whether it is up from the start.
    public var isUp = true
    /// Whether it runs the spanning tree protocol, which keeps every new port silent for 30 s.
    public var runsSpanningTree = false
    /// Whether it sends multicast only to ports that asked for the group, which needs a querier.
    public var snoopsMulticast = false
    /// Whether it passes on what IEEE 802.1Q keeps for the two ends of a cable (LLDP and the like,
    /// 01-80-C2-00-00-03 to -0F). The first three addresses the kernel never forwards
    /// (BR_GROUPFWD_RESTRICTED).
    public var forwardsReservedGroups = false

    public init(
        name: InterfaceName, index: Int32? = nil, address: MACAddress? = nil, mtuBytes: Int? = nil
    ) {
        self.name = name
        self.index = index
        self.address = address
        self.mtuBytes = mtuBytes
    }
}

/// The near end of a veth pair to be made. What is left nil, the kernel chooses.
public struct VethEnd: Hashable, Sendable {
    public var name: InterfaceName
    public var index: Int32?
    public var address: MACAddress?
    public var mtuBytes: Int?
    /// The bridge it becomes a port of.
    public var master: Device?
    /// Whether it is up from the start; it has carrier once the peer is up too.
    public var isUp = true

    public init(
        name: InterfaceName, index: Int32? = nil, address: MACAddress? = nil, mtuBytes: Int? = nil,
        master: Device? = nil
    ) {
        self.name = name
        self.index = index
        self.address = address
        self.mtuBytes = mtuBytes
        self.master = master
    }
}

/// The far end of a veth pair to be made, in whatever namespace. What is left nil, the kernel
/// chooses.
///
/// It is always made down: the kernel refuses a peer with IFF_UP (ENOTCONN), because it would open
/// the device before the two ends know each other. A request in the peer's own namespace sets it
/// up.
public struct VethPeer: Hashable, Sendable {
    public var name: InterfaceName
    public var index: Int32?
    public var address: MACAddress?
    public var mtuBytes: Int?
    /// Where it is made; nil for the namespace of the near end.
    public var namespace: NamespaceReference?

    public init(
        name: InterfaceName, index: Int32? = nil, address: MACAddress? = nil, mtuBytes: Int? = nil,
        namespace: NamespaceReference? = nil
    ) {
        self.name = name
        self.index = index
        self.address = address
        self.mtuBytes = mtuBytes
        self.namespace = namespace
    }
}

/// One thing to change about a network device.
public enum LinkChange: Hashable, Sendable, CustomStringConvertible {
    case up
    case down
    /// The kernel refuses to rename a device that is up unless it is told to allow it.
    case name(InterfaceName)
    case mtuBytes(Int)
    case address(MACAddress)
    /// Becomes a port of that bridge; leaves its bridge for nil.
    case master(Device?)

    /// The words after `ip link set DEV`.
    public var description: String {
        switch self {
        case .up: "up"
        case .down: "down"
        case .name(let name): "name \(name)"
        case .mtuBytes(let mtu): "mtu \(mtu)"
        case .address(let address): "address \(address)"
        case .master(nil): "nomaster"
        case .master(let bridge?): "master \(bridge)"
        }
    }
}

extension Request {
    /// Makes a bridge, up and forwarding at once.
    ///
    /// Like `ip link add BRIDGE up type bridge stp_state 0 mcast_snooping 0 forward_delay 0`.
    public static func add(_ bridge: Bridge) throws(NetlinkError) -> Request {
        var words = words(
            "ip link add", bridge.name, bridge.index, bridge.address, bridge.mtuBytes)
        if bridge.isUp { words += " up" }
        words += " type bridge stp_state \(bridge.runsSpanningTree ? 1 : 0)"
        words += " mcast_snooping \(bridge.snoopsMulticast ? 1 : 0)"
        if !bridge.runsSpanningTree { words += " forward_delay 0" }
        if bridge.forwardsReservedGroups { words += " group_fwd_mask 0xfff8" }
        // Written out, because libnl's bridge links know nothing of the bridge's own settings.
        let operation = words
        return try Request(operation) { () throws(LibNLError) in
            let message = try LibNLMessage(
                type: CInt(RTM_NEWLINK), flags: NLM_F_CREATE | NLM_F_EXCL)
            var header = ifinfomsg()
            header.ifi_index = bridge.index ?? 0
            header.ifi_change = upFlag
            header.ifi_flags = bridge.isUp ? upFlag : 0
            try message.append(header)
            try message.put(IFLA_IFNAME, bridge.name.text)
            if let address = bridge.address { try message.put(IFLA_ADDRESS, address.octets) }
            if let mtu = bridge.mtuBytes { try message.put(IFLA_MTU, UInt32(clamping: mtu)) }
            try message.nest(IFLA_LINKINFO) { () throws(LibNLError) in
                try message.put(IFLA_INFO_KIND, "bridge")
                try message.nest(IFLA_INFO_DATA) { () throws(LibNLError) in
                    try message.put(IFLA_BR_STP_STATE, UInt32(bridge.runsSpanningTree ? 1 : 0))
                    try message.put(IFLA_BR_MCAST_SNOOPING, UInt8(bridge.snoopsMulticast ? 1 : 0))
                    if !bridge.runsSpanningTree {
                        try message.put(IFLA_BR_FORWARD_DELAY, UInt32(0))
                    }
                    if bridge.forwardsReservedGroups {
                        try message.put(IFLA_BR_GROUP_FWD_MASK, UInt16(0xfff8))
                    }
                }
            }
            return message
        }
    }

    /// Makes a veth pair, each end where it belongs, without ever moving one.
    ///
    /// Like `ip link add END master BRIDGE up type veth peer name PEER netns NAMESPACE`.
    public static func add(_ end: VethEnd, peer: VethPeer) throws(NetlinkError) -> Request {
        var words = words("ip link add", end.name, end.index, end.address, end.mtuBytes)
        if let master = end.master { words += " master \(master)" }
        if end.isUp { words += " up" }
        words = Self.words(
            words + " type veth peer name", peer.name, peer.index, peer.address, peer.mtuBytes)
        if let namespace = peer.namespace { words += " netns \(namespace)" }
        let operation = words
        return try Request(operation) { () throws(LibNLError) in
            let near = try LibNLLink.veth()
            try near.describe(end.name, end.index, end.address, end.mtuBytes)
            if let master = end.master { rtnl_link_set_master(near.pointer, master.index) }
            if end.isUp { rtnl_link_set_flags(near.pointer, upFlag) }
            let far = try near.vethPeer()
            try far.describe(peer.name, peer.index, peer.address, peer.mtuBytes)
            switch peer.namespace {
            case .descriptor(let number): rtnl_link_set_ns_fd(far.pointer, number)
            case .process(let pid): rtnl_link_set_ns_pid(far.pointer, pid)
            case nil: break
            }
            return try LibNLMessage { result in
                rtnl_link_build_add_request(near.pointer, NLM_F_CREATE | NLM_F_EXCL, result)
            }
        }
    }

    /// Changes a device in one step, all or nothing as far as the kernel can.
    ///
    /// Like `ip link set DEV up mtu 1400 master BRIDGE`.
    public static func set(
        _ device: Device, _ changes: LinkChange...
    ) throws(NetlinkError) -> Request {
        let words = changes.map { " \($0)" }.joined()
        return try Request("ip link set \(device)\(words)") { () throws(LibNLError) in
            let identity = try LibNLLink()
            rtnl_link_set_ifindex(identity.pointer, device.index)
            let changed = try LibNLLink()
            for change in changes {
                switch change {
                case .up: rtnl_link_set_flags(changed.pointer, upFlag)
                case .down: rtnl_link_unset_flags(changed.pointer, upFlag)
                case .name(let name): rtnl_link_set_name(changed.pointer, name.text)
                case .mtuBytes(let mtu): rtnl_link_set_mtu(changed.pointer, UInt32(clamping: mtu))
                case .address(let address): try changed.setAddress(address)
                case .master(let bridge):
                    rtnl_link_set_master(changed.pointer, bridge?.index ?? 0)
                }
            }
            return try LibNLMessage { result in
                rtnl_link_build_change_request(identity.pointer, changed.pointer, 0, result)
            }
        }
    }

    /// Deletes a device; of a veth pair, both ends go.
    ///
    /// Like `ip link delete DEV`. A whole lab is taken down by dropping its namespaces instead,
    /// which is far quicker.
    public static func delete(_ device: Device) throws(NetlinkError) -> Request {
        try Request("ip link delete \(device)") { () throws(LibNLError) in
            let link = try LibNLLink()
            rtnl_link_set_ifindex(link.pointer, device.index)
            return try LibNLMessage { rtnl_link_build_delete_request(link.pointer, $0) }
        }
    }

    /// Deletes the device of that name, whatever its index; of a veth pair, both ends go.
    ///
    /// Like `ip link delete NAME`.
    public static func deleteLink(named name: InterfaceName) throws(NetlinkError) -> Request {
        try Request("ip link delete \(name)") { () throws(LibNLError) in
            let link = try LibNLLink()
            rtnl_link_set_name(link.pointer, name.text)
            return try LibNLMessage { rtnl_link_build_delete_request(link.pointer, $0) }
        }
    }

    private static func words(
        _ start: String, _ name: InterfaceName, _ index: Int32?, _ address: MACAddress?,
        _ mtuBytes: Int?
    ) -> String {
        var words = "\(start) \(name)"
        if let index { words += " index \(index)" }
        if let address { words += " address \(address)" }
        if let mtuBytes { words += " mtu \(mtuBytes)" }
        return words
    }
}

let upFlag = UInt32(IFF_UP)

extension LibNLLink {
    /// Sets what every new link has. libnl copies the name and counts a reference to the address.
    fileprivate func describe(
        _ name: InterfaceName, _ index: Int32?, _ address: MACAddress?, _ mtuBytes: Int?
    ) throws(LibNLError) {
        rtnl_link_set_name(pointer, name.text)
        if let index { rtnl_link_set_ifindex(pointer, index) }
        if let mtuBytes { rtnl_link_set_mtu(pointer, UInt32(clamping: mtuBytes)) }
        if let address { try setAddress(address) }
    }

    fileprivate func setAddress(_ address: MACAddress) throws(LibNLError) {
        let octets = try LibNLAddress(family: AF_LLC, address.octets)
        rtnl_link_set_addr(pointer, octets.pointer)
    }
}
