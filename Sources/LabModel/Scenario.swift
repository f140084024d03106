public import NetworkTypes

/// A script of faults and expectations, run against a lab.
public struct Scenario: Codable, Equatable, Sendable {
    /// Its name in the lab file; of a run of a sweep, with the run's number behind a point.
    public var name: String
    /// What it shows, for people.
    public var summary: String?
    /// What must be so for it to be run; where it is not, the scenario is skipped.
    public var needs: [Capability]
    /// Files laid over the nodes' own for this scenario alone.
    public var files: [FileOverride]
    /// Probes that run from the scenario's first step to its end.
    public var probes: [Probe]
    /// What must hold over the whole run.
    public var checks: [Check]
    /// What happens, in order.
    public var steps: [Step]
    /// What is done at the end, however the steps went; each step, whatever became of the others.
    public var cleanup: [Step]
    /// The phases over which it is repeated; nil for one run.
    public var sweep: Sweep?

    /// A file that a scenario puts in place of a node's own.
    public struct FileOverride: Codable, Equatable, Sendable {
        public var node: String
        public var file: NodeFile
        public init(node: String, file: NodeFile) {
            self.node = node
            self.file = file
        }
    }

    /// Something a machine or a lab may lack, by the word of `needs:`.
    public enum Capability: String, Codable, CaseIterable, Sendable {
        /// A cgroup v2 folder of our own, to freeze nodes with all that is in them at once. Without
        /// it their processes are stopped, which these can see.
        case cgroup2
        /// The kernel's nf_tables for bridges: blackholes and partitions.
        case nftables
        /// The kernel's sch_netem: delay and loss.
        case netem
        /// The kernel's ip_vs: LVS.
        case ipvs = "ip_vs"
        case dummy, macvlan, vrf
        /// Control groups for processor time, memory, processes: limits of nodes.
        case cpuLimits = "cpu-limits"
        case memoryLimits = "memory-limits"
        case pidsLimits = "pids-limits"
        /// Time namespaces: services whose clocks are off.
        case clocks
        /// Users other than root in nodes: in a lab of an ordinary user, a range of user ids.
        case users
        /// The real daemons, installed.
        case keepalived, frr
        /// Our daemon on every node that speaks VRRP, for what no other can do. Nothing of the
        /// machine's: `--vrrp` takes it away.
        case vrrpAgent = "vrrp-agent"
    }

    /// Phases over which a scenario is repeated: each is added to the offset of its first trigger.
    public struct Sweep: Codable, Equatable, Sendable {
        /// The first phase.
        @Nanoseconds public var from: Duration
        /// The last one is at most this.
        @Nanoseconds public var through: Duration
        /// The distance from one phase to the next.
        @Nanoseconds public var step: Duration

        /// The most runs that one sweep makes.
        public static let maximumRuns = 1000

        /// - Precondition: the step is more than nothing.
        public init(from: Duration, through: Duration, step: Duration) {
            precondition(step > .zero, "a sweep moves on")
            self.from = from
            self.through = through
            self.step = step
        }

        /// How many phases there are.
        public var count: Int {
            guard from <= through else { return 0 }
            return Int(
                (through - from).wholeNanoseconds / max(step.wholeNanoseconds, 1)) + 1
        }

        /// The phases, in order.
        public var phases: [Duration] { (0..<count).map { from + step * $0 } }
    }

    public init(
        name: String, summary: String? = nil, needs: [Capability] = [],
        files: [FileOverride] = [], probes: [Probe] = [], checks: [Check] = [],
        steps: [Step] = [], cleanup: [Step] = [], sweep: Sweep? = nil
    ) {
        self.name = name
        self.summary = summary
        self.needs = needs
        self.files = files
        self.probes = probes
        self.checks = checks
        self.steps = steps
        self.cleanup = cleanup
        self.sweep = sweep
    }
}

extension Scenario {
    /// The runs it stands for: itself, or, of a sweep, one for each phase, numbered from 1 with
    /// leading zeros, so that their names sort as they run.
    ///
    /// `kill-in-phase` over 0 ms to 900 ms by 100 ms becomes `kill-in-phase.01` to
    /// `kill-in-phase.10`.
    public var runs: [Scenario] {
        guard let sweep else { return [self] }
        let phases = sweep.phases
        let width = String(phases.count).count
        return phases.enumerated().map { index, phase in
            var run = self
            let number = String(index + 1)
            let zeros = String(repeating: "0", count: width - number.count)
            run.name = "\(name).\(zeros)\(number)"
            run.summary = (summary.map { "\($0); " } ?? "") + "phase \(phase.text)"
            run.sweep = nil
            _ = run.steps.shiftFirstTrigger(by: phase)
            return run
        }
    }

    /// Whether `name` is this scenario's, or that of the sweep of which it is a run.
    public func isCalled(_ fits: (String) -> Bool) -> Bool {
        fits(name) || nameOfSweep.map(fits) ?? false
    }

    /// The sweep of which this is a run; nil where it is not of one.
    public var nameOfSweep: String? {
        guard let point = name.lastIndex(of: "."),
            name[name.index(after: point)...].allSatisfy({ $0.isASCII && $0.isNumber })
        else { return nil }
        return String(name[..<point])
    }
}

extension [Step] {
    /// Moves the first trigger, in the order of the file; false where there is none.
    fileprivate mutating func shiftFirstTrigger(by phase: Duration) -> Bool {
        for index in indices {
            if self[index].trigger != nil {
                self[index].trigger?.offset += phase
                return true
            }
            guard case .parallel(var parts) = self[index].action else { continue }
            if parts.shiftFirstTrigger(by: phase) {
                self[index].action = .parallel(parts)
                return true
            }
        }
        return false
    }

    /// Whether there is a trigger that a sweep could move.
    var haveTrigger: Bool {
        contains { step in
            if step.trigger != nil { return true }
            guard case .parallel(let parts) = step.action else { return false }
            return parts.haveTrigger
        }
    }
}

extension Scenario {
    /// What the machine must have for it: what it says, and what its steps cannot do without.
    public var allNeeds: [Capability] {
        (steps + cleanup).contains(where: \.needsNetem) && !needs.contains(.netem)
            ? needs + [.netem] : needs
    }
}

extension Step {
    /// Whether it has the kernel impair a cable.
    fileprivate var needsNetem: Bool {
        switch action {
        case .fault(.impair(_, let impairment)): impairment.path == .netem && !impairment.isNone
        case .parallel(let parts): parts.contains(where: \.needsNetem)
        case .control, .fault, .execute, .edit, .wait, .expect: false
        }
    }
}
