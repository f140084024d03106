import NetworkTypes
import Spoofing

/// Why words are no imposture, or cannot be one in a lab, and what would be right.
public struct ImpostureError: Error, Equatable, CustomStringConvertible, Sendable {
    public var description: String
}

extension Imposture {
    /// Reads the words of an imposture: acts, each with what belongs to it behind it, and what is
    /// said of the station as a whole, anywhere.
    ///
    ///     arp ADDRESS [announce [PERIOD]]
    ///     advert [CLAUSE ...]
    ///     flood RATE [CLAUSE ...]
    ///     replay [delay TIME] [rate RATE]
    ///     mac MAC    seed N
    ///     none
    ///
    /// where a RATE is a number a second, and clauses are `vrid N`, `priority N`, `version 2|3`,
    /// `interval TIME`, `address ADDRESS` (once or more), `auth PASSWORD|none`, `from ADDRESS`,
    /// `wrong FLAW[,FLAW...]`.
    ///
    /// - Throws: ``ImpostureError``.
    public init(words: [String]) throws(ImpostureError) {
        var reader = ImpostureReader(words)
        self = try reader.read()
    }

    /// The words that its parts begin with.
    public static let keywords = ["arp", "advert", "flood", "replay", "mac", "seed", "none"]
    fileprivate static let clauses = [
        "vrid", "priority", "version", "interval", "address", "auth", "from", "wrong",
    ]
}

/// Words on their way to an imposture.
private struct ImpostureReader {
    private var rest: ArraySlice<String>
    private var result = Imposture()

    init(_ words: [String]) { rest = words[...] }

    private static func error(_ text: String) -> ImpostureError {
        ImpostureError(description: text)
    }

    mutating func read() throws(ImpostureError) -> Imposture {
        var seen: Set<String> = []
        while let word = rest.popFirst() {
            if ["mac", "seed", "none"].contains(word), !seen.insert(word).inserted {
                throw Self.error("'\(word)' is there twice")
            }
            try read(word)
        }
        let isAlone = seen.isSubset(of: ["none"]) && result.acts.isEmpty
        if seen.contains("none"), !isAlone {
            throw Self.error("'none' stands beside something")
        }
        if !seen.contains("none"), result.acts.isEmpty {
            throw Self.error(
                "the station would do nothing: give arp, advert, flood or replay, or none")
        }
        if result.acts.count > Imposture.maximumActs {
            throw Self.error("a station does at most \(Imposture.maximumActs) things at once")
        }
        return result
    }

    private mutating func read(_ word: String) throws(ImpostureError) {
        switch word {
        case "none": break
        case "arp": try readClaim()
        case "advert":
            result.acts.append(.advert(try readForgery()))
        case "flood":
            let rate = try rate(after: word)
            result.acts.append(.flood(perSecond: rate, try readForgery()))
        case "replay": try readReplay()
        case "mac":
            let text = try value(of: word)
            guard let mac = MACAddress(text), !mac.isMulticast, mac.rawValue != 0 else {
                throw Self.error("'\(text)' after 'mac' is no Ethernet address of a station")
            }
            result.mac = mac
        case "seed":
            let text = try value(of: word)
            guard let seed = UInt64(text) else {
                throw Self.error("'\(text)' after 'seed' is no whole number from 0")
            }
            result.seed = seed
        default:
            if Imposture.clauses.contains(word) {
                throw Self.error("'\(word)' belongs behind advert or flood, and there once")
            }
            if ["announce", "delay", "rate"].contains(word) {
                let act = word == "announce" ? "arp and its address" : "replay"
                throw Self.error("'\(word)' belongs behind \(act), and there once")
            }
            throw Self.error(
                "unknown word '\(word)'"
                    + SpellingSuggestion.hint(
                        for: word, among: Imposture.keywords + Imposture.clauses,
                        known: "known are"))
        }
    }

    private mutating func readClaim() throws(ImpostureError) {
        let address = try address(after: "arp")
        guard take("announce") else {
            result.acts.append(.arp(address, announcing: nil))
            return
        }
        var period = Imposture.announcementPeriod
        if let next = rest.first, next.first?.isNumber ?? false {
            period = try duration(after: "announce")
        }
        result.acts.append(.arp(address, announcing: period))
    }

    private mutating func readReplay() throws(ImpostureError) {
        var (delay, rate): (Duration?, Int?)
        while let word = rest.first, ["delay", "rate"].contains(word) {
            rest.removeFirst()
            guard word == "delay" ? delay == nil : rate == nil else {
                throw Self.error("'\(word)' belongs behind replay, and there once")
            }
            if word == "delay" {
                delay = try duration(after: word)
            } else {
                rate = try self.rate(after: word)
            }
        }
        result.acts.append(.replay(Replay(delay: delay ?? .zero, perSecond: rate)))
    }

    private mutating func readForgery() throws(ImpostureError) -> Imposture.Forgery {
        var forgery = Imposture.Forgery()
        var seen: Set<String> = []
        while let word = rest.first, Imposture.clauses.contains(word) {
            guard word == "address" || seen.insert(word).inserted else {
                throw Self.error("'\(word)' is there twice in one advert")
            }
            rest.removeFirst()
            try read(word, into: &forgery)
        }
        return forgery
    }

    private mutating func read(
        _ word: String, into forgery: inout Imposture.Forgery
    ) throws(ImpostureError) {
        switch word {
        case "vrid": forgery.vrid = UInt8(try number(after: word, in: 1...255))
        case "priority": forgery.priority = UInt8(try number(after: word, in: 0...255))
        case "version": forgery.version = try number(after: word, in: 2...3)
        case "interval": forgery.interval = try duration(after: word)
        case "address": forgery.addresses.append(try address(after: word))
        case "auth":
            let text = try value(of: word)
            forgery.password = text == "none" ? nil : text
        case "from": forgery.source = try address(after: word)
        default: forgery.flaws = try flaws(after: word)
        }
    }

    private mutating func flaws(after word: String) throws(ImpostureError) -> [Flaw] {
        let text = try value(of: word)
        var flaws: [Flaw] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            guard let flaw = Flaw(rawValue: name) else {
                throw Self.error(
                    "'\(name)' after '\(word)' is nothing that can be wrong"
                        + SpellingSuggestion.hint(
                            for: name, among: Flaw.allCases.map(\.rawValue), known: "known are"))
            }
            if flaws.contains(flaw) { throw Self.error("'\(name)' is there twice") }
            flaws.append(flaw)
        }
        return flaws
    }

    // MARK: Values

    /// Takes that word, if it is the next one.
    private mutating func take(_ word: String) -> Bool {
        guard rest.first == word else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func value(of word: String) throws(ImpostureError) -> String {
        guard let value = rest.popFirst() else { throw Self.error("'\(word)' lacks its value") }
        return value
    }

    private mutating func number(
        after word: String, in range: ClosedRange<Int>
    ) throws(ImpostureError) -> Int {
        let text = try value(of: word)
        guard let number = Int(text), range.contains(number) else {
            throw Self.error(
                "'\(text)' after '\(word)' is no whole number from \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return number
    }

    private mutating func rate(after word: String) throws(ImpostureError) -> Int {
        let text = try value(of: word)
        guard let rate = Int(text), (1...Imposture.maximumPerSecond).contains(rate) else {
            throw Self.error(
                "'\(text)' after '\(word)' is no number of frames a second, 1 to "
                    + "\(Imposture.maximumPerSecond)")
        }
        return rate
    }

    private mutating func address(after word: String) throws(ImpostureError) -> IPAddress {
        let text = try value(of: word)
        guard let address = IPAddress(text) else {
            throw Self.error("'\(text)' after '\(word)' is no address, as 10.0.0.100 is")
        }
        return address
    }

    private mutating func duration(after word: String) throws(ImpostureError) -> Duration {
        let text = try value(of: word)
        guard let duration = Duration(durationText: text), duration > .zero else {
            throw Self.error("'\(text)' after '\(word)' is no duration, as 500ms is")
        }
        return .microseconds(duration.wholeNanoseconds / 1000)
    }
}
