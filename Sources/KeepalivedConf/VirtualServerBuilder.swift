import NetworkTypes

/// Reads the LVS blocks, and completes them as keepalived's `validate_check_config` does.
///
/// keepalived's checker process reads them; nothing of them concerns the virtual routers.
struct VirtualServerBuilder: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private(set) var servers: [VirtualServer] = []
    private(set) var groups: [VirtualServerGroup] = []
    private var drafts: [VirtualServerDraft] = []

    /// Reads one block; `files` are the names of the `track_file`s defined before it.
    mutating func read(_ statement: Statement, files: [String]) {
        switch statement.name {
        case "virtual_server":
            var reader = VirtualServerReader(files: files)
            if let draft = reader.read(statement) { drafts.append(draft) }
            diagnostics += reader.diagnostics
        case "virtual_server_group":
            var reader = VirtualServerGroupReader()
            if let group = reader.read(statement) { groups.append(group) }
            diagnostics += reader.diagnostics
        default: readSSL(statement)
        }
    }

    private mutating func readSSL(_ statement: Statement) {
        var seen: Set<String> = []
        for inner in statement.body {
            let type = ["ca": "cafile", "certificate": "certfile", "key": "keyfile"][inner.name]
            let name = type ?? inner.name
            if inner.arguments.isEmpty {
                adjusted(inner.position, "SSL \(name) missing")
            } else if !seen.insert(name).inserted {
                adjusted(inner.position, "SSL \(name) already specified - replacing")
            }
        }
    }

    /// Fills in defaults once the whole file is read.
    mutating func complete(_ global: GlobalDefinitions) {
        for draft in drafts {
            var completion = VirtualServerCompletion(draft, groups: groups, global: global)
            if let server = completion.complete() { servers.append(server) }
            diagnostics += completion.diagnostics
        }
    }
}

/// Reads a `virtual_server_group`.
struct VirtualServerGroupReader: Reading {
    var diagnostics: [ConfDiagnostic] = []

    /// The group; nil, and reported, when keepalived would leave it out.
    mutating func read(_ statement: Statement) -> VirtualServerGroup? {
        guard !statement.arguments.isEmpty else { return nil }
        var group = VirtualServerGroup(
            name: statement.value.text, position: statement.value.position)
        for entry in statement.entries {
            if let entry = read(entry, of: group.name) { group.entries.append(entry) }
        }
        let end = statement.endPosition ?? statement.position
        guard !group.entries.isEmpty else {
            adjusted(end, "virtual server group \(group.name) has no entries - removing")
            return nil
        }
        let families = Set(group.entries.compactMap(\.family))
        let hasMarkOfNoFamily = group.entries.contains { $0.family == nil }
        guard families.count < 2 || !hasMarkOfNoFamily else {
            adjusted(
                end,
                "virtual server group \(group.name) cannot have IPv4, IPv6 and fwmark without"
                    + " family - removing")
            return nil
        }
        return group
    }

    private mutating func read(
        _ entry: Statement.Entry, of group: String
    ) -> VirtualServerGroup.Entry? {
        let words = entry.words
        if words[0].text == "fwmark" { return readMark(entry, of: group) }
        var port: UInt16?
        let text = words[0].text
        let invalid = "Invalid virtual server group IP address \(text)"
        if words.count > 1, words[1].text.utf8.contains(where: { $0 != UInt8(ascii: "0") }) {
            let message = "\(invalid) /port/\(words[1].text) - skipping"
            guard let number = integer(words[1], in: 1...65535, else: message) else { return nil }
            port = UInt16(number)
        }
        guard let first = hostAddress(text) else {
            adjusted(entry.position, "\(invalid)  - skipping")
            return nil
        }
        guard let last = readLast(entry.words[0], first: first) else { return nil }
        return .addresses(first: first, last: last, port: port)
    }

    private mutating func readMark(
        _ entry: Statement.Entry, of group: String
    ) -> VirtualServerGroup.Entry? {
        guard entry.words.count > 1 else { return nil }
        let word = entry.words[1]
        let message =
            "(\(group)): fwmark '\(word.text)' must be in [0, \(UInt32.max)] - ignoring"
        guard let mark = integer(word, in: 0...Int(UInt32.max), isStrict: true, else: message)
        else { return nil }
        guard entry.words.count > 2 else { return .firewallMark(UInt32(mark), family: nil) }
        switch entry.words[2].text {
        case "inet": return .firewallMark(UInt32(mark), family: .v4)
        case "inet6": return .firewallMark(UInt32(mark), family: .v6)
        default:
            adjusted(
                entry.words[2].position,
                "(\(group)): fwmark '\(mark)' family \(entry.words[2].text) unknown - ignoring")
            return nil
        }
    }

    /// The last address of `FIRST-LAST`, `FIRST-BYTE`, `NETWORK/LENGTH` or a single address.
    private mutating func readLast(_ word: Word, first: IPAddress) -> IPAddress? {
        let text = word.text
        if let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) {
            guard let length = Int(text[text.index(after: slash)...]),
                (1...first.bitWidth).contains(length)
            else {
                adjusted(word.position, "Invalid netmask - \(text) - skipping")
                return nil
            }
            let network = IPPrefix(containing: first, length: length)
            guard network.base == first else {
                adjusted(word.position, "Address mask bits not empty - \(text) - skipping")
                return nil
            }
            return first.setting(hostBitsAfter: length)
        }
        guard let dash = text.utf8.firstIndex(of: UInt8(ascii: "-")) else { return first }
        let end = text[text.index(after: dash)...]
        let last: IPAddress?
        if end.utf8.contains(UInt8(ascii: ".")) || end.utf8.contains(UInt8(ascii: ":")) {
            last = IPAddress(end)
        } else {
            switch first {
            case .v4(let address):
                last = UInt8(end).map {
                    .v4(IPv4Address(rawValue: address.rawValue & ~0xff | UInt32($0)))
                }
            case .v6(let address):
                last = UInt16(end, radix: 16).map {
                    .v6(IPv6Address(high: address.high, low: address.low & ~0xffff | UInt64($0)))
                }
            }
        }
        guard let last else {
            adjusted(word.position, "Invalid range end \(text) - skipping")
            return nil
        }
        guard last.family == first.family else {
            adjusted(word.position, "Range address families do not match \(text) - skipping")
            return nil
        }
        guard first.octets.lexicographicallyPrecedes(last.octets) else {
            let isByte = !end.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }
            adjusted(
                word.position,
                "Address range end is \(isByte ? "not greater" : "less") than address range start -"
                    + " \(text) - skipping")
            return nil
        }
        return last
    }
}

extension VirtualServerGroup.Entry {
    /// Its family; nil for a mark that names none.
    var family: IPAddress.Family? {
        switch self {
        case .addresses(let first, _, _): first.family
        case .firewallMark(_, let family): family
        }
    }
}

extension IPAddress {
    /// The address with all bits after a prefix of that length set.
    fileprivate func setting(hostBitsAfter length: Int) -> IPAddress {
        switch self {
        case .v4(let address):
            .v4(
                IPv4Address(
                    rawValue: address.rawValue
                        | (length == 32 ? 0 : UInt32.max >> UInt32(length))))
        case .v6(let address):
            .v6(
                IPv6Address(
                    high: address.high | (length >= 64 ? 0 : UInt64.max >> UInt64(length)),
                    low: address.low
                        | (length <= 64
                            ? UInt64.max
                            : length == 128 ? 0 : UInt64.max >> UInt64(length - 64))))
        }
    }
}
