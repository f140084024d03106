import NetworkTypes

// `count`: one entry of `nodes` that stands for several machines, alike but for their names and
// addresses.
extension LabFileDecoder {
    /// How many nodes one entry may stand for: their numbers have at most four digits.
    static let counts = 1...9999

    /// All nodes of the section; nil when it is not known which there are.
    mutating func nodes(_ entries: [YAMLEntry]) -> [NodeDraft]? {
        var all: [NodeDraft]? = []
        for entry in entries {
            var draft = node(entry)
            guard let field = entry.value["count"] else {
                checkNodeName(draft.name)
                all?.append(draft)
                continue
            }
            let place = "node \(entry.key)"
            guard let count = number(field, of: place, in: Self.counts)?.value else {
                all = nil
                continue
            }
            // The last name is the longest; were it wrong, so were the others.
            checkNodeName(Located("\(entry.key)\(count)", entry.keyMark))
            if count > 1 { refuseMACs(of: &draft, count: count) }
            all?.append(contentsOf: (1...count).compactMap { member($0, of: draft) })
        }
        return all
    }

    /// Notes Ethernet addresses that are written for several nodes, and forgets them.
    private mutating func refuseMACs(of draft: inout NodeDraft, count: Int) {
        for place in draft.interfaces.indices {
            guard let mac = draft.interfaces[place].mac else { continue }
            diagnostics.error(
                "interface \(draft.interfaces[place].name.value) of node \(draft.name.value) "
                    + "cannot have a MAC address that is given, since 'count' makes \(count) of "
                    + "it; leave 'mac' out", at: mac.mark)
            draft.interfaces[place].mac = nil
        }
    }

    /// One of several nodes, counted from 1: an address that is written is the first one's, and the
    /// others' follow it.
    private mutating func member(_ number: Int, of draft: NodeDraft) -> NodeDraft? {
        var member = draft
        member.name.value += "\(number)"
        for place in member.interfaces.indices {
            guard let written = member.interfaces[place].addresses else { continue }
            var addresses: [Located<WrittenAddress>] = []
            for var address in written {
                guard let next = address.value.address.advanced(by: UInt32(number - 1)) else {
                    diagnostics.error(
                        "there is no address for \(member.name.value): those of node "
                            + "\(draft.name.value) begin with \(address.value.address)",
                        at: address.mark)
                    return nil
                }
                address.value.address = next
                addresses.append(address)
            }
            member.interfaces[place].addresses = addresses
        }
        return member
    }
}

extension YAMLValue {
    /// The entry of that key, where this is a mapping that has it.
    fileprivate subscript(key: String) -> YAMLEntry? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }
    }
}

extension IPAddress {
    /// The address that many after this one; nil past the last of its family.
    fileprivate func advanced(by count: UInt32) -> IPAddress? {
        switch self {
        case .v4(let address):
            let (sum, overflow) = address.rawValue.addingReportingOverflow(count)
            return overflow ? nil : .v4(IPv4Address(rawValue: sum))
        case .v6(let address):
            let (low, carry) = address.low.addingReportingOverflow(UInt64(count))
            let (high, overflow) = address.high.addingReportingOverflow(carry ? 1 : 0)
            return overflow ? nil : .v6(IPv6Address(high: high, low: low))
        }
    }
}
