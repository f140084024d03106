package import FoundationEssentials
public import LabModel
public import NetworkTypes

// What `labctl` and a lab's supervisor say to each other on the supervisor's socket: one JSON
// object a message.

/// What a client asks of a supervisor.
package enum ControlRequest: Codable, Sendable {
    case status
    /// What was built: the lab with all its files.
    case describe
    /// End the lab. Answered by the end of the connection.
    case down
    /// Apply a verb; answered when it is done.
    case control(ControlVerb, Target, ControlOptions = ControlOptions())
    /// Break or mend something in the network, for that long if a time is given; answered when it
    /// is so.
    case fault(Fault, lasting: Duration? = nil)
    /// Run a command. With it come standard input, output and error, or nothing where a terminal is
    /// wanted. From then on the connection is the node's (see ``NodeProtocol``).
    case execute(node: String, ExecuteOptions)
    /// What services have printed.
    case logs(LogQuery)
    /// The timeline so far and, following, as it grows.
    case events(follow: Bool)
    /// Frames from now on, in pcapng, until ``endCapture``.
    case capture(CaptureQuery)
    /// What is left of the capture, and its end.
    case endCapture
    /// Run a scenario; its steps' reports are streamed.
    case runScenario(String)
    /// Run steps that are no scenario of the lab's file.
    case run(Scenario)
    /// Ask at a fixed rate until the connection ends; the results are streamed.
    case probe(Probe)
    /// Wait until every virtual router has elected a master.
    case awaitConvergence
}

/// A command to be run in a node.
package struct ExecuteOptions: Codable, Sendable {
    var command: [String]
    var environment: [String]
    var workingDirectory: String?
    var user: String?
    /// Rows and columns, where the command gets a terminal.
    var terminalRows: UInt16?
    var terminalColumns: UInt16?
}

/// Which output is wanted.
package struct LogQuery: Codable, Sendable {
    /// Nil for all nodes.
    var node: String?
    /// Nil for all services of the node.
    var service: String?
    /// Whether what is printed from now on is wanted too.
    var follows: Bool
    /// Only the last so many lines of what has been printed.
    var tail: Int?
}

/// Which frames are wanted.
package struct CaptureQuery: Codable, Sendable {
    /// VRRP, ARP and neighbour advertisements only, which the timeline has anyway.
    var onlyControl: Bool
    /// Whether the others are put on the timeline as well.
    var keepsPackets: Bool
}

/// What a supervisor answers.
package enum ControlReply: Codable, Sendable {
    case done
    case failed(FailureKind, String)
    case status(LabStatus)
    case description(LabDescription)
    case logLine(LogLine)
    /// An event that is not in the file yet.
    case event(TimelineEvent)
    /// So much of the file of the timeline is written: whole lines, which the client reads itself.
    case recorded(bytes: Int)
    /// Whole blocks of a pcapng file.
    case capture(Data)
    case step(StepReport)
    /// What the timeline shows around what went wrong, before the report about it.
    case slice([TimelineEvent])
    case verdict(ScenarioOutcome)

    /// The kinds of ``LabError`` that a supervisor reports.
    package enum FailureKind: String, Codable, Sendable { case machine, state, failed }
}

extension ControlReply {
    /// What an encoder makes of ``event(_:)``, in a fraction of the time.
    static func message(of event: TimelineEvent) -> [UInt8] {
        var line = JSONLine()
        line.append(literal: #"{"event":{"_0":"#)
        line.append(event)
        line.append(literal: "}}")
        return line.bytes
    }
}

/// One line of a service's output.
public struct LogLine: Codable, Equatable, Sendable {
    public var node: String
    public var service: String
    /// When the supervisor read it.
    public var time: MonotonicInstant
    /// Whether it came from standard error.
    public var isError: Bool
    /// The process that was started for the service, as its node numbers it; nil where its program
    /// could not be run.
    public var pid: Int32?
    public var text: String
}

/// How a scenario ended.
public struct ScenarioOutcome: Codable, Equatable, Sendable {
    /// What became of a scenario.
    public enum Verdict: String, Codable, Sendable {
        case passed, failed, inconclusive, skipped
    }
    public var verdict: Verdict
    /// The step, from 1, that did not go as it should or during which a check did not hold; nil
    /// where every step passed, and where none was run.
    public var step: Int?
    /// The message of the step that failed, why nothing can be said, or what this machine lacks;
    /// empty when it passed.
    public var message: String
    /// How long the scenario ran.
    @Nanoseconds public var duration: Duration

    /// The same without how long it took.
    public var result: ScenarioVerdict {
        switch verdict {
        case .passed: .passed
        case .failed: .failed(step: step ?? 0, message: message)
        case .inconclusive: .inconclusive(step: step ?? 0, message: message)
        case .skipped: .skipped(message)
        }
    }
}

/// A lab as it was built.
public struct LabDescription: Codable, Sendable {
    /// The lab with the choices of the command line and the files of its scenario applied.
    public var lab: Lab
    /// Its virtual routers, as the nodes' keepalived.conf files define them.
    public var virtualRouters: [VirtualRouterFacts]
}

/// A lab at a glance.
public struct LabStatus: Codable, Sendable {
    public var lab: String
    /// How long it has been up.
    @Nanoseconds public var uptime: Duration
    public var nodes: [NodeStatus]
    /// What is broken in its network.
    public var faults: [Fault]
    /// The ports of the host by which something of it can be reached.
    public var published: [PublishedPort]
    /// The networks that have a station of the lab's own, or lead to the host's.
    public var gateways: [GatewayStatus]
}

/// How a network is joined to the host: the lab's own station on it, where connections to published
/// ports come from and what leaves the lab passes through; or the interface that it is that of.
public struct GatewayStatus: Codable, Sendable {
    public var network: InterfaceName
    /// The station's; none where there is none.
    public var addresses: [InterfaceAddress]
    /// How the network is joined to what is outside of the lab; nil for not at all.
    public var external: ExternalNetwork?
    /// The device of the host by which that is done; nil for none.
    public var hostDevice: InterfaceName?
    /// The program on the host by which that is done; nil for none.
    public var hostProgram: String?
}

/// A node at a glance.
public struct NodeStatus: Codable, Sendable {
    public var name: String
    public var state: TimelineEvent.NodeState
    /// Whether all its processes stand still.
    public var isFrozen: Bool
    /// The process id of its first process on the host; nil when it is not running.
    public var pid: Int32?
    /// One for each virtual router that its keepalived.conf defines.
    public var virtualRouters: [VirtualRouterStatus]
    public var interfaces: [InterfaceStatus]
    public var services: [ServiceStatus]
}

/// A virtual router on a node, as kernel and wire show it.
public struct VirtualRouterStatus: Codable, Sendable {
    /// The `vrrp_instance`'s name.
    public var instance: String
    public var vrid: Int
    public var priority: Int
    /// MASTER when the node holds the virtual addresses, BACKUP when its daemon runs without them;
    /// nil when the daemon does not run.
    public var role: Role?
    /// The virtual addresses that the node holds.
    public var held: [IPAddress]

    /// RFC 3768's and keepalived's words for a virtual router's states.
    public enum Role: String, Codable, Sendable {
        case master = "MASTER"
        case backup = "BACKUP"
    }
}

/// An interface of a node as its kernel has it.
public struct InterfaceStatus: Codable, Sendable {
    public var name: String
    public var mac: MACAddress
    public var isUp: Bool
    public var hasCarrier: Bool
    public var addresses: [InterfaceAddress]
}

/// A service of a node.
public struct ServiceStatus: Codable, Sendable {
    public var name: String
    public var kind: Service.Kind
    public var state: TimelineEvent.ServiceState?
    /// When it came into that state.
    public var since: MonotonicInstant?
    /// Whether its processes stand still.
    public var isFrozen: Bool

    // The state's own fields stand beside these, as they do in an event.
    private enum Key: String, CodingKey { case name, kind, since, isFrozen, state }

    init(
        name: String, kind: Service.Kind, state: TimelineEvent.ServiceState?,
        since: MonotonicInstant?, isFrozen: Bool
    ) {
        self.name = name
        self.kind = kind
        self.state = state
        self.since = since
        self.isFrozen = isFrozen
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        name = try fields.decode(String.self, forKey: .name)
        kind = try fields.decode(Service.Kind.self, forKey: .kind)
        since = try fields.decodeIfPresent(MonotonicInstant.self, forKey: .since)
        isFrozen = try fields.decode(Bool.self, forKey: .isFrozen)
        state =
            fields.contains(.state) ? try TimelineEvent.ServiceState(from: decoder) : nil
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(kind, forKey: .kind)
        try fields.encodeIfPresent(since, forKey: .since)
        try fields.encode(isFrozen, forKey: .isFrozen)
        try state?.encode(to: encoder)
    }
}
