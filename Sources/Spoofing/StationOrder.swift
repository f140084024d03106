public import NetworkTypes

/// What a station is to do on a network, to the last number: what the program `imposter` is told.
public struct StationOrder: Codable, Equatable, Sendable {
    /// The index of the interface by which it sends and hears.
    public var interface: Int32
    /// The Ethernet source of what it sends, and where it says that addresses are.
    public var mac: MACAddress
    /// The addresses that it says are its own.
    public var claims: [AddressClaim]
    /// The advertisements that it makes up.
    public var adverts: [ForgedAdvert]
    /// The advertisements of others that it sends again.
    public var replays: [Replay]
    /// What everything random follows from.
    public var seed: UInt64

    public init(
        interface: Int32 = 0, mac: MACAddress, claims: [AddressClaim] = [],
        adverts: [ForgedAdvert] = [], replays: [Replay] = [], seed: UInt64 = 0
    ) {
        self.interface = interface
        self.mac = mac
        self.claims = claims
        self.adverts = adverts
        self.replays = replays
        self.seed = seed
    }
}

/// An address that a station answers for: IPv4 by ARP (RFC 826), IPv6 by neighbour advertisements
/// (RFC 4861 §7.2.4), also to whoever looks for duplicates.
public struct AddressClaim: Codable, Hashable, Sendable {
    public var address: IPAddress
    /// How often it announces the address as well, unasked (RFC 5227 §3, RFC 4861 §7.2.6), in
    /// nanoseconds; nil for never.
    public var announcePeriodNanoseconds: Int64?

    /// - Parameter announcePeriod: how often it is announced as well; nil for never.
    public init(_ address: IPAddress, announcePeriod: Duration? = nil) {
        self.address = address
        announcePeriodNanoseconds = announcePeriod?.wholeNanoseconds
    }
}

/// An advertisement that a station makes up and sends again and again.
public struct ForgedAdvert: Codable, Hashable, Sendable {
    /// 2 or 3.
    public var version: Int
    public var vrid: UInt8
    public var priority: UInt8
    /// The interval that it says.
    @Nanoseconds public var interval: Duration
    public var addresses: [IPAddress]
    /// Version 2's password in clear text; nil for none.
    public var password: String?
    /// The IP source address, which also says over which family it goes.
    public var source: IPAddress
    /// What is wrong with it, one of these at a time, by the seed; nothing where there are none.
    public var flaws: [Flaw]
    /// The time from one to the next.
    @Nanoseconds public var period: Duration

    public init(
        version: Int = 3, vrid: UInt8, priority: UInt8, interval: Duration = .seconds(1),
        addresses: [IPAddress], password: String? = nil, source: IPAddress, flaws: [Flaw] = [],
        period: Duration
    ) {
        self.version = version
        self.vrid = vrid
        self.priority = priority
        self.interval = interval
        self.addresses = addresses
        self.password = password
        self.source = source
        self.flaws = flaws
        self.period = period
    }
}

/// How a station sends again, byte for byte, the advertisements that it hears of others.
public struct Replay: Codable, Hashable, Sendable {
    /// How long after it was heard.
    @Nanoseconds public var delay: Duration
    /// How many a second, of those that were heard, in turn and over and over, be it that nobody
    /// advertises any more; nil for each once.
    public var perSecond: Int?

    public init(delay: Duration = .zero, perSecond: Int? = nil) {
        self.delay = delay
        self.perSecond = perSecond
    }
}

/// The one thing that is wrong with an advertisement that is otherwise right.
///
/// Each is one that a receiver has to discard (RFC 3768 §7.1, RFC 9568 §7.1).
public enum Flaw: String, Codable, CaseIterable, Sendable {
    /// Its checksum is another number.
    case checksum
    /// Its TTL or hop limit is 254, as if a router had forwarded it.
    case ttl
    /// It is a right one of the other version, 3 for 2 and 2 for 3, without password.
    case version
    /// It says type 2, which there is not.
    case type
    /// It is four octets shorter than it says (sixteen over IPv6), or says one address too many
    /// where it has none.
    case length
    /// Its VRID is another one, by the seed.
    case vrid
    /// Its message is random octets, 1 to 64 of them.
    case random
}
