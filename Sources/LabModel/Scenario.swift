public import NetworkTypes

/// A script of faults and expectations, run against a lab.
public struct Scenario: Codable, Equatable, Sendable {
    /// Its name in the lab file.
    public var name: String
    /// What it shows, for people.
    public var summary: String?
    /// Files laid over the nodes' own for this scenario alone.
    public var files: [FileOverride]
    /// Probes that run from the scenario's first step to its end.
    public var probes: [Probe]
    /// What happens, in order.
    public var steps: [Step]

    /// A file that a scenario puts in place of a node's own.
    public struct FileOverride: Codable, Equatable, Sendable {
        public var node: String
        public var file: NodeFile
        public init(node: String, file: NodeFile) {
            self.node = node
            self.file = file
        }
    }

    public init(
        name: String, summary: String? = nil, files: [FileOverride] = [], probes: [Probe] = [],
        steps: [Step] = []
    ) {
        self.name = name
        self.summary = summary
        self.files = files
        self.probes = probes
        self.steps = steps
    }
}

/// Requests at a fixed rate from a node, as a client would see the service.
public struct Probe: Codable, Equatable, Sendable {
    /// Its name, by which expectations refer to it.
    public var name: String
    /// The node it asks from.
    public var node: String
    /// What it asks: a new connection for every request.
    public var url: HTTPURL
    /// The time from one request's due time to the next; a request is due by the clock, however
    /// late the last one is.
    public var interval: Duration
    /// How long one request may take before it counts as failed.
    public var timeout: Duration

    public init(name: String, node: String, url: HTTPURL, interval: Duration, timeout: Duration) {
        self.name = name
        self.node = node
        self.url = url
        self.interval = interval
        self.timeout = timeout
    }
}

/// The address of something served over HTTP by an address of the lab:
/// `http://192.0.2.1:8080/index.html`.
public struct HTTPURL: Hashable, Sendable, TextCodable {
    /// The server's address; names are not looked up.
    public var address: IPAddress
    /// Its TCP port; 80 where the text has none.
    public var port: UInt16
    /// Path and query, beginning with `/`.
    public var path: String

    public init(address: IPAddress, port: UInt16 = 80, path: String = "/") {
        self.address = address
        self.port = port
        self.path = path
    }

    /// Parses `http://ADDRESS[:PORT][/PATH]`, an IPv6 address in brackets; nil for anything else.
    public init?(_ text: String) {
        let scheme = "http://"
        guard text.hasPrefix(scheme), !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f })
        else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        path = authority.endIndex == rest.endIndex ? "/" : String(rest[authority.endIndex...])
        let host: Substring
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            let tail = authority[authority.index(after: bracket)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
            if !tail.isEmpty { portText = tail.dropFirst() }
            guard let v6 = IPv6Address(host) else { return nil }
            address = .v6(v6)
        } else {
            let parts = authority.split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = parts[0]
            if parts.count == 2 { portText = parts[1] }
            guard let v4 = IPv4Address(host) else { return nil }
            address = .v4(v4)
        }
        if let portText {
            guard let number = UInt16(portText), number > 0 else { return nil }
            port = number
        } else {
            port = 80
        }
    }

    public static var textName: String { "http URL of an address" }
    public static func parse(_ text: String) -> Self? { Self(text) }

    public var description: String {
        let host: String
        switch address {
        case .v4(let v4): host = v4.description
        case .v6(let v6): host = "[\(v6)]"
        }
        return "http://\(host)\(port == 80 ? "" : ":\(port)")\(path)"
    }
}

/// A node, or one of its services: `master` or `master/httpd`.
public struct Target: Hashable, Sendable, TextCodable {
    public var node: String
    /// Nil for the node itself.
    public var service: String?

    public init(node: String, service: String? = nil) {
        self.node = node
        self.service = service
    }

    public static var textName: String { "NODE or NODE/SERVICE" }
    public static func parse(_ text: String) -> Self? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        return Self(node: parts[0], service: parts.count == 2 ? parts[1] : nil)
    }

    public var description: String { service.map { "\(node)/\($0)" } ?? node }
}

/// One step of a scenario, with the line it stands on.
public struct Step: Codable, Equatable, Sendable {
    public var action: Action
    /// Where it stands in the lab file, for reports.
    public var line: Int

    /// What a step does.
    public enum Action: Codable, Equatable, Sendable {
        /// The verb of that name.
        case control(ControlVerb, Target)
        /// A command in a node, with the exit status it must have.
        case execute(node: String, command: [String], status: Int32)
        /// Lets that much time pass. For the pauses of a story; a condition is an `expect`.
        case wait(Duration)
        case expect(Expectation)
    }

    public init(_ action: Action, line: Int = 0) {
        self.action = action
        self.line = line
    }
}

/// What can be done to a node or to a service of it.
public enum ControlVerb: String, Codable, CaseIterable, Sendable {
    /// A node: its services are stopped and it is powered off; its disk stays. A service: SIGTERM,
    /// then SIGKILL.
    case stop
    /// The way back from `stop` and `kill`.
    case start
    /// `stop`, then `start`.
    case restart
    /// A node: the power cut. A service: SIGKILL of all its processes.
    case kill
    /// All its processes stand still; its addresses and connections stay.
    case freeze
    /// The way back from `freeze`: they go on as if nothing had been.
    case thaw
}

/// What must be so, and by when.
public struct Expectation: Codable, Equatable, Sendable {
    public var condition: Condition
    /// The bound, counted from the event that caused it; nil to derive it from cause and
    /// configuration.
    public var within: Duration?
    /// How long it must stay so afterwards.
    public var holding: Duration?

    /// What must be so.
    public enum Condition: Codable, Equatable, Sendable {
        /// That address is configured on exactly these nodes (empty: on none).
        case address(IPAddress, nodes: [String])
        /// A request from that node is answered with 200 and, if given, exactly that body less one
        /// trailing newline.
        case http(url: HTTPURL, from: String, body: String?)
        /// The outage that a probe has seen since the cause (the last success before to the first
        /// success after) is at most that long.
        case outage(probe: String, atMost: Duration)
    }

    public init(_ condition: Condition, within: Duration? = nil, holding: Duration? = nil) {
        self.condition = condition
        self.within = within
        self.holding = holding
    }
}
