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
    /// IPv6: the home address of a mobile node (RFC 6275).
    public static let home = AddressFlags(rawValue: 0x10)
    /// IPv6: another station has it.
    public static let duplicate = AddressFlags(rawValue: 0x08)
    /// Not to be used for new connections.
    public static let deprecated = AddressFlags(rawValue: 0x20)
    /// IPv6: duplicate address detection has not ended; not to be used yet.
    public static let tentative = AddressFlags(rawValue: 0x40)
    /// Has no lifetime that ends.
    public static let permanent = AddressFlags(rawValue: 0x80)
    /// IPv6: the kernel makes temporary addresses of its prefix (RFC 8981).
    public static let manageTemporaryAddresses = AddressFlags(rawValue: 0x100)
    /// No route to its network is added with it.
    public static let noPrefixRoute = AddressFlags(rawValue: 0x200)
    /// A group: the device joins it.
    public static let autojoin = AddressFlags(rawValue: 0x400)

    /// The words of `ip address`, each after a space.
    var words: String {
        let named: [(AddressFlags, String)] = [
            (.noDuplicateDetection, "nodad"), (.home, "home"),
            (.manageTemporaryAddresses, "mngtmpaddr"), (.noPrefixRoute, "noprefixroute"),
            (.autojoin, "autojoin"),
        ]
        return named.map { contains($0) ? " \($1)" : "" }.joined()
    }
}

extension Request {
    /// Gives a device an address.
    ///
    /// Like `ip address add ADDRESS/LENGTH dev DEV label LABEL scope SCOPE broadcast ADDRESS`.
    ///
    /// - Parameters:
    ///   - peer: the other end of a point-to-point link; the prefix is its network's then.
    ///   - label: an alias of at most 15 bytes, for the old tools; IPv4 only.
    ///   - scope: nil for the kernel's choice, host for 127/8 and global otherwise; IPv6 has no
    ///     choice.
    ///   - broadcast: nil for none.
    ///   - preferredSeconds: how long new connections may have it as their source; 0: never,
    ///     nil: for ever.
    /// - Throws: ``NetlinkError`` with `outOfRange` for too long a label.
    public static func add(
        _ address: InterfaceAddress, to device: Device, peer: IPAddress? = nil,
        label: String? = nil, scope: Scope? = nil, broadcast: IPv4Address? = nil,
        flags: AddressFlags = [], preferredSeconds: UInt32? = nil
    ) throws(NetlinkError) -> Request {
        let words: @Sendable () -> String = {
            var words = "\(address) dev \(device)"
            if let peer { words += " peer \(peer)" }
            if let label { words += " label \(label)" }
            if let scope { words += " scope \(scope)" }
            if let broadcast { words += " broadcast \(broadcast)" }
            words += flags.words
            if let preferredSeconds { words += " preferred_lft \(preferredSeconds)" }
            return words
        }
        return try Request("ip address add \(words())") { () throws(LibNLError) in
            let message = try LibNLMessage(
                type: CInt(RTM_NEWADDR), flags: NLM_F_CREATE | NLM_F_EXCL)
            try message.append(address.header(on: device, scope: scope))
            try message.put(IFA_LOCAL, address.address.octets)
            try message.put(IFA_ADDRESS, (peer ?? address.address).octets)
            if let broadcast { try message.put(IFA_BROADCAST, broadcast.octets) }
            if let label {
                guard label.utf8.count < Int(IFNAMSIZ) else { throw LibNLError(-NLE_RANGE) }
                try message.put(IFA_LABEL, label)
            }
            if !flags.isEmpty { try message.put(IFA_FLAGS, flags.rawValue) }
            if let preferredSeconds {
                let forever = UInt32.max
                let lifetimes = ifa_cacheinfo(
                    ifa_prefered: preferredSeconds, ifa_valid: forever, cstamp: 0, tstamp: 0)
                try message.put(IFA_CACHEINFO, withUnsafeBytes(of: lifetimes) { [UInt8]($0) })
            }
            return message
        }
    }

    /// Takes an address from a device.
    ///
    /// Like `ip address delete ADDRESS/LENGTH dev DEV`. Without the address the kernel says
    /// EADDRNOTAVAIL.
    ///
    /// - Parameter peer: the other end, for an address that has one.
    public static func remove(
        _ address: InterfaceAddress, from device: Device, peer: IPAddress? = nil
    ) throws(NetlinkError) -> Request {
        let words: @Sendable () -> String = { peer.map { " peer \($0)" } ?? "" }
        return try Request("ip address delete \(address) dev \(device)\(words())") {
            () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(RTM_DELADDR))
            try message.append(address.header(on: device, scope: nil))
            try message.put(IFA_LOCAL, address.address.octets)
            try message.put(IFA_ADDRESS, (peer ?? address.address).octets)
            return message
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

extension InterfaceAddress {
    /// The part of a message that names an address.
    fileprivate func header(on device: Device, scope: Scope?) -> ifaddrmsg {
        var isLoopback: Bool {
            if case .v4(let address) = address { address.octets[0] == 127 } else { false }
        }
        return ifaddrmsg(
            ifa_family: UInt8(address.family.number), ifa_prefixlen: UInt8(prefixLength),
            ifa_flags: 0, ifa_scope: (scope ?? (isLoopback ? .host : .universe)).rawValue,
            ifa_index: UInt32(device.index))
    }
}
