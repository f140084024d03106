import CLinux
import Glibc
public import NetworkTypes

/// Changes of one table of the packet filter, made together or not at all.
///
/// A value that can be built anywhere; ``FilterSocket/perform(_:)`` sends it. Only what a virtual
/// router needs of nf_tables is here.
public struct FilterBatch: Sendable, CustomStringConvertible {
    /// The table's family: each has its own table of that name.
    public let family: Family
    /// The table's name.
    public let table: String
    /// The changes in order, each with the `nft` command that does the same.
    private(set) var changes: [Request] = []

    /// How many elements one message carries at most: what fits a page.
    private static let elementsPerMessage = 48

    /// What kind of packets a table is about, in `nft`'s words.
    public enum Family: String, Hashable, Sendable {
        case v4 = "ip"
        case v6 = "ip6"
        /// Frames on their way through a bridge.
        case bridge

        /// NFPROTO_*; only in <linux/netfilter.h>, which cannot be included beside
        /// <netinet/in.h>.
        fileprivate var number: UInt8 {
            switch self {
            case .v4: 2
            case .v6: 10
            case .bridge: 7
            }
        }
    }

    /// An empty batch for a table of IPv4 or IPv6.
    public init(_ family: IPAddress.Family, table: String) {
        self.init(family == .v4 ? .v4 : .v6, of: table)
    }

    /// An empty batch for a table of what bridges pass on.
    public init(bridgeTable table: String) { self.init(.bridge, of: table) }

    private init(_ family: Family, of table: String) {
        self.family = family
        self.table = table
    }

    /// Whether there is nothing to do.
    public var isEmpty: Bool { changes.isEmpty }

    /// The commands, as `nft` takes them.
    public var description: String { changes.map(\.operation).joined(separator: "; ") }

    // MARK: Changes

    /// Makes the table, unless there is one: `nft add table`.
    ///
    /// - Parameter isOwned: whether it belongs to the socket, which alone may change it then, and
    ///   goes with it (NFT_TABLE_F_OWNER, Linux 5.12).
    public mutating func addTable(isOwned: Bool = false) throws(NetlinkError) {
        let words = isOwned ? " { flags owner; }" : ""
        try change("add table", words, NFT_MSG_NEWTABLE, NLM_F_CREATE) {
            [table] message throws(LibNLError) in
            try message.put(NFTA_TABLE_NAME, table)
            if isOwned { try message.put(NFTA_TABLE_FLAGS, big: NFT_TABLE_F_OWNER.rawValue) }
        }
    }

    /// Removes the table with all that is in it: `nft delete table`; ENOENT without it.
    public mutating func deleteTable() throws(NetlinkError) {
        try change("delete table", "", NFT_MSG_DELTABLE, 0) { [table] message throws(LibNLError) in
            try message.put(NFTA_TABLE_NAME, table)
        }
    }

    /// Where a chain is looked at.
    public enum Hook: UInt32, Hashable, Sendable {
        /// For all packets that come in (NF_INET_PRE_ROUTING).
        case prerouting = 0
        /// For packets to this machine (NF_INET_LOCAL_IN).
        case input = 1
        /// For packets that are passed on (NF_INET_FORWARD, NF_BR_FORWARD).
        case forward = 2
        /// For packets of this machine (NF_INET_LOCAL_OUT).
        case output = 3
        /// For all packets that go out (NF_INET_POST_ROUTING).
        case postrouting = 4
    }

    /// What a chain is for.
    public enum ChainType: String, Hashable, Sendable {
        case filter
        /// The first packet of a connection decides for all of them.
        case nat
    }

    /// Makes a chain, unless there is one: `nft add chain`.
    ///
    /// - Parameters:
    ///   - hook: where it is looked at; nil: only where a rule goes to it.
    ///   - priority: chains of one hook are looked at from the lowest up.
    ///   - type: what one that is looked at at a hook is for.
    public mutating func addChain(
        _ name: String, hook: Hook? = nil, priority: Int32 = 0, type: ChainType = .filter
    ) throws(NetlinkError) {
        let words =
            hook.map {
                " { type \(type.rawValue) hook \($0) priority \(priority); policy accept; }"
            } ?? ""
        try change("add chain", " \(name)\(words)", NFT_MSG_NEWCHAIN, NLM_F_CREATE) {
            [table] message throws(LibNLError) in
            try message.put(NFTA_CHAIN_TABLE, table)
            try message.put(NFTA_CHAIN_NAME, name)
            guard let hook else { return }
            try message.nest(NFTA_CHAIN_HOOK) { () throws(LibNLError) in
                try message.put(NFTA_HOOK_HOOKNUM, big: hook.rawValue)
                try message.put(NFTA_HOOK_PRIORITY, big: UInt32(bitPattern: priority))
            }
            try message.put(NFTA_CHAIN_POLICY, big: FilterExpression.Verdict.acceptNumber)
            try message.put(NFTA_CHAIN_TYPE, type.rawValue)
        }
    }

    /// What a set's elements are, as `nft` numbers it (`enum datatypes`).
    public struct ElementType: Hashable, Sendable {
        let number: UInt32
        let bytes: UInt32
        let words: String

        public static let ipv4Address = ElementType(number: 7, bytes: 4, words: "ipv4_addr")
        public static let ipv6Address = ElementType(number: 8, bytes: 16, words: "ipv6_addr")
        /// A device by its number.
        public static let device = ElementType(number: 20, bytes: 4, words: "iface_index")
        public static let icmpv6Type = ElementType(number: 29, bytes: 1, words: "icmpv6_type")
        /// An address with the device it is on. Types are joined by six bits each.
        public static let ipv6AddressOnDevice = ElementType(
            number: ipv6Address.number << 6 | device.number, bytes: 20,
            words: "ipv6_addr . iface_index")
    }

    /// Makes a set, or a map when there is a type to map to: `nft add set`.
    ///
    /// - Parameter isConstant: whether its elements never change once a rule uses it.
    public mutating func addSet(
        _ name: String, of type: ElementType, to mapped: ElementType? = nil,
        isConstant: Bool = false
    ) throws(NetlinkError) {
        let words = " \(name) { type \(type.words)\(mapped.map { " : \($0.words)" } ?? ""); }"
        // Names the set within the batch; nothing here refers to it.
        let id = UInt32(changes.count + 1)
        let verb = "add \(mapped == nil ? "set" : "map")"
        try change(verb, words, NFT_MSG_NEWSET, NLM_F_CREATE) {
            [table] message throws(LibNLError) in
            try message.put(NFTA_SET_TABLE, table)
            try message.put(NFTA_SET_NAME, name)
            try message.put(
                NFTA_SET_FLAGS,
                big: (mapped == nil ? 0 : NFT_SET_MAP.rawValue)
                    | (isConstant ? NFT_SET_CONSTANT.rawValue : 0))
            try message.put(NFTA_SET_KEY_TYPE, big: type.number)
            try message.put(NFTA_SET_KEY_LEN, big: type.bytes)
            if let mapped {
                try message.put(NFTA_SET_DATA_TYPE, big: mapped.number)
                try message.put(NFTA_SET_DATA_LEN, big: mapped.bytes)
            }
            try message.put(NFTA_SET_ID, big: id)
            let orders = Self.byteOrders(of: type, mapped)
            if !orders.isEmpty { try message.put(Int(NFTA_SET_USERDATA.rawValue), orders) }
        }
    }

    /// Which of a set's numbers are in the machine's order: not for the kernel, but for those who
    /// list the set with `nft`, which keeps that beside it (libnftnl's `udata`: type, length,
    /// value).
    private static func byteOrders(of type: ElementType, _ mapped: ElementType?) -> [UInt8] {
        func order(_ place: UInt8) -> [UInt8] {
            [place, 4] + withUnsafeBytes(of: UInt32(1)) { [UInt8]($0) }  // BYTEORDER_HOST_ENDIAN
        }
        return (type == .device ? order(0) : []) + (mapped == .device ? order(1) : [])
    }

    /// An element of a set: its bytes as packets and devices have them, and in a map what it leads
    /// to.
    public struct Element: Hashable, Sendable {
        public var key: [UInt8]
        public var value: [UInt8]?

        public init(_ key: [UInt8], to value: [UInt8]? = nil) {
            self.key = key
            self.value = value
        }

        /// A device's number.
        public static func octets(of device: Device) -> [UInt8] {
            withUnsafeBytes(of: device.index) { [UInt8]($0) }
        }
    }

    /// Adds elements to a set: `nft add element`. One that is there is EEXIST.
    public mutating func add(_ elements: [Element], to set: String) throws(NetlinkError) {
        try change(elements, of: set, "add element", NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Removes elements of a set: `nft delete element`. One that is not there is ENOENT.
    public mutating func remove(_ elements: [Element], from set: String) throws(NetlinkError) {
        try change(elements, of: set, "delete element", NFT_MSG_DELSETELEM, 0)
    }

    private mutating func change(
        _ elements: [Element], of set: String, _ verb: String, _ type: nf_tables_msg_types,
        _ flags: CInt
    ) throws(NetlinkError) {
        var rest = elements[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.elementsPerMessage)
            rest = rest.dropFirst(some.count)
            let words = some.map { $0.key.map(String.init).joined(separator: ".") }
            try change(verb, " \(set) { \(words.joined(separator: ", ")) }", type, flags) {
                [table] message throws(LibNLError) in
                try message.put(NFTA_SET_ELEM_LIST_TABLE, table)
                try message.put(NFTA_SET_ELEM_LIST_SET, set)
                try message.nest(NFTA_SET_ELEM_LIST_ELEMENTS) { () throws(LibNLError) in
                    for element in some { try message.put(element) }
                }
            }
        }
    }

    /// Adds a rule to a chain: `nft add rule`, or `nft insert rule`.
    ///
    /// - Parameter isFirst: whether it comes before the chain's other rules, not after them.
    public mutating func addRule(
        to chain: String, isFirst: Bool = false, _ expressions: [FilterExpression]
    ) throws(NetlinkError) {
        let words = expressions.map { " [ \($0) ]" }.joined()
        try change(
            isFirst ? "insert rule" : "add rule", " \(chain)\(words)", NFT_MSG_NEWRULE,
            NLM_F_CREATE | (isFirst ? 0 : NLM_F_APPEND)
        ) { [table] message throws(LibNLError) in
            try message.put(NFTA_RULE_TABLE, table)
            try message.put(NFTA_RULE_CHAIN, chain)
            try message.nest(NFTA_RULE_EXPRESSIONS) { () throws(LibNLError) in
                for expression in expressions {
                    try message.nest(NFTA_LIST_ELEM) { () throws(LibNLError) in
                        try message.put(NFTA_EXPR_NAME, expression.name)
                        try message.nest(NFTA_EXPR_DATA) { () throws(LibNLError) in
                            try expression.put(in: message)
                        }
                    }
                }
            }
        }
    }

    // MARK: Messages

    private mutating func change(
        _ verb: String, _ words: String, _ type: nf_tables_msg_types, _ flags: CInt,
        _ body: (borrowing LibNLMessage) throws(LibNLError) -> Void
    ) throws(NetlinkError) {
        let number = family.number
        let operation = "nft \(verb) \(family.rawValue) \(table)\(words)"
        changes.append(
            try Request(operation) { () throws(LibNLError) in
                let message = try LibNLMessage(
                    type: CInt(NFNL_SUBSYS_NFTABLES) << 8 | CInt(type.rawValue),
                    flags: flags | NLM_F_REQUEST | NLM_F_ACK)
                try message.append(nfgenmsg(nfgen_family: number, version: 0, res_id: 0))
                try body(message)
                return message
            })
    }

    /// The whole batch, between the messages that open and close it. Change n has sequence number
    /// n + 1.
    var message: [UInt8] {
        var bytes = Self.bracket(NFNL_MSG_BATCH_BEGIN, sequence: 0)
        for (place, change) in changes.enumerated() {
            let start = bytes.count
            bytes += change.message + [UInt8](repeating: 0, count: -change.message.count & 3)
            bytes.withUnsafeMutableBytes { bytes in
                var header = bytes.loadUnaligned(fromByteOffset: start, as: nlmsghdr.self)
                header.nlmsg_seq = UInt32(place + 1)
                bytes.storeBytes(of: header, toByteOffset: start, as: nlmsghdr.self)
            }
        }
        return bytes + Self.bracket(NFNL_MSG_BATCH_END, sequence: UInt32(changes.count + 1))
    }

    private static func bracket(_ type: CInt, sequence: UInt32) -> [UInt8] {
        let header = nlmsghdr(
            nlmsg_len: UInt32(MemoryLayout<nlmsghdr>.size + MemoryLayout<nfgenmsg>.size),
            nlmsg_type: UInt16(type), nlmsg_flags: UInt16(NLM_F_REQUEST), nlmsg_seq: sequence,
            nlmsg_pid: 0)
        let body = nfgenmsg(
            nfgen_family: UInt8(AF_UNSPEC), version: 0,
            res_id: UInt16(NFNL_SUBSYS_NFTABLES).bigEndian)
        return withUnsafeBytes(of: header) { [UInt8]($0) }
            + withUnsafeBytes(of: body) { [UInt8]($0) }
    }
}

extension LibNLMessage {
    // nf_tables' numbers are in network order.

    func put<Type: RawRepresentable<UInt32>>(_ type: Type, big number: UInt32) throws(LibNLError) {
        try put(Int(type.rawValue), number.bigEndian)
    }

    func put<Type: RawRepresentable<UInt32>>(_ type: Type, _ text: String) throws(LibNLError) {
        try put(Int(type.rawValue), text)
    }

    func nest<Type: RawRepresentable<UInt32>>(
        _ type: Type, _ body: () throws(LibNLError) -> Void
    ) throws(LibNLError) {
        try nest(Int(type.rawValue), body)
    }

    /// A value, as nf_tables nests it.
    func put<Type: RawRepresentable<UInt32>>(
        _ type: Type, value: [UInt8]
    ) throws(LibNLError) {
        try nest(type) { () throws(LibNLError) in try put(Int(NFTA_DATA_VALUE.rawValue), value) }
    }

    fileprivate func put(_ element: FilterBatch.Element) throws(LibNLError) {
        try nest(NFTA_LIST_ELEM) { () throws(LibNLError) in
            try put(NFTA_SET_ELEM_KEY, value: element.key)
            if let value = element.value { try put(NFTA_SET_ELEM_DATA, value: value) }
        }
    }
}
