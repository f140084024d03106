public import NetworkTypes

/// A kind of event that a scenario refers to: a trigger's, or one of a sequence.
///
/// | text                                        | the event                                      |
/// |---------------------------------------------|------------------------------------------------|
/// | `advert(NODE)`, `advert(NODE, priority 0)`  | an advertisement enters from the node's port   |
/// | `garp(NODE)`, `garp(ADDRESS) from NODE`     | a gratuitous ARP or unsolicited NA             |
/// | `frame(arp, ADDRESS) from NODE`             | any ARP that names the address; `vrrp`, `na`   |
/// | `vip(ADDRESS) on NODE`, `off NODE`          | the kernel has it, has it no more              |
/// | `state(NODE) = MASTER`                      | a virtual router comes into that state         |
/// | `service(NODE/SERVICE) = ready`, `= ended`  | a service gets ready, or ends                  |
/// | `neighbour(ADDRESS) of NODE`                | the node's entry for it gets another MAC       |
///
/// Addresses and `from NODE` may be left out: then any is meant; an address in its place in
/// brackets may follow its word instead (`vip on slave`, `garp from slave`).
public enum EventPattern: Hashable, Sendable {
    case advert(AdvertPattern)
    case announcement(IPAddress?, from: String?)
    case frame(FrameKind, IPAddress?, from: String?)
    case addressAppears(IPAddress?, on: String)
    case addressGoes(IPAddress?, on: String)
    case state(RouterState, router: String?, on: String)
    case service(Target, ServicePhase)
    case neighbour(IPAddress?, of: String)

    /// The protocols of `frame(...)`.
    public enum FrameKind: String, Codable, CaseIterable, Sendable { case arp, na, vrrp }

    /// What becomes of a service, for `service(...)`.
    public enum ServicePhase: String, Codable, CaseIterable, Sendable { case ready, ended }

    /// The word it begins with.
    var word: String {
        switch self {
        case .advert: "advert"
        case .announcement: "garp"
        case .frame: "frame"
        case .addressAppears, .addressGoes: "vip"
        case .state: "state"
        case .service: "service"
        case .neighbour: "neighbour"
        }
    }

    /// The words that patterns begin with.
    static let words = ["advert", "garp", "frame", "vip", "state", "service", "neighbour"]

    /// The nodes it names.
    var nodes: [String] {
        switch self {
        case .advert(let pattern): pattern.node.map { [$0] } ?? []
        case .announcement(_, let node), .frame(_, _, let node): node.map { [$0] } ?? []
        case .addressAppears(_, let node), .addressGoes(_, let node), .state(_, _, let node),
            .neighbour(_, let node):
            [node]
        case .service(let target, _): [target.node]
        }
    }
}

extension EventPattern: TextCodable {
    public static var textName: String { "event of a scenario" }

    public static func parse(_ text: String) -> Self? {
        var scanner = PatternScanner(text)
        guard let pattern = scanner.pattern(), scanner.isAtEnd else { return nil }
        return pattern
    }

    public var description: String {
        func named(_ word: String, _ address: IPAddress?) -> String {
            address.map { "\(word)(\($0))" } ?? word
        }
        func from(_ node: String?) -> String { node.map { " from \($0)" } ?? "" }
        switch self {
        case .advert(let pattern):
            let parts = [pattern.node, pattern.priority.map { "priority \($0)" }]
            let text = parts.compactMap(\.self).joined(separator: ", ")
            return text.isEmpty ? "advert" : "advert(\(text))"
        case .announcement(let address, let node): return named("garp", address) + from(node)
        case .frame(let kind, let address, let node):
            let parts = [kind.rawValue, address?.description].compactMap(\.self)
            return "frame(\(parts.joined(separator: ", ")))" + from(node)
        case .addressAppears(let address, let node): return named("vip", address) + " on \(node)"
        case .addressGoes(let address, let node): return named("vip", address) + " off \(node)"
        case .state(let state, let router, let node):
            return "state(\(node)\(router.map { ", \($0)" } ?? "")) = \(state.rawValue)"
        case .service(let target, let phase): return "service(\(target)) = \(phase.rawValue)"
        case .neighbour(let address, let node): return named("neighbour", address) + " of \(node)"
        }
    }
}

/// The event that a step waits for, and how long after it the step is done:
/// `advert(master) + 300ms`.
public struct Trigger: Hashable, Sendable, TextCodable {
    public var pattern: EventPattern
    /// How long after the event.
    public var offset: Duration

    public init(_ pattern: EventPattern, offset: Duration = .zero) {
        self.pattern = pattern
        self.offset = offset
    }

    public static var textName: String { "trigger of a step" }

    public static func parse(_ text: String) -> Self? {
        var scanner = PatternScanner(text)
        guard let pattern = scanner.pattern() else { return nil }
        guard scanner.take("+") else { return scanner.isAtEnd ? Self(pattern) : nil }
        guard let word = scanner.word(), let offset = Duration(durationText: word),
            scanner.isAtEnd
        else { return nil }
        return Self(pattern, offset: offset)
    }

    public var description: String {
        offset == .zero ? pattern.description : "\(pattern) + \(offset.exactText)"
    }
}

extension Duration {
    /// The duration so that `init(durationText:)` reads it again, to the microsecond.
    var exactText: String {
        let microseconds = wholeNanoseconds / 1000
        if microseconds % 1_000_000 == 0 { return "\(microseconds / 1_000_000)s" }
        return microseconds % 1000 == 0 ? "\(microseconds / 1000)ms" : "\(microseconds)us"
    }
}

/// Reads the text of patterns: words, and `( ) , = +` between them.
struct PatternScanner {
    private var tokens: ArraySlice<Substring>

    init(_ text: String) {
        var tokens: [Substring] = []
        var rest = text[...]
        while let first = rest.first {
            let token =
                first.isWhitespace || Self.isPunctuation(first)
                ? rest.prefix(1) : rest.prefix { !$0.isWhitespace && !Self.isPunctuation($0) }
            if !first.isWhitespace { tokens.append(token) }
            rest = rest[token.endIndex...]
        }
        self.tokens = tokens[...]
    }

    private static func isPunctuation(_ character: Character) -> Bool {
        "(),=+".contains(character)
    }

    var isAtEnd: Bool { tokens.isEmpty }

    /// Takes that token, if it is the next.
    mutating func take(_ token: String) -> Bool {
        guard let first = tokens.first, first == token else { return false }
        tokens = tokens.dropFirst()
        return true
    }

    /// Takes the next token, if it is a word.
    mutating func word() -> String? {
        guard let first = tokens.first, !first.allSatisfy(Self.isPunctuation) else { return nil }
        tokens = tokens.dropFirst()
        return String(first)
    }

    /// Takes a pattern; nil when there is none that means anything.
    mutating func pattern() -> EventPattern? {
        guard let name = word(), EventPattern.words.contains(name),
            var parts = arguments()
        else { return nil }
        while let clause = clause() { parts.append(clause) }
        return Self.pattern(name, parts)
    }

    /// One part of a pattern: a word in brackets (`value`), or a word with its preposition.
    private struct Part {
        var preposition: String?
        var value: String
    }

    /// What stands in brackets, if there are any; nil when they are not closed.
    private mutating func arguments() -> [Part]? {
        guard take("(") else { return [] }
        var parts: [Part] = []
        repeat {
            if let clause = clause() {
                parts.append(clause)
            } else if let value = word() {
                parts.append(Part(value: value))
            } else {
                return nil
            }
        } while take(",")
        return take(")") ? parts : nil
    }

    private mutating func clause() -> Part? {
        for preposition in ["on", "off", "from", "of", "priority", "="] where take(preposition) {
            return word().map { Part(preposition: preposition, value: $0) }
        }
        return nil
    }

    private static func service(
        _ text: String, _ phase: EventPattern.ServicePhase
    ) -> EventPattern? {
        guard let target = Target.parse(text), target.service != nil else { return nil }
        return .service(target, phase)
    }

    private static func pattern(_ name: String, _ parts: [Part]) -> EventPattern? {
        var bare = parts.filter { $0.preposition == nil }.map(\.value)[...]
        var clauses: [String: String] = [:]
        for part in parts {
            guard let preposition = part.preposition else { continue }
            guard clauses.updateValue(part.value, forKey: preposition) == nil else { return nil }
        }
        /// The next bare word that is an address.
        func address() -> IPAddress? {
            guard let first = bare.first, let address = IPAddress(first) else { return nil }
            bare = bare.dropFirst()
            return address
        }
        /// What follows one of these words, or the next bare one.
        func node(_ prepositions: String...) -> String? {
            for preposition in prepositions {
                if let node = clauses.removeValue(forKey: preposition) { return node }
            }
            return bare.popFirst()
        }
        let pattern: EventPattern?
        switch name {
        case "advert":
            let priority = clauses.removeValue(forKey: "priority")
            let node = node("from")
            let number = priority.flatMap { Int($0) }
            guard priority == nil || (0...255).contains(number ?? -1) else { return nil }
            pattern = .advert(AdvertPattern(from: node, priority: number))
        case "garp":
            let address = address()
            pattern = .announcement(address, from: node("from"))
        case "frame":
            guard let kind = bare.popFirst().flatMap(EventPattern.FrameKind.init) else {
                return nil
            }
            let address = address()
            pattern = .frame(kind, address, from: node("from"))
        case "vip":
            let address = address()
            if let node = clauses.removeValue(forKey: "off") {
                pattern = .addressGoes(address, on: node)
            } else {
                pattern = node("on").map { .addressAppears(address, on: $0) }
            }
        case "state":
            let state = clauses.removeValue(forKey: "=").flatMap(RouterState.init)
            guard let state, let node = node("on") else { return nil }
            pattern = .state(state, router: bare.popFirst(), on: node)
        case "service":
            let phase = clauses.removeValue(forKey: "=").flatMap(EventPattern.ServicePhase.init)
            guard let phase else { return nil }
            pattern = bare.popFirst().flatMap { service($0, phase) }
        default:
            let address = address()
            pattern = node("of").map { .neighbour(address, of: $0) }
        }
        return bare.isEmpty && clauses.isEmpty ? pattern : nil
    }
}
