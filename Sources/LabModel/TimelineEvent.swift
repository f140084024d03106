public import NetworkTypes

/// One thing that happened in a lab. The ordered list of them is the timeline, and `events.jsonl`
/// is that list.
public struct TimelineEvent: Equatable, Sendable {
    /// When, on CLOCK_MONOTONIC.
    public var time: MonotonicInstant
    /// Who put the stamp on.
    public var stamp: Stamp
    /// How far off `time` can be, as ``Stamp`` says; zero for what the supervisor did itself.
    public var uncertainty: Duration
    public var kind: Kind
    /// Its place in the order in which the supervisor learned of things, which is that in which a
    /// scenario's machine was told: 0 for one that was never recorded. A frame may be read after
    /// what came later.
    public var order = 0
    /// The whole Ethernet frame, for events that are one, where frames are kept.
    public var frame: [UInt8]?

    /// Where an event's time comes from, which says how far it can be trusted.
    public enum Stamp: String, Codable, Sendable {
        /// The kernel, when the frame arrived (CLOCK_REALTIME, converted): the uncertainty, before
        /// or after, is that of the two clocks' offset.
        case kernel
        /// The supervisor, when it read the notification: late by at most the uncertainty, the
        /// time since it last found nothing to read.
        case receipt
        /// The supervisor, when it did the thing itself; a node's own first process or our agent,
        /// where they say when.
        case origin
    }

    /// What happened.
    public enum Kind: Equatable, Sendable {
        /// An address was configured on a node's interface (RTM_NEWADDR).
        case addressAdded(node: String, interface: String, address: InterfaceAddress)
        /// An address went away (RTM_DELADDR).
        case addressRemoved(node: String, interface: String, address: InterfaceAddress)
        /// A node's interface changed state (RTM_NEWLINK).
        case link(node: String, interface: String, isUp: Bool, hasCarrier: Bool)
        /// A node's kernel has a new route (RTM_NEWROUTE).
        case routeAdded(node: String, Route)
        /// A route went away (RTM_DELROUTE).
        case routeRemoved(node: String, Route)
        /// A node's entry about a station on the link is new or changed (RTM_NEWNEIGH).
        case neighbour(Neighbour)
        /// An entry was dropped (RTM_DELNEIGH).
        case neighbourRemoved(node: String, interface: String, address: IPAddress)
        /// A VRRP advertisement entered the fabric from that node's port.
        case advertisement(Advertisement)
        /// A gratuitous ARP, request or reply, entered the fabric from that node's port.
        case gratuitousARP(node: String, interface: String, address: IPv4Address, mac: MACAddress)
        /// Any other ARP for IPv4 entered the fabric from that node's port.
        case arp(ARP)
        /// An unsolicited neighbour advertisement (RFC 4861 §7.2.6), IPv6's gratuitous ARP, entered
        /// the fabric from that node's port.
        case unsolicitedNA(node: String, interface: String, address: IPv6Address, mac: MACAddress)
        /// Another frame, of that many bytes, entered the fabric from that node's port while a
        /// capture asked for all to be kept (`labctl capture --keep`).
        case packet(node: String, interface: String, lengthBytes: Int)
        /// A request of a probe ended.
        case probe(ProbeResult)
        /// A verb was applied to a node or service, by a scenario or from the command line.
        case control(ControlVerb, Target)
        /// Something in the network was broken or mended.
        case fault(Fault)
        case node(String, NodeState)
        case service(node: String, service: String, ServiceState)
        /// A scenario's step began or ended.
        case step(StepReport)
        /// What a daemon says of itself: a claim and no fact.
        case claim(Claim)
        /// A check that holds over a whole run did not.
        case violation(Violation)
        /// The supervisor itself, or something in a node, was kept from running for that long.
        case stall(Duration)
        /// The run of a scenario began, or came to know something.
        case scenario(ScenarioEvent)
        /// Something happened that the timeline does not show.
        case lost(Loss)
    }

    /// The life of a node.
    public enum NodeState: String, Codable, Sendable {
        case starting, running, stopped, killed, failed
    }

    /// The life of a service.
    public enum ServiceState: Equatable, Sendable {
        case starting
        /// Its program runs with that process id (in the node).
        case running(pid: Int32)
        case ready
        case stopping
        /// It ended: by itself or because it was asked to.
        case exited(ExitReason)
        /// It will not be started again by itself: what is wrong.
        case failed(String)
    }

    /// How a process ended.
    public enum ExitReason: Equatable, Sendable, CustomStringConvertible {
        case status(Int32)
        case signal(Int32)

        public var description: String {
            switch self {
            case .status(let status): "exit status \(status)"
            case .signal(let signal): "signal \(signal)"
            }
        }
    }

    public init(
        time: MonotonicInstant, stamp: Stamp, uncertainty: Duration = .zero, kind: Kind,
        frame: [UInt8]? = nil
    ) {
        self.time = time
        self.stamp = stamp
        self.uncertainty = uncertainty
        self.kind = kind
        self.frame = frame
    }
}

/// How one request of a probe, or of an expectation, ended.
public struct ProbeResult: Equatable, Sendable {
    /// The probe's name; nil for a single request of an expectation.
    public var probe: String?
    /// When it was due, on the probe's fixed grid.
    public var due: MonotonicInstant
    public var outcome: Outcome

    /// What became of a request.
    public enum Outcome: Equatable, Sendable {
        /// An answer arrived: its status and body.
        case answered(status: Int, body: String)
        /// What was asked for came: a connection, an echo, an Ethernet address. Of kinds of request
        /// whose answers say no more.
        case replied
        /// None did: why (`connection refused`, `timed out`, ...).
        case failed(String)

        /// Whether this is an answer, with status 200 where answers have one.
        public var isSuccess: Bool {
            switch self {
            case .answered(let status, _): status == 200
            case .replied: true
            case .failed: false
            }
        }
    }

    public init(probe: String?, due: MonotonicInstant, outcome: Outcome) {
        self.probe = probe
        self.due = due
        self.outcome = outcome
    }
}

/// How a scenario's step went.
public struct StepReport: Equatable, Sendable {
    public var scenario: String
    /// The step's place in the scenario, from 1.
    public var index: Int
    /// The step in words: `expect VIP 10.10.10.10 on backup`.
    public var summary: String
    public var phase: Phase

    /// Where a step is.
    public enum Phase: Equatable, Sendable {
        case began
        case passed(StepResult)
        /// What was expected and what was seen instead, in one line.
        case failed(String)
        /// It failed, but this machine stood still too long for that to mean anything; the text
        /// says both.
        case inconclusive(String)
        /// The scenario ended before its turn came.
        case notRun
    }

    public init(scenario: String, index: Int, summary: String, phase: Phase) {
        self.scenario = scenario
        self.index = index
        self.summary = summary
        self.phase = phase
    }
}

/// What a step that passed was measured at.
public struct StepResult: Equatable, Sendable {
    /// The event an expectation is counted from, in words: `kill master`; nil for other steps.
    public var cause: String?
    /// How long after its cause the expectation became so; nil where it was so before the cause,
    /// or where nothing was timed.
    public var after: Duration?
    /// The bound that time was held against.
    public var bound: TimeBound?
    /// The longest outage, for an expectation about one; nil if no request was lost.
    public var outage: Outage?
    /// What else was measured or counted, in words: `p99 1.2 ms of 500 answers`.
    public var measured: String?

    public init(
        cause: String? = nil, after: Duration? = nil, bound: TimeBound? = nil,
        outage: Outage? = nil, measured: String? = nil
    ) {
        self.cause = cause
        self.after = after
        self.bound = bound
        self.outage = outage
        self.measured = measured
    }
}
