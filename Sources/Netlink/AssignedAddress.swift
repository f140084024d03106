import CLinux
import Glibc
public import NetworkTypes

/// An address on a network device, as the kernel describes it.
public struct AssignedAddress: Hashable, Sendable {
    /// The device that has it.
    public var interfaceIndex: Int32
    public var address: InterfaceAddress
    /// The other end's address, on a point-to-point interface that has one.
    public var peer: IPAddress?
    /// The alias it was given, or the device's name; IPv4 only.
    public var label: String?
    public var scope: Scope
    public var broadcast: IPv4Address?
    public var flags: AddressFlags

    /// An address of which nothing else is known.
    public init(
        _ address: InterfaceAddress, interfaceIndex: Int32, flags: AddressFlags = .permanent
    ) {
        self.address = address
        self.interfaceIndex = interfaceIndex
        self.flags = flags
        scope = .universe
    }

    /// Reads RTM_NEWADDR and RTM_DELADDR; nil for other messages, other families and malformed
    /// ones.
    init?(_ message: NetlinkMessage) {
        guard Int(message.type) == RTM_NEWADDR || Int(message.type) == RTM_DELADDR,
            let header = message.header(as: ifaddrmsg.self)
        else { return nil }
        let attributes = message.attributes(after: ifaddrmsg.self)
        func address(_ type: Int) -> IPAddress? {
            attributes.address(type, family: header.ifa_family)
        }
        // IFA_ADDRESS is the other end's where the two differ; IPv6 gives IFA_LOCAL only then.
        guard let local = address(IFA_LOCAL) ?? address(IFA_ADDRESS),
            Int(header.ifa_prefixlen) <= local.bitWidth
        else { return nil }
        interfaceIndex = Int32(truncatingIfNeeded: header.ifa_index)
        self.address = InterfaceAddress(local, prefixLength: Int(header.ifa_prefixlen))
        peer = address(IFA_ADDRESS).flatMap { $0 == local ? nil : $0 }
        label = attributes.text(IFA_LABEL)
        scope = Scope(rawValue: header.ifa_scope)
        if case .v4(let address) = address(IFA_BROADCAST) { broadcast = address }
        flags = AddressFlags(
            rawValue: attributes.number(IFA_FLAGS, as: UInt32.self) ?? UInt32(header.ifa_flags))
    }
}

extension Attributes {
    /// The address in that attribute; nil without it, or when it does not have the family's size.
    func address(_ type: Int, family: UInt8) -> IPAddress? {
        guard let octets = bytes(type), let address = IPAddress(octets: octets),
            address.family.number == CInt(family)
        else { return nil }
        return address
    }
}
