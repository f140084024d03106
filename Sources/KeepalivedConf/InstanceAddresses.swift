import NetworkTypes

// The addresses of an instance: all are of the family of the first, whichever keyword has it.
extension InstanceReader {
    /// Addresses an advertisement can count (RFC 3768 §5.3.5: eight bits).
    static let maximumAddresses = 255

    /// Reads a statement about addresses; false when it is about something else.
    mutating func readAddresses(_ inner: Statement) -> Bool {
        switch inner.name {
        case "virtual_ipaddress": for entry in inner.entries { readVirtualAddress(entry) }
        case "virtual_ipaddress_excluded": for entry in inner.entries { readExcluded(entry) }
        case "mcast_src_ip", "unicast_src_ip":
            if inner.name == "unicast_src_ip" { draft.unicastPosition = inner.position }
            readSource(inner.value)
        case "unicast_peer":
            draft.unicastPosition = inner.position
            for entry in inner.entries { readPeer(entry.words[0]) }
        default: return false
        }
        return true
    }

    private mutating func readVirtualAddress(_ entry: Statement.Entry) {
        var reader = VirtualAddressReader(entry)
        let address = reader.read()
        diagnostics += reader.diagnostics
        guard let address else { return }
        let family = address.address.address.family
        guard draft.family ?? family == family else {
            lost(
                entry.position,
                "\(tag): address family must match VRRP instance [\(entry.words[0].text)] -"
                    + " ignoring",
                detail: "the address is lost; an instance for each family, or"
                    + " virtual_ipaddress_excluded", isDisplaced: entry.isDisplaced)
            return
        }
        draft.family = family
        guard draft.virtualAddresses.count < Self.maximumAddresses else {
            lost(
                entry.position,
                "\(tag) more than \(Self.maximumAddresses) virtual addresses - ignoring",
                detail: "virtual_ipaddress_excluded has no limit")
            return
        }
        draft.virtualAddresses.append(address)
    }

    private mutating func readExcluded(_ entry: Statement.Entry) {
        var reader = VirtualAddressReader(entry)
        if let address = reader.read() { draft.excludedAddresses.append(address) }
        diagnostics += reader.diagnostics
    }

    private mutating func readSource(_ word: Word) {
        let start = "Configuration error: VRRP instance[\(draft.name)]"
        guard let address = IPAddress(word.text) else {
            adjusted(
                word.position, "\(start) malformed src address[\(word.text)]. Skipping...")
            return
        }
        guard draft.family ?? address.family == address.family else {
            adjusted(
                word.position,
                "\(start) and src address[\(word.text)] MUST be of the same family !!!"
                    + " Skipping...")
            return
        }
        draft.family = address.family
        draft.sourceAddress = address
    }

    private mutating func readPeer(_ word: Word) {
        let start = "Configuration error: VRRP instance[\(draft.name)]"
        guard let address = IPAddress(word.text) else {
            adjusted(
                word.position,
                "\(start) malformed unicast peer address[\(word.text)]. Skipping...")
            return
        }
        guard draft.family ?? address.family == address.family else {
            adjusted(
                word.position,
                "\(start) and unicast peer address[\(word.text)] MUST be of the same family !!!"
                    + " Skipping...")
            return
        }
        draft.family = address.family
        draft.unicastPeers.append(address)
    }
}

/// A virtual address as far as it is written.
struct VirtualAddressDraft {
    var address: InterfaceAddress
    /// `dev`; nil: the instance's interface.
    var device: InterfaceName?
    var label: String?
    var broadcast: IPv4Address?
    var scope = VirtualAddress.Scope.global
    var isTracked = true
    var position: SourcePosition
}

/// Reads a line of `virtual_ipaddress`.
struct VirtualAddressReader: Reading {
    /// Bytes of a label that the kernel stores (IFNAMSIZ less the NUL).
    static let maximumLabelBytes = 15

    var diagnostics: [ConfDiagnostic] = []
    private let entry: Statement.Entry
    private var index = 1

    init(_ entry: Statement.Entry) { self.entry = entry }

    private var text: String { entry.words[0].text }

    /// The address; nil, and reported, when keepalived would leave it out.
    mutating func read() -> VirtualAddressDraft? {
        guard let address = readAddress() else { return nil }
        var draft = VirtualAddressDraft(address: address, position: entry.position)
        while index < entry.words.count {
            let word = entry.words[index]
            index += 1
            guard readOption(word, into: &draft) else { return nil }
        }
        return draft
    }

    private mutating func readAddress() -> InterfaceAddress? {
        let slash = text.utf8.firstIndex(of: UInt8(ascii: "/"))
        guard let address = IPAddress(text[..<(slash ?? text.endIndex)]) else {
            lost(
                entry.position, "VRRP parsed invalid IP \(text). skipping IP...",
                detail: "the address is lost", isDisplaced: entry.isDisplaced)
            return nil
        }
        var length = address.bitWidth
        if let slash {
            let written = String(text.utf8[slash...].dropFirst()) ?? ""
            let message =
                "Invalid address prefix len \(written) for address \(text) - using \(length)"
            let word = Word(text: written, position: entry.position)
            length = integer(word, in: 0...length, else: message) ?? length
        }
        return InterfaceAddress(address, prefixLength: length)
    }

    /// Reads an option and its value; false when the address is lost by it.
    private mutating func readOption(_ word: Word, into draft: inout VirtualAddressDraft) -> Bool {
        switch word.text {
        case "dev":
            guard let value = value(of: "dev") else { return false }
            draft.device = InterfaceName(value.text)
            if draft.device == nil {
                refused(
                    value.position,
                    "WARNING - interface \(value.text) for ip address \(text) doesn't exist")
            }
        case "label":
            guard let value = value(of: "label") else { return false }
            guard value.text.utf8.count <= Self.maximumLabelBytes else {
                lost(
                    value.position,
                    "Address label \(value.text) is longer than maximum length"
                        + " \(Self.maximumLabelBytes) - removing address",
                    isDisplaced: entry.isDisplaced)
                return false
            }
            draft.label = value.text
        case "brd", "broadcast":
            guard let value = value(of: word.text) else { return false }
            return readBroadcast(value, into: &draft)
        case "scope":
            guard let value = value(of: "scope") else { return false }
            if let scope = VirtualAddress.Scope(value.text) {
                draft.scope = scope
            } else {
                adjusted(
                    value.position,
                    "Invalid scope '\(value.text)' specified for \(text) - ignoring")
            }
        case "no_track": draft.isTracked = false
        case "home", "-nodad", "mngtmpaddr", "noprefixroute", "autojoin", "use_vmac":
            notSupported(word)
        case "peer", "preferred_lft":
            notSupported(word)
            _ = value(of: word.text)
        default:
            let message =
                "Unknown configuration entry '\(word.text)' for ip address - ignoring"
            if InterfaceAddress(word.text) != nil {
                lost(
                    word.position, message,
                    detail: "one address to a line: this one is lost",
                    isDisplaced: entry.isDisplaced)
            } else {
                adjusted(word.position, message)
            }
        }
        return true
    }

    /// The word after an option; nil, and reported, at the end of the line.
    private mutating func value(of option: String) -> Word? {
        guard index < entry.words.count else {
            lost(
                entry.words[index - 1].position, "No \(option) parameter specified for \(text)",
                detail: "the address is lost", isDisplaced: entry.isDisplaced)
            return nil
        }
        defer { index += 1 }
        return entry.words[index]
    }

    /// `ADDRESS`, or `+` and `-`: all host bits set or clear.
    private mutating func readBroadcast(
        _ value: Word, into draft: inout VirtualAddressDraft
    ) -> Bool {
        guard case .v4(let address) = draft.address.address else {
            adjusted(value.position, "broadcast address \(value.text) of an IPv6 address ignored")
            return true
        }
        let hostBits =
            draft.address.prefixLength == 0
            ? UInt32.max : ~(UInt32.max << UInt32(32 - draft.address.prefixLength))
        switch value.text {
        case "+": draft.broadcast = IPv4Address(rawValue: address.rawValue | hostBits)
        case "-": draft.broadcast = IPv4Address(rawValue: address.rawValue & ~hostBits)
        default:
            draft.broadcast = IPv4Address(value.text)
            guard draft.broadcast != nil else {
                lost(
                    value.position,
                    "VRRP is trying to assign invalid broadcast \(value.text). skipping VIP...",
                    isDisplaced: entry.isDisplaced)
                return false
            }
        }
        return true
    }

    private mutating func notSupported(_ word: Word) {
        diagnostics.append(
            ConfDiagnostic(
                word.position, .warning, .notSupportedYet,
                "'\(word.text)': known to keepalived, not supported yet by vrrp-agent"))
    }
}
