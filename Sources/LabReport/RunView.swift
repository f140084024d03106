import LabModel
public import NetworkTypes

/// A run as a picture shows it: a lane for each node and each probe, and the steps. Times are whole
/// microseconds since the run's first moment, which is as fine as a picture gets.
struct RunView: Encodable, Sendable {
    /// When the scenario began; before that the lab was built.
    var began: Int
    /// How long the picture is.
    var length: Int
    var nodes: [NodeLane]
    var probes: [ProbeLane]
    var steps: [StepView]
    /// What did not hold that was to hold over the whole run.
    var violations: [ViolationView]
    /// The checks that held as long as they were watched: until the first that did not.
    var held: [String]
    /// When the machine itself stood still.
    var stalls: [Span]
    /// What happened, in words, but for what comes in masses: advertisements, probes, steps.
    var log: [LogEntry]

    /// A stretch of time; `to` is nil for what was so until the end.
    struct Span: Encodable, Equatable, Sendable {
        var from: Int
        var to: Int?
    }

    /// One node.
    struct NodeLane: Encodable, Equatable, Sendable {
        var name: String
        /// What it was, from first to last.
        var states: [StateSpan]
        /// The virtual addresses it held.
        var held: [HeldSpan]
        /// Its advertisements: time, VRID, priority.
        var adverts: [[Int]]
        /// Its gratuitous ARPs and unsolicited neighbour advertisements.
        var announcements: [Int]
        /// What was done to it, and what became of its services.
        var marks: [Mark]
    }

    /// A stretch of one state.
    struct StateSpan: Encodable, Equatable, Sendable {
        var state: NodeRole
        var from: Int
        var to: Int?
    }

    /// A stretch in which a node held an address.
    struct HeldSpan: Encodable, Equatable, Sendable {
        var address: String
        var from: Int
        var to: Int?
    }

    /// Something at one moment.
    struct Mark: Encodable, Equatable, Sendable {
        var time: Int
        /// Whether somebody did it, or it happened by itself.
        var isFault: Bool
        var text: String
    }

    /// One probe.
    struct ProbeLane: Encodable, Equatable, Sendable {
        var name: String
        /// What it asks from where: `http://10.0.0.1/ from client`.
        var summary: String
        /// Its requests: when due, how long it took, 1 for a success and 0 for a failure.
        var results: [[Int]]
        var outages: [OutageView]
        /// Percentiles of the time to answer, of the answered requests: 50, 90, 99, 99.9, 100.
        var percentiles: [Percentile]
    }

    /// A time without service.
    struct OutageView: Encodable, Equatable, Sendable {
        var from: Int
        var to: Int?
        var lost: Int
    }

    /// How many in a hundred were answered within that time.
    struct Percentile: Encodable, Equatable, Sendable {
        var percent: Double
        var time: Int
    }

    /// A step of the scenario.
    struct StepView: Encodable, Equatable, Sendable {
        var number: Int
        var summary: String
        var from: Int
        var to: Int?
        /// `passed`, `failed`, `inconclusive`, `not run`, or `running` where the record ends in it.
        var verdict: String
        /// What was measured, or what was seen instead.
        var text: String
    }

    /// A check of the whole run that did not hold for a while.
    struct ViolationView: Encodable, Equatable, Sendable {
        var check: String
        /// What was seen instead, and after what.
        var text: String
        var from: Int
        var to: Int?
    }

    /// An event in words, or a line that a service printed.
    struct LogEntry: Encodable, Equatable, Sendable {
        var time: Int
        var node: String
        /// Which printed it; nil for what kernel and wire showed.
        var service: String?
        var text: String
    }
}

/// A line that a service printed.
public struct PrintedLine: Equatable, Sendable {
    /// When it was read.
    public var time: MonotonicInstant
    public var node: String
    public var service: String
    public var text: String

    public init(time: MonotonicInstant, node: String, service: String, text: String) {
        self.time = time
        self.node = node
        self.service = service
        self.text = text
    }
}

/// What a node is to the virtual addresses at a moment.
enum NodeRole: String, Encodable, Sendable {
    /// It does not run.
    case down
    /// It stands still as a whole, with the addresses that it has.
    case frozen
    /// It runs, and no VRRP daemon does on it.
    case up
    /// Its VRRP daemon runs, and it holds no virtual address.
    case backup = "BACKUP"
    /// It holds a virtual address.
    case master = "MASTER"
}
