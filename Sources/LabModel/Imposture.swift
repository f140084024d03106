public import NetworkTypes
public import Spoofing

/// What a station that belongs to nobody does on a network of the lab, in words:
/// `arp 10.0.0.100 announce 1s`, `advert vrid 51 priority 255`, `flood 100000 wrong checksum`.
///
/// What is not said follows from the lab: see ``order(on:in:routers:)``.
public struct Imposture: Hashable, Sendable {
    /// What it does, all of it at once; nothing for the end of what it did.
    public var acts: [Act] = []
    /// Its Ethernet address; nil for one that follows from lab and network.
    public var mac: MACAddress?
    /// What everything random follows from.
    public var seed: UInt64 = 0

    public init(_ acts: [Act] = []) { self.acts = acts }

    /// One thing that it does.
    public enum Act: Hashable, Sendable {
        /// It answers whoever asks for that address, and announces it every so often, if so told.
        case arp(IPAddress, announcing: Duration?)
        /// It advertises, once each interval.
        case advert(Forgery)
        /// It sends again what it hears advertised.
        case replay(Replay)
        /// It advertises, so many times a second.
        case flood(perSecond: Int, Forgery)
    }

    /// What an advertisement of its says; nil where the lab's own routers decide.
    public struct Forgery: Hashable, Sendable {
        public var vrid: UInt8?
        public var priority: UInt8 = 255
        public var version: Int?
        public var interval: Duration?
        public var addresses: [IPAddress] = []
        /// Version 2's password; nil for none.
        public var password: String?
        public var source: IPAddress?
        /// What is wrong with it, one of these at a time.
        public var flaws: [Flaw] = []

        public init(vrid: UInt8? = nil, priority: UInt8 = 255) {
            self.vrid = vrid
            self.priority = priority
        }
    }

    /// Whether it ends what the station does.
    public var isNone: Bool { acts.isEmpty }
    /// What ends it.
    static var ending: Imposture { Imposture() }

    /// How often an address is announced where nothing else is said.
    public static let announcementPeriod = Duration.seconds(1)
    /// The most frames a second that one act sends.
    public static let maximumPerSecond = 100_000
    /// The most things that a station does at once.
    public static let maximumActs = 32

    /// The VRIDs that it advertises with a right message, as far as it is told which.
    var advertised: [Forgery] {
        acts.compactMap { act in
            switch act {
            case .advert(let forgery), .flood(_, let forgery): forgery.flaws.isEmpty ? forgery : nil
            case .arp, .replay: nil
            }
        }
    }
}

/// How frames and events of an imposter are told from those of nodes.
public enum ImposterName {
    private static let prefix = "imposter@"

    /// What the station on a network is called where others bear the name of their node. No node
    /// can be called so: an `@` is part of no hostname. Its interface is called as the network.
    public static func name(on network: InterfaceName) -> String { prefix + network.text }

    /// The network of the station that is called so; nil for a node.
    public static func network(of name: String) -> InterfaceName? {
        name.hasPrefix(prefix) ? InterfaceName(name.dropFirst(prefix.count)) : nil
    }

    /// Whether that is no node.
    public static func isName(_ name: String) -> Bool { name.hasPrefix(prefix) }
}

extension Imposture: TextCodable {
    public static var textName: String { "imposture, as in `\(example)`" }
    /// How one is written.
    public static let example = "advert vrid 51 priority 255"

    public static func parse(_ text: String) -> Self? {
        try? Self(words: text.split(separator: " ").map(String.init))
    }

    /// The words that ``init(words:)`` reads it from.
    public var description: String {
        guard !isNone else { return "none" }
        var words = acts.flatMap(\.words)
        if let mac { words += ["mac", mac.description] }
        if seed != 0 { words += ["seed", String(seed)] }
        return words.joined(separator: " ")
    }
}

extension Imposture.Act {
    fileprivate var words: [String] {
        switch self {
        case .arp(let address, let period):
            return ["arp", address.description]
                + (period.map { ["announce", $0.exactText] } ?? [])
        case .advert(let forgery): return ["advert"] + forgery.words
        case .flood(let rate, let forgery): return ["flood", String(rate)] + forgery.words
        case .replay(let replay):
            var words = ["replay"]
            if replay.delay != .zero { words += ["delay", replay.delay.exactText] }
            if let rate = replay.perSecond { words += ["rate", String(rate)] }
            return words
        }
    }
}

extension Imposture.Forgery {
    fileprivate var words: [String] {
        var words: [String] = []
        if let vrid { words += ["vrid", String(vrid)] }
        if priority != 255 { words += ["priority", String(priority)] }
        if let version { words += ["version", String(version)] }
        if let interval { words += ["interval", interval.exactText] }
        for address in addresses { words += ["address", address.description] }
        if let password { words += ["auth", password] }
        if let source { words += ["from", source.description] }
        if !flaws.isEmpty {
            words += ["wrong", flaws.map(\.rawValue).joined(separator: ",")]
        }
        return words
    }
}
