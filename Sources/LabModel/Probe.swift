public import NetworkTypes

/// Requests at a fixed rate from a node, as a client would see the service.
public struct Probe: Codable, Equatable, Sendable {
    /// Its name, by which expectations refer to it.
    public var name: String
    /// The node it asks from.
    public var node: String
    /// What it asks.
    public var request: ProbeRequest
    /// Whether all requests share one connection, made for the first and again only after it broke;
    /// else each has its own.
    public var keepsOpen: Bool
    /// The time from one request's due time to the next; a request is due by the clock, however
    /// late the last one is.
    public var interval: Duration
    /// How long one request may take before it counts as failed.
    public var timeout: Duration

    public init(
        name: String, node: String, request: ProbeRequest, keepsOpen: Bool = false,
        interval: Duration,
        timeout: Duration
    ) {
        self.name = name
        self.node = node
        self.request = request
        self.keepsOpen = keepsOpen
        self.interval = interval
        self.timeout = timeout
    }
}

/// One question to an address of the lab.
public enum ProbeRequest: Codable, Hashable, Sendable {
    /// `GET`, the whole answer; 200 is success.
    case http(HTTPURL)
    /// A connection; that it is accepted is success. Kept open, a byte that comes back.
    case tcp(TransportAddress)
    /// A datagram that comes back.
    case udp(TransportAddress)
    /// ICMP's echo request, and its reply.
    case ping(IPAddress)
    /// Address resolution: ARP, or neighbour discovery for IPv6.
    case arp(IPAddress)

    /// The kinds of question, by the words of lab files and of the command line.
    public enum Kind: String, CaseIterable, Sendable {
        case http, tcp, udp, ping, arp
    }

    /// The question of that kind to what `text` names: for HTTP a URL, for TCP and UDP an address
    /// with a port, else an address; nil where it names no such thing.
    public init?(_ kind: Kind, _ text: String) {
        let question: Self? =
            switch kind {
            case .http: HTTPURL(text).map { .http($0) }
            case .tcp: TransportAddress.parse(text).map { .tcp($0) }
            case .udp: TransportAddress.parse(text).map { .udp($0) }
            case .ping: IPAddress(text).map { .ping($0) }
            case .arp: IPAddress(text).map { .arp($0) }
            }
        guard let question else { return nil }
        self = question
    }

    /// The question that a probe asks which is called by its ``description``, with anything behind
    /// it; nil for another name.
    init?(name: String) {
        let words = name.split(separator: " ").map(String.init)
        guard let first = words.first else { return nil }
        if let kind = Kind(rawValue: first), words.count > 1 {
            self.init(kind, words[1])
        } else {
            self.init(.http, first)
        }
    }

    /// Whether more than one of these can go over one connection.
    public var canKeepOpen: Bool {
        switch self {
        case .http, .tcp: true
        case .udp, .ping, .arp: false
        }
    }

    /// Whom it asks.
    public var address: IPAddress {
        switch self {
        case .http(let url): url.address
        case .tcp(let server), .udp(let server): server.address
        case .ping(let address), .arp(let address): address
        }
    }
}

extension ProbeRequest: CustomStringConvertible {
    public var description: String {
        switch self {
        case .http(let url): url.description
        case .tcp(let server): "tcp \(server)"
        case .udp(let server): "udp \(server)"
        case .ping(let address): "ping \(address)"
        case .arp(let address): "arp \(address)"
        }
    }
}

/// An address and a port: `192.0.2.1:53`, `[2001:db8::1]:53`.
public struct TransportAddress: Hashable, Sendable, TextCodable {
    public var address: IPAddress
    public var port: UInt16

    public init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    public static var textName: String { "address with a port" }
    public static func parse(_ text: String) -> Self? {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            return IPv6Address(host.dropFirst().dropLast()).map { Self(.v6($0), port: port) }
        }
        return IPv4Address(host).map { Self(.v4($0), port: port) }
    }

    public var description: String {
        switch address {
        case .v4(let v4): "\(v4):\(port)"
        case .v6(let v6): "[\(v6)]:\(port)"
        }
    }
}

/// What a request is expected to come to.
public enum Answer: Codable, Hashable, Sendable {
    /// Success, as the kind of request says.
    case ok
    /// HTTP's 200 with exactly that body, less one trailing newline.
    case body(String)
    /// That HTTP status.
    case status(Int)
    /// The connection was refused, or the port is unreachable.
    case refused
    /// Nothing came back.
    case timedOut
    /// There is no way there.
    case unreachable

    /// The words of `outcome:` in a lab file.
    static let outcomes: [(word: String, answer: Answer)] = [
        ("ok", .ok), ("refused", .refused), ("timed-out", .timedOut),
        ("unreachable", .unreachable),
    ]

    /// Whether that is what became of a request.
    func isMet(by outcome: ProbeResult.Outcome) -> Bool {
        switch (self, outcome) {
        case (.ok, _): outcome.isSuccess
        case (.body(let body), .answered(200, let text)):
            ExpectedBody.text(of: text).utf8.elementsEqual(body.utf8)
        case (.status(let wanted), .answered(let status, _)): status == wanted
        case (.refused, .failed(let reason)): reason.contains("refused")
        case (.timedOut, .failed(let reason)): reason.contains("timed out")
        case (.unreachable, .failed(let reason)):
            reason.contains("unreachable") || reason.contains("no route")
        case (.body, _), (.status, _), (.refused, _), (.timedOut, _), (.unreachable, _): false
        }
    }
}
