import CLinux
import Glibc
public import NetworkTypes

/// A rule of the routing policy: which table is looked up for which packets.
public struct Rule: Hashable, Sendable, CustomStringConvertible {
    public var family: IPAddress.Family
    /// The sources it is for; nil for all.
    public var from: IPPrefix?
    /// The destinations it is for; nil for all.
    public var to: IPPrefix?
    /// Rules are tried from the lowest number up; nil: one before the lowest there is.
    public var priority: UInt32?
    /// The table that is looked up, where the action is that.
    public var table = Route.mainTable
    public var action = Action.lookup
    /// Whether it holds for what does not match.
    public var isInverted = false
    /// The type of service it is for; 0 for any.
    public var typeOfService: UInt8 = 0
    /// The mark it is for.
    public var mark: UInt32?
    /// The bits of the mark that count; nil for all.
    public var markMask: UInt32?
    /// The device packets came by.
    public var inputDevice: InterfaceName?
    /// The device that a sending socket is bound to.
    public var outputDevice: InterfaceName?
    /// What the lookup found does not count when its prefix is this long or shorter.
    public var suppressedPrefixLength: UInt32?
    /// What the lookup found does not count when its device is in this group.
    public var suppressedGroup: UInt32?
    /// The realm given to packets.
    public var realms: UInt32?
    /// The tunnel that packets came by.
    public var tunnelID: UInt64?
    /// Whose packets it is for.
    public var users: ClosedRange<UInt32>?
    /// Whether the table of the packets' VRF is looked up.
    public var looksUpVRF = false
    /// The protocol over IP that it is for; nil for all.
    public var ipProtocol: UInt8?
    /// The ports of the source that it is for; nil for all.
    public var sourcePorts: ClosedRange<UInt16>?
    /// The ports of the destination that it is for; nil for all.
    public var destinationPorts: ClosedRange<UInt16>?
    /// Who made it (`RTPROT_*`); nil to leave it unsaid, or when deleting whoever made it.
    public var origin: UInt8?

    /// What is done with a packet that matches (`FR_ACT_*`).
    public enum Action: Hashable, Sendable {
        case lookup
        /// Goes on with the rule of that priority.
        case goto(UInt32)
        case nop
        case blackhole
        case unreachable
        case prohibit

        fileprivate var number: Int {
            switch self {
            case .lookup: FR_ACT_TO_TBL
            case .goto: FR_ACT_GOTO
            case .nop: FR_ACT_NOP
            case .blackhole: FR_ACT_BLACKHOLE
            case .unreachable: FR_ACT_UNREACHABLE
            case .prohibit: FR_ACT_PROHIBIT
            }
        }

        fileprivate init?(number: UInt8, target: UInt32?) {
            switch Int(number) {
            case FR_ACT_TO_TBL: self = .lookup
            case FR_ACT_GOTO: self = .goto(target ?? 0)
            case FR_ACT_NOP: self = .nop
            case FR_ACT_BLACKHOLE: self = .blackhole
            case FR_ACT_UNREACHABLE: self = .unreachable
            case FR_ACT_PROHIBIT: self = .prohibit
            default: return nil
            }
        }
    }

    /// A rule for everything of a family, which looks up the main table.
    public init(_ family: IPAddress.Family) { self.family = family }

    /// The words after `ip rule add`.
    public var description: String {
        var words = isInverted ? "not " : ""
        words += "from \(from.map(String.init(describing:)) ?? "all")"
        if let to { words += " to \(to)" }
        if typeOfService != 0 { words += " tos 0x\(String(typeOfService, radix: 16))" }
        if let mark { words += " fwmark 0x\(String(mark, radix: 16))" }
        if let markMask { words += "/0x\(String(markMask, radix: 16))" }
        if let inputDevice { words += " iif \(inputDevice)" }
        if let outputDevice { words += " oif \(outputDevice)" }
        if let tunnelID { words += " tunnel-id \(tunnelID)" }
        if let users { words += " uidrange \(users.lowerBound)-\(users.upperBound)" }
        if let ipProtocol { words += " ipproto \(ipProtocol)" }
        if let ports = sourcePorts { words += " sport \(ports.lowerBound)-\(ports.upperBound)" }
        if let ports = destinationPorts {
            words += " dport \(ports.lowerBound)-\(ports.upperBound)"
        }
        if let priority { words += " priority \(priority)" }
        switch action {
        case .lookup where looksUpVRF: words += " l3mdev"
        case .lookup: words += " lookup \(table)"
        case .goto(let priority): words += " goto \(priority)"
        case .nop, .blackhole, .unreachable, .prohibit: words += " \(action)"
        }
        if let suppressedPrefixLength {
            words += " suppress_prefixlength \(suppressedPrefixLength)"
        }
        if let suppressedGroup { words += " suppress_ifgroup \(suppressedGroup)" }
        if let realms { words += " realms \(realms)" }
        if let origin { words += " protocol \(origin)" }
        return words
    }
}

extension Request {
    /// Adds a rule; EEXIST when there is one like it.
    ///
    /// Like `ip rule add from PREFIX lookup TABLE`.
    public static func add(_ rule: Rule) throws(NetlinkError) -> Request {
        try change(rule, "add", RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Removes the first rule that agrees in everything given; ENOENT when there is none.
    ///
    /// Like `ip rule delete from PREFIX lookup TABLE`.
    public static func delete(_ rule: Rule) throws(NetlinkError) -> Request {
        try change(rule, "delete", RTM_DELRULE, 0)
    }

    private static func change(
        _ rule: Rule, _ verb: String, _ type: Int, _ flags: CInt
    ) throws(NetlinkError) -> Request {
        try Request("ip \(rule.family == .v6 ? "-6 " : "")rule \(verb) \(rule)") {
            () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(type), flags: flags)
            try message.append(rule.header)
            try message.put(rule)
            return message
        }
    }
}

extension Rule {
    private var looksUp: Bool { action == .lookup }

    fileprivate var header: fib_rule_hdr {
        var header = fib_rule_hdr()
        header.family = UInt8(family.number)
        header.src_len = UInt8(from?.length ?? 0)
        header.dst_len = UInt8(to?.length ?? 0)
        header.tos = typeOfService
        header.table = looksUp && !looksUpVRF ? UInt8(exactly: table) ?? 0 : 0
        header.action = UInt8(action.number)
        header.flags = isInverted ? UInt32(FIB_RULE_INVERT) : 0
        return header
    }

    /// Reads RTM_NEWRULE and RTM_DELRULE; nil for other messages, for other families, for actions
    /// that are not known here and for malformed ones.
    init?(_ message: NetlinkMessage) {
        guard Int(message.type) == RTM_NEWRULE || Int(message.type) == RTM_DELRULE,
            let header = message.header(as: fib_rule_hdr.self)
        else { return nil }
        let attributes = message.attributes(after: fib_rule_hdr.self)
        switch CInt(header.family) {
        case AF_INET: self.init(.v4)
        case AF_INET6: self.init(.v6)
        default: return nil
        }
        func number(_ type: Int) -> UInt32? { attributes.number(type) }
        guard let action = Action(number: header.action, target: number(FRA_GOTO)) else {
            return nil
        }
        func prefix(_ type: Int, _ length: UInt8) -> IPPrefix? {
            attributes.address(type, family: header.family).flatMap {
                Int(length) <= $0.bitWidth ? IPPrefix(containing: $0, length: Int(length)) : nil
            }
        }
        self.action = action
        from = prefix(FRA_SRC, header.src_len)
        to = prefix(FRA_DST, header.dst_len)
        // The kernel writes no priority of 0.
        priority = number(FRA_PRIORITY) ?? 0
        table = number(FRA_TABLE) ?? UInt32(header.table)
        isInverted = header.flags & UInt32(FIB_RULE_INVERT) != 0
        typeOfService = header.tos
        mark = number(FRA_FWMARK)
        // Without a mask the kernel compares all bits, and says so.
        markMask = number(FRA_FWMASK).flatMap { $0 == .max ? nil : $0 }
        inputDevice = attributes.text(FRA_IIFNAME).flatMap { InterfaceName($0) }
        outputDevice = attributes.text(FRA_OIFNAME).flatMap { InterfaceName($0) }
        // All bits set: none.
        suppressedPrefixLength = number(FRA_SUPPRESS_PREFIXLEN).flatMap { $0 == .max ? nil : $0 }
        suppressedGroup = number(FRA_SUPPRESS_IFGROUP).flatMap { $0 == .max ? nil : $0 }
        realms = number(FRA_FLOW)
        tunnelID = attributes.number(FRA_TUN_ID, as: UInt64.self).map { UInt64(bigEndian: $0) }
        users = attributes.range(FRA_UID_RANGE)
        looksUpVRF = attributes.number(FRA_L3MDEV, as: UInt8.self) == 1
        ipProtocol = attributes.number(FRA_IP_PROTO)
        sourcePorts = attributes.range(FRA_SPORT_RANGE)
        destinationPorts = attributes.range(FRA_DPORT_RANGE)
        origin = attributes.number(FRA_PROTOCOL, as: UInt8.self)
    }
}

extension LibNLMessage {
    fileprivate func put(_ rule: Rule) throws(LibNLError) {
        func putNumber(_ type: Int, _ number: UInt32?) throws(LibNLError) {
            if let number { try self.put(type, number) }
        }
        if let from = rule.from, from.length > 0 { try put(FRA_SRC, from.base.octets) }
        if let to = rule.to, to.length > 0 { try put(FRA_DST, to.base.octets) }
        try putNumber(FRA_PRIORITY, rule.priority)
        try putNumber(FRA_FWMARK, rule.mark)
        try putNumber(FRA_FWMASK, rule.markMask)
        try putNumber(FRA_FLOW, rule.realms)
        try putNumber(FRA_SUPPRESS_PREFIXLEN, rule.suppressedPrefixLength)
        try putNumber(FRA_SUPPRESS_IFGROUP, rule.suppressedGroup)
        if let name = rule.inputDevice { try put(FRA_IIFNAME, name.text) }
        if let name = rule.outputDevice { try put(FRA_OIFNAME, name.text) }
        if let tunnel = rule.tunnelID { try put(FRA_TUN_ID, octets(tunnel.bigEndian)) }
        if let users = rule.users { try put(FRA_UID_RANGE, octets(users)) }
        if rule.looksUpVRF { try put(FRA_L3MDEV, 1 as UInt8) }
        if let number = rule.ipProtocol { try put(FRA_IP_PROTO, number) }
        if let ports = rule.sourcePorts { try put(FRA_SPORT_RANGE, octets(ports)) }
        if let ports = rule.destinationPorts { try put(FRA_DPORT_RANGE, octets(ports)) }
        if rule.action == .lookup, !rule.looksUpVRF, rule.table > UInt32(UInt8.max) {
            try put(FRA_TABLE, rule.table)
        }
        if case .goto(let target) = rule.action { try put(FRA_GOTO, target) }
        if let origin = rule.origin { try put(FRA_PROTOCOL, origin) }
    }
}

/// The bytes of a number as they lie in memory.
func octets(_ number: some FixedWidthInteger & BitwiseCopyable) -> [UInt8] {
    withUnsafeBytes(of: number) { [UInt8]($0) }
}

/// `struct fib_rule_uid_range` or `fib_rule_port_range`: first and last.
private func octets(
    _ range: ClosedRange<some FixedWidthInteger & BitwiseCopyable>
) -> [UInt8] {
    octets(range.lowerBound) + octets(range.upperBound)
}

extension Attributes {
    /// First and last of an attribute that holds two such numbers; nil without it.
    fileprivate func range<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Int
    ) -> ClosedRange<Number>? {
        let size = MemoryLayout<Number>.size
        guard let bytes = bytes(type), bytes.count == 2 * size else { return nil }
        let (first, last) = bytes.withUnsafeBytes {
            (
                $0.loadUnaligned(as: Number.self),
                $0.loadUnaligned(fromByteOffset: size, as: Number.self)
            )
        }
        return first <= last ? first...last : nil
    }
}
