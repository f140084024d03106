import NetworkTypes
import Wire

/// Why words are no impairment, and what would be right.
public struct CableImpairmentError: Error, Equatable, CustomStringConvertible, Sendable {
    public var description: String
}

extension CableImpairment {
    /// Reads the words of an impairment, in any order:
    ///
    ///     in | out | both
    ///     delay TIME [JITTER [uniform | normal]]
    ///     loss PERCENT | loss every N | loss gemodel P [R [1-H [1-K]]]
    ///     mtu OCTETS    duplicate PERCENT    corrupt PERCENT    reorder PERCENT [gap N]
    ///     rate RATE [burst SIZE] [limit SIZE | limit PACKETS]    queue PACKETS
    ///     only PROTOCOL [port N]    from NODE    to NODE    seed N    via wire | via netem
    ///     none
    ///
    /// as tc-netem(8) and tc-tbf(8) have them; `queue` is netem's `limit`, and `mtu` loses longer
    /// packets in silence. A rate without `burst` has a bucket for 4 ms, and without `limit` lets
    /// as much wait as passes in 50 ms. `none` ends what is done to these frames.
    ///
    /// - Throws: ``CableImpairmentError``.
    public init(words: [String]) throws(CableImpairmentError) {
        var reader = ImpairmentWords(words)
        self = try reader.read()
    }

    /// The words that begin its parts.
    public static let keywords = [
        "in", "out", "both", "delay", "loss", "duplicate", "corrupt", "reorder", "rate", "queue",
        "mtu", "only", "from", "to", "seed", "via", "none",
    ]
}

/// Words on their way to an impairment.
private struct ImpairmentWords {
    private var rest: ArraySlice<String>
    private var result = CableImpairment(Impairment())
    private var seen: Set<String> = []

    init(_ words: [String]) { rest = words[...] }

    private static func error(_ text: String) -> CableImpairmentError {
        CableImpairmentError(description: text)
    }

    mutating func read() throws(CableImpairmentError) -> CableImpairment {
        while let word = rest.popFirst() {
            let subject = Fault.Direction(rawValue: word) == nil ? word : "direction"
            guard seen.insert(subject).inserted else {
                throw Self.error("'\(word)' is there twice")
            }
            try read(word)
        }
        var problems = result.impairment.problems
        problems += FrameSelector(result.carried, port: result.port).problems
        problems += result.problemsOfPath
        if seen.contains("none") != result.impairment.changesNothing, problems.isEmpty {
            problems = [
                seen.contains("none")
                    ? "'none' stands beside something"
                    : "nothing would be done to frames: give a delay, a loss or the like"
            ]
        }
        guard problems.isEmpty else { throw Self.error(problems.joined(separator: "; ")) }
        return result
    }

    private mutating func read(_ word: String) throws(CableImpairmentError) {
        switch word {
        case "in": result.direction = .in
        case "out": result.direction = .out
        case "both": result.direction = .both
        case "none": break
        case "delay": try readDelay()
        case "loss": result.impairment.loss = try readLoss()
        case "duplicate": result.impairment.duplicatePercent = try percent(of: word)
        case "corrupt": result.impairment.corruptPercent = try percent(of: word)
        case "reorder":
            let share = try percent(of: word)
            let gap = take("gap") ? try count(of: "gap") : 1
            result.impairment.reorder = .init(percent: share, gap: gap)
        case "rate": result.impairment.rate = try readRate()
        case "mtu": result.impairment.mtuBytes = try count(of: word)
        case "queue": result.impairment.limitPackets = try count(of: word)
        case "only":
            let name = try value(of: word)
            guard let known = FrameSelector.FrameProtocol(rawValue: name) else {
                throw Self.error(
                    "'\(name)' after 'only' is no protocol"
                        + SpellingSuggestion.hint(
                            for: name,
                            among: FrameSelector.FrameProtocol.allCases.map(\.rawValue),
                            known: "known are"))
            }
            result.carried = known
            if take("port") {
                let text = try value(of: "port")
                guard let port = UInt16(text) else {
                    throw Self.error("'\(text)' after 'port' is none of 1 to 65535")
                }
                result.port = port
            }
        case "from": result.sender = try value(of: word)
        case "to": result.receiver = try value(of: word)
        case "via":
            let name = try value(of: word)
            guard let path = CableImpairment.Path(rawValue: name) else {
                throw Self.error("'\(name)' after 'via' is none of wire and netem")
            }
            result.path = path
        case "seed":
            let text = try value(of: word)
            guard let seed = UInt64(text) else {
                throw Self.error("'\(text)' after 'seed' is no whole number from 0")
            }
            result.seed = seed
        default:
            throw Self.error(
                "unknown word '\(word)'"
                    + SpellingSuggestion.hint(
                        for: word, among: CableImpairment.keywords, known: "known are"))
        }
    }

    private mutating func readDelay() throws(CableImpairmentError) {
        let text = try value(of: "delay")
        guard let delay = Self.duration(text) else {
            throw Self.error("'\(text)' after 'delay' is no duration, as 10ms is")
        }
        result.impairment.delay = delay
        guard let next = rest.first, let spread = Self.duration(next) else { return }
        rest.removeFirst()
        result.impairment.jitter = .init(spread)
        let isTold = take("distribution")
        guard let name = rest.first, let known = Impairment.Distribution(rawValue: name) else {
            if isTold { throw Self.error("a distribution is uniform or normal") }
            return
        }
        rest.removeFirst()
        result.impairment.jitter?.distribution = known
    }

    private mutating func readLoss() throws(CableImpairmentError) -> Impairment.Loss {
        if take("every") { return .every(try count(of: "loss every")) }
        guard take("gemodel") else {
            _ = take("random")
            return .random(percent: try percent(of: "loss"))
        }
        let p = try percent(of: "loss gemodel")
        var others: [Double] = []
        while others.count < 3, let next = rest.first, let share = Self.percent(next) {
            rest.removeFirst()
            others.append(share)
        }
        return .gilbertElliott(
            .init(
                p: p, r: others.first, oneMinusH: others.count > 1 ? others[1] : 100,
                oneMinusK: others.count > 2 ? others[2] : 0))
    }

    private mutating func readRate() throws(CableImpairmentError) -> Impairment.Rate {
        let text = try value(of: "rate")
        guard
            let bits = Self.number(text, units: ["bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9])
        else { throw Self.error("'\(text)' after 'rate' is no rate, as 10mbit is") }
        let bytes = bits / 8
        // A bucket takes at least a frame, and what comes in between two ticks of a slow timer.
        var rate = Impairment.Rate(
            bitsPerSecond: bits, burstBytes: max(1600, bytes / 250),
            limit: .bytes(max(16_000, bytes / 20)))
        if take("burst") { rate.burstBytes = try Self.size(try value(of: "burst"), of: "burst") }
        if take("limit") {
            let text = try value(of: "limit")
            if let count = Int(text) {
                rate.limit = .packets(count)
            } else {
                rate.limit = .bytes(try Self.size(text, of: "limit"))
            }
        }
        return rate
    }

    // MARK: Values

    /// Takes that word, if it is the next one.
    private mutating func take(_ word: String) -> Bool {
        guard rest.first == word else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func value(of word: String) throws(CableImpairmentError) -> String {
        guard let value = rest.popFirst() else { throw Self.error("'\(word)' lacks its value") }
        return value
    }

    private mutating func count(of word: String) throws(CableImpairmentError) -> Int {
        let text = try value(of: word)
        guard let count = Int(text), count > 0 else {
            throw Self.error("'\(text)' after '\(word)' is no whole number from 1")
        }
        return count
    }

    private mutating func percent(of word: String) throws(CableImpairmentError) -> Double {
        let text = try value(of: word)
        guard let percent = Self.percent(text) else {
            throw Self.error("'\(text)' after '\(word)' is no share, as 10% is")
        }
        return percent
    }

    private static func percent(_ text: String) -> Double? {
        guard text.hasSuffix("%"), let share = Double(text.dropLast()), (0...100).contains(share)
        else { return nil }
        return share
    }

    /// To the microsecond, as netem's clock ticks when it is told so.
    private static func duration(_ text: String) -> Duration? {
        Duration(durationText: text).map { .microseconds($0.wholeNanoseconds / 1000) }
    }

    private static func size(_ text: String, of word: String) throws(CableImpairmentError) -> Int {
        let units: [String: Double] = [
            "b": 1, "k": 1024, "kb": 1024, "m": 1_048_576, "mb": 1_048_576,
        ]
        guard let bytes = number(text, units: units) else {
            throw error("'\(text)' after '\(word)' is no size, as 32kb is")
        }
        return bytes
    }

    /// A decimal number with one of these units, in the unit that is 1.
    private static func number(_ text: String, units: [String: Double]) -> Int? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let unit = units[String(text[digits.endIndex...])], let number = Double(digits),
            number * unit >= 1, number * unit < 1e15
        else { return nil }
        return Int((number * unit).rounded())
    }
}
