import CLibNL
import CLinux
import Glibc
public import NetworkTypes

/// What the kernel knows or is told about an address (`IFA_F_*`).
public struct AddressFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IPv4: not the first of its network on the interface; goes when the first goes.
    public static let secondary = AddressFlags(rawValue: 0x01)
    /// IPv6: in use at once, without asking whether another station has it (RFC 4862 §5.4).
    public static let noDuplicateDetection = AddressFlags(rawValue: 0x02)
    /// IPv6: another station has it.
    public static let duplicate = AddressFlags(rawValue: 0x08)
    /// Not to be used for new connections.
    public static let deprecated = AddressFlags(rawValue: 0x20)
    /// IPv6: duplicate address detection has not ended; not to be used yet.
    public static let tentative = AddressFlags(rawValue: 0x40)
    /// Has no lifetime that ends.
    public static let permanent = AddressFlags(rawValue: 0x80)
    /// No route to its network is added with it.
    public static let noPrefixRoute = AddressFlags(rawValue: 0x200)

    /// The words of `ip address`, each after a space.
    var words: String {
        (contains(.noDuplicateDetection) ? " nodad" : "")
            + (contains(.noPrefixRoute) ? " noprefixroute" : "")
    }
}

extension Request {
    /// Gives a device an address.
    ///
    /// Like `ip address add ADDRESS/LENGTH dev DEV label LABEL scope SCOPE broadcast ADDRESS`.
    ///
    /// - Parameters:
    ///   - label: an alias of at most 15 bytes, for the old tools; IPv4 only.
    ///   - scope: nil for the kernel's choice, host for 127/8 and global otherwise.
    ///   - broadcast: nil for none.
    /// - Throws: ``NetlinkError`` with `outOfRange` for too long a label.
    public static func add(
        _ address: InterfaceAddress, to device: Device, label: String? = nil, scope: Scope? = nil,
        broadcast: IPv4Address? = nil, flags: AddressFlags = []
    ) throws(NetlinkError) -> Request {
        var operation = "ip address add \(address) dev \(device)"
        if let label { operation += " label \(label)" }
        if let scope { operation += " scope \(scope)" }
        if let broadcast { operation += " broadcast \(broadcast)" }
        return try Request(operation + flags.words) { () throws(LibNLError) in
            let assigned = try LibNLInterfaceAddress()
            try assigned.describe(address, on: device)
            if let label { try checked(rtnl_addr_set_label(assigned.pointer, label)) }
            if let scope { rtnl_addr_set_scope(assigned.pointer, CInt(scope.rawValue)) }
            if let broadcast {
                let octets = try LibNLAddress(family: AF_INET, broadcast.octets)
                try checked(rtnl_addr_set_broadcast(assigned.pointer, octets.pointer))
            }
            if !flags.isEmpty { rtnl_addr_set_flags(assigned.pointer, flags.rawValue) }
            return try LibNLMessage { result in
                rtnl_addr_build_add_request(assigned.pointer, NLM_F_CREATE | NLM_F_EXCL, result)
            }
        }
    }

    /// Takes an address from a device.
    ///
    /// Like `ip address delete ADDRESS/LENGTH dev DEV`. Without the address the kernel says
    /// EADDRNOTAVAIL.
    public static func remove(
        _ address: InterfaceAddress, from device: Device
    ) throws(NetlinkError) -> Request {
        try Request("ip address delete \(address) dev \(device)") { () throws(LibNLError) in
            let assigned = try LibNLInterfaceAddress()
            try assigned.describe(address, on: device)
            return try LibNLMessage { rtnl_addr_build_delete_request(assigned.pointer, 0, $0) }
        }
    }
}

extension IPAddress.Family {
    /// The number the kernel knows the family by.
    var number: CInt {
        switch self {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    }
}

extension LibNLAddress {
    init(_ address: IPAddress, prefixLength: Int? = nil) throws(LibNLError) {
        try self.init(
            family: address.family.number, address.octets, prefixLength: prefixLength)
    }
}

extension LibNLInterfaceAddress {
    /// The parts that name an address: libnl takes family and prefix length from the address.
    fileprivate func describe(
        _ address: InterfaceAddress, on device: Device
    ) throws(LibNLError) {
        let local = try LibNLAddress(address.address, prefixLength: address.prefixLength)
        rtnl_addr_set_ifindex(pointer, device.index)
        try checked(rtnl_addr_set_local(pointer, local.pointer))
    }
}
