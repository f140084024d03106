import NetworkTypes

/// A line of routes or rules that keepalived leaves out, with what it says of it.
struct SkippedLine: Error {
    var position: SourcePosition
    var message: String
    /// Why a number in it is none.
    var detail: String?
}

/// What readers of `ip route` and `ip rule` syntax have in common: a line of words, read in order.
protocol RoutingReader: Reading {
    var entry: Statement.Entry { get }
    var index: Int { get set }
    var family: IPAddress.Family? { get set }
}

extension RoutingReader {
    /// The next word; nil at the end of the line.
    mutating func nextWord() -> Word? {
        guard index < entry.words.count else { return nil }
        defer { index += 1 }
        return entry.words[index]
    }

    /// The value of an option.
    mutating func value(of option: Word) throws(SkippedLine) -> Word {
        guard let word = nextWord() else {
            // keepalived exits for it: any word there is must have its value.
            throw SkippedLine(
                position: option.position,
                message: "*** Configuration line starting `\(entry.words[0].text)` is missing a"
                    + " parameter after keyword `\(option.text)` at word position \(index + 1)")
        }
        return word
    }

    /// The option of a static entry that names the group of instances it follows, which has to be
    /// there already.
    mutating func readTrackGroup(
        _ option: Word, of groups: Set<String>
    ) throws(SkippedLine) {
        let name = try value(of: option)
        if !groups.contains(name.text) {
            adjusted(name.position, "track_group \(name.text) not found")
        }
    }

    /// Makes `other` the line's family; an error when it has the other one.
    mutating func unify(
        _ other: IPAddress.Family, _ word: Word, _ message: String
    ) throws(SkippedLine) {
        guard family ?? other == other else {
            throw SkippedLine(position: word.position, message: message)
        }
        family = other
    }

    /// An address with or without the length of its prefix, and `default`, `any` or `all`, whose
    /// family is that of the line, or nil while it has none.
    mutating func prefix(_ word: Word) -> IPPrefixText? {
        switch word.text {
        case "default", "any", "all": return .anything
        case "default6":
            note(
                word.position,
                "'default6' is deprecated - please replace with 'inet6 default'")
            return .prefix(InterfaceAddress(.v6(IPv6Address(high: 0, low: 0)), prefixLength: 0))
        default:
            let parts = word.text.split(separator: "/", maxSplits: 1)
            guard let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
            var length = address.bitWidth
            if word.text.contains("/") {
                let written = parts.count > 1 ? String(parts[1]) : "/"
                let message =
                    "Invalid address prefix len \(parts.count > 1 ? written : "") for address"
                    + " \(word.text) - using \(length)"
                length =
                    integer(
                        Word(text: written, position: word.position), in: 0...length,
                        isStrict: true, else: message) ?? length
            }
            return .prefix(InterfaceAddress(address, prefixLength: length))
        }
    }

    /// A number of C's sort in a range.
    func number(
        _ word: Word, upTo limit: UInt32 = .max, _ message: String
    ) throws(SkippedLine) -> UInt32 {
        do {
            return UInt32(try readInteger(word.text, in: 0...Int(limit)))
        } catch {
            throw SkippedLine(position: word.position, message: message, detail: error.message)
        }
    }

    /// An interface's name.
    func interface(_ word: Word, _ message: String) throws(SkippedLine) -> InterfaceName {
        guard let name = InterfaceName(word.text) else {
            throw SkippedLine(position: word.position, message: message)
        }
        return name
    }

    /// What keepalived says, too, of a word that should be an address.
    func invalidAddress(_ word: Word) -> String {
        "VRRP parsed invalid IP \(word.text). skipping IP..."
    }

    /// Warns of a family's name, after which keepalived 2.2.7 loses a word.
    mutating func reportSkippedWord(after word: Word) {
        guard index < entry.words.count else { return }
        adjusted(
            word.position, "keepalived 2.2.7 skips the word after '\(word.text)'",
            detail: "here it is read as the manual has it; the addresses tell the family, too")
    }

    /// Reports a line that is left out: an error, since what was written is lost.
    mutating func report(_ skipped: SkippedLine) {
        if skipped.message.hasPrefix("*** ") {
            diagnostics.append(
                ConfDiagnostic(skipped.position, .error, .refused, skipped.message))
        } else {
            lost(
                skipped.position, skipped.message,
                detail: skipped.detail ?? "the line is left out", isDisplaced: entry.isDisplaced)
        }
    }
}

/// A destination or a source as written.
enum IPPrefixText {
    /// `default` and its synonyms: of the line's family.
    case anything
    /// An address.
    case prefix(InterfaceAddress)

    /// Its family; nil where it fits any.
    var family: IPAddress.Family? {
        switch self {
        case .anything: nil
        case .prefix(let address): address.address.family
        }
    }

    /// The network in that family.
    func resolved(_ family: IPAddress.Family) -> IPPrefix {
        switch self {
        case .prefix(let address): address.network
        case .anything:
            switch family {
            case .v4: IPPrefix(containing: .v4(IPv4Address(rawValue: 0)), length: 0)
            case .v6: IPPrefix(containing: .v6(IPv6Address(high: 0, low: 0)), length: 0)
            }
        }
    }
}
