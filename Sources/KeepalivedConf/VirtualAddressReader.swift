import NetworkTypes

/// A virtual address as far as it is written.
struct VirtualAddressDraft {
    var address: InterfaceAddress
    /// `dev`; nil: the instance's interface.
    var device: InterfaceName?
    var label: String?
    var broadcast: IPv4Address?
    var scope = VirtualAddress.Scope.global
    var isTracked = true
    var peer: InterfaceAddress?
    var flags: VirtualAddress.Flags = []
    var preferredLifetime: Duration?
    var usesVMAC = false
    var detectsDuplicates = false
    var position: SourcePosition

    /// The address on its own device or on the instance's.
    func completed(on interface: InterfaceName) -> VirtualAddress {
        var lifetime = preferredLifetime
        if lifetime == nil, address.address.family == .v6, address.prefixLength == 128 {
            lifetime = .zero
        }
        return VirtualAddress(
            address: address, interface: device ?? interface, label: label, broadcast: broadcast,
            scope: scope, isTracked: isTracked, position: position, peer: peer, flags: flags,
            preferredLifetime: lifetime == .seconds(Self.forever) ? nil : lifetime,
            usesVMAC: usesVMAC, detectsDuplicates: detectsDuplicates)
    }

    /// The kernel's INFINITY_LIFE_TIME.
    static let forever = 0xffff_ffff
}

/// Reads a line of `virtual_ipaddress`, `virtual_ipaddress_excluded` or `static_ipaddress`.
struct VirtualAddressReader: Reading {
    /// Bytes of a label that the kernel stores (IFNAMSIZ less the NUL).
    static let maximumLabelBytes = 15

    var diagnostics: [ConfDiagnostic] = []
    private let entry: Statement.Entry
    /// The groups that a static address may name; nil: it is none.
    private let trackGroups: Set<String>?
    private var index = 1
    /// `brd` as written.
    private var broadcast: Word?

    init(_ entry: Statement.Entry, trackGroups: Set<String>? = nil) {
        self.entry = entry
        self.trackGroups = trackGroups
    }

    private var text: String { entry.words[0].text }

    /// The address; nil, and reported, when keepalived would leave it out.
    mutating func read() -> VirtualAddressDraft? {
        guard let address = readAddress() else { return nil }
        var draft = VirtualAddressDraft(address: address, position: entry.position)
        // No duplicate address detection: a virtual address has an owner at all times.
        if address.address.family == .v6 { draft.flags = .nodad }
        while index < entry.words.count {
            let word = entry.words[index]
            index += 1
            switch readOption(word, into: &draft) {
            case .taken: break
            case .lost: return nil
            case .other: readFlag(word, into: &draft)
            }
        }
        completeBroadcast(of: &draft)
        if address.address.family == .v6 { dropWhatIsIPv4(from: &draft) }
        return draft
    }

    private mutating func readAddress() -> InterfaceAddress? {
        let slash = text.utf8.firstIndex(of: UInt8(ascii: "/"))
        guard let address = IPAddress(text[..<(slash ?? text.endIndex)]) else {
            lose(entry.words[0], "VRRP parsed invalid IP \(text). skipping IP...")
            return nil
        }
        var length = address.bitWidth
        if let slash {
            let text = text
            let written = String(text.utf8[text.utf8.index(after: slash)...]) ?? ""
            let most = length
            // keepalived takes what is no number for 0, and routes everything by the address.
            let startsWithDigit = written.utf8.first.map { (0x30...0x39).contains($0) } ?? false
            length =
                integer(
                    Word(text: written.isEmpty ? "/" : written, position: entry.position),
                    in: 0...length, isStrict: !startsWithDigit,
                    else: "Invalid address prefix len \(written) for address \(text) - using"
                        + " \(most)") ?? length
        }
        return InterfaceAddress(address, prefixLength: length)
    }

    // MARK: Options with a value

    /// What came of a word as an option with a value.
    private enum Outcome {
        /// It is one.
        case taken
        /// It is one, and keepalived leaves out the address for it.
        case lost
        /// It is none.
        case other
    }

    private static let valued: Set<String> = [
        "dev", "label", "brd", "broadcast", "scope", "peer", "preferred_lft",
    ]

    private mutating func readOption(
        _ word: Word, into draft: inout VirtualAddressDraft
    ) -> Outcome {
        guard Self.valued.contains(word.text) || trackGroups != nil && word.text == "track_group"
        else {
            return .other
        }
        guard let value = value(of: word.text) else { return .lost }
        switch word.text {
        case "dev": return readDevice(value, into: &draft) ? .taken : .lost
        case "label":
            guard value.text.utf8.count <= Self.maximumLabelBytes else {
                lose(
                    value,
                    "Address label \(value.text) is longer than maximum length"
                        + " \(Self.maximumLabelBytes) - removing address", detail: nil)
                return .lost
            }
            draft.label = value.text
        case "brd", "broadcast": return readBroadcast(value, into: &draft) ? .taken : .lost
        case "scope":
            if let scope = VirtualAddress.Scope(value.text) {
                draft.scope = scope
            } else {
                adjusted(
                    value.position,
                    "Invalid scope '\(value.text)' specified for \(text) - ignoring")
            }
        case "peer": readPeer(value, into: &draft)
        case "preferred_lft":
            if value.text == "forever" {
                draft.preferredLifetime = .seconds(VirtualAddressDraft.forever)
            } else if let count = integer(
                value, in: 0...Int(UInt32.max), else: "preferred_lft \(value.text) is invalid")
            {
                draft.preferredLifetime = .seconds(count)
            }
        case "track_group" where trackGroups?.contains(value.text) == false:
            adjusted(value.position, "track_group \(value.text) not found")
        default: break
        }
        return .taken
    }

    private mutating func readDevice(
        _ value: Word, into draft: inout VirtualAddressDraft
    ) -> Bool {
        guard draft.device == nil else {
            lose(value, "Cannot specify ipaddress device more than once for \(text)")
            return false
        }
        draft.device = InterfaceName(value.text)
        if draft.device == nil {
            refused(
                value.position,
                "WARNING - interface \(value.text) for ip address \(text) doesn't exist")
            return false
        }
        return true
    }

    private mutating func readPeer(_ value: Word, into draft: inout VirtualAddressDraft) {
        guard draft.peer == nil else {
            adjusted(
                value.position,
                "Peer \(value.text) - another peer has already been specified")
            return
        }
        guard let peer = IPAddress(value.text) else {
            adjusted(
                value.position, "Invalid peer address \(value.text)",
                detail: "VRRP parsed invalid IP \(value.text). skipping IP...")
            return
        }
        guard peer.family == draft.address.address.family else {
            adjusted(
                value.position, "Peer address \(value.text) does not match address family")
            return
        }
        if draft.address.prefixLength != peer.bitWidth {
            adjusted(
                value.position,
                "Cannot specify address prefix when specifying peer address - ignoring")
            draft.address.prefixLength = peer.bitWidth
        }
        draft.peer = InterfaceAddress(peer, prefixLength: peer.bitWidth)
    }

    /// The word after an option; nil, and reported, at the end of the line.
    private mutating func value(of option: String) -> Word? {
        guard index < entry.words.count else {
            lose(entry.words[index - 1], "No \(option) parameter specified for \(text)")
            return nil
        }
        defer { index += 1 }
        return entry.words[index]
    }

    // MARK: Flags

    /// Reads an option without a value.
    private mutating func readFlag(_ word: Word, into draft: inout VirtualAddressDraft) {
        switch word.text {
        case "no_track": draft.isTracked = false
        case "home": draft.flags.insert(.home)
        case "-nodad":
            draft.flags.remove(.nodad)
            draft.detectsDuplicates = true
        case "mngtmpaddr": draft.flags.insert(.manageTemporaryAddresses)
        case "noprefixroute": draft.flags.insert(.noPrefixRoute)
        case "autojoin": draft.flags.insert(.autojoin)
        case "use_vmac" where trackGroups == nil: draft.usesVMAC = true
        default:
            let message =
                "Unknown configuration entry '\(word.text)' for ip address - ignoring"
            if InterfaceAddress(word.text) != nil {
                lose(word, message, detail: "one address to a line: this one is lost")
            } else {
                adjusted(word.position, message)
            }
        }
    }

    // MARK: Broadcast address

    /// `ADDRESS`, or `+` and `-`: all host bits set or clear.
    private mutating func readBroadcast(
        _ value: Word, into draft: inout VirtualAddressDraft
    ) -> Bool {
        guard draft.address.address.family == .v4 else {
            lose(
                value,
                "VRRP is trying to assign a broadcast \(entry.words[index - 2].text) to the IPv6"
                    + " address \(text) !!?? WTF... skipping VIP...")
            return false
        }
        broadcast = value
        guard value.text != "+", value.text != "-" else { return true }
        draft.broadcast = IPv4Address(value.text)
        guard draft.broadcast != nil else {
            lose(
                value,
                "VRRP is trying to assign invalid broadcast"
                    + " \(value.text). skipping VIP...")
            return false
        }
        return true
    }

    /// Works out `+` and `-` once the peer is known.
    private mutating func completeBroadcast(of draft: inout VirtualAddressDraft) {
        guard let broadcast, case .v4(let address) = draft.address.address else { return }
        guard draft.peer == nil else {
            adjusted(
                broadcast.position,
                "Cannot specify broadcast and peer addresses - ignoring broadcast address")
            draft.broadcast = nil
            return
        }
        guard broadcast.text == "+" || broadcast.text == "-" else { return }
        let length = draft.address.prefixLength
        guard length <= 30 else {
            adjusted(
                broadcast.position, "Address prefix length \(length) too long for broadcast")
            return
        }
        let hostBits = UInt32.max >> UInt32(length)
        draft.broadcast = IPv4Address(
            rawValue: broadcast.text == "+"
                ? address.rawValue | hostBits : address.rawValue & ~hostBits)
    }

    private mutating func dropWhatIsIPv4(from draft: inout VirtualAddressDraft) {
        if draft.scope != .global {
            adjusted(
                entry.position,
                "Cannot specify scope for IPv6 addresses (\(text)) - ignoring scope")
            draft.scope = .global
        }
        if draft.label != nil {
            adjusted(
                entry.position,
                "Cannot specify label for IPv6 addresses (\(text)) - ignoring label")
            draft.label = nil
        }
    }

    private mutating func lose(
        _ word: Word, _ message: String, detail: String? = "the address is lost"
    ) {
        lost(word.position, message, detail: detail, isDisplaced: entry.isDisplaced)
    }
}
