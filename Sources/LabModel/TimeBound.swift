public import NetworkTypes

/// How long something may take, with the arithmetic it comes from: the protocol's own terms, and
/// apart from them the margins that a real machine is allowed.
///
/// Prints as `4.613 s = 3 x 1 s + 157/256 s + margin 1 s`.
public struct TimeBound: Codable, Equatable, Sendable, CustomStringConvertible {
    /// What the protocol's timers and the events already seen add up to.
    public var terms: [Term]
    /// What is granted on top: scheduling, a request's own time.
    public var margins: [Term]

    /// One summand, as it is written and as it counts.
    public struct Term: Codable, Equatable, Sendable {
        /// The summand as people write it: `3 x 1 s`.
        public var text: String
        /// Its value.
        @Nanoseconds public var duration: Duration

        public init(_ text: String, _ duration: Duration) {
            self.text = text
            self.duration = duration
        }
    }

    public init(terms: [Term], margins: [Term]) {
        self.terms = terms
        self.margins = margins
    }

    /// The bound a step of the lab file gives itself (`within:`).
    static func given(_ duration: Duration) -> Self {
        Self(terms: [Term("as the step says", duration)], margins: [])
    }

    /// The figure of theory: the terms without the margins.
    public var theoretical: Duration { terms.reduce(.zero) { $0 + $1.duration } }

    /// The margins' sum.
    public var margin: Duration { margins.reduce(.zero) { $0 + $1.duration } }

    /// What a measurement is held against.
    public var total: Duration { theoretical + margin }

    /// The summands as text: `3 x 1 s + 157/256 s + margin 1 s`.
    public var arithmetic: String { (terms + margins).map(\.text).joined(separator: " + ") }

    public var description: String {
        terms.count + margins.count == 1
            ? "\(total.text) (\(arithmetic))" : "\(total.text) = \(arithmetic)"
    }
}

/// The times that no protocol defines: generous, for a loaded machine must not fail a lab, and each
/// with its name, so that a report can say which were granted.
public struct Allowances: Equatable, Sendable {
    /// For processes to be scheduled, in every bound.
    public var scheduling: Duration = .seconds(1)
    /// From a service's start to its readiness, where that was not observed.
    public var serviceStart: Duration = .seconds(10)
    /// For an effect that cannot be derived: of a command, or of a verb on another service.
    public var unknownEffect: Duration = .seconds(5)
    /// The time between the requests of an http expectation.
    public var requestInterval: Duration = .milliseconds(100)
    /// How long one of those may take.
    public var requestTimeout: Duration = .seconds(1)
    /// For what has arrived to be read, where a count is final only then.
    public var reading: Duration = .milliseconds(50)
    /// How long a step may wait for the event it is tied to.
    public var trigger: Duration = .seconds(60)
    /// How long `start`, `stop`, `restart` and `kill` may take to complete.
    public var control: Duration = .seconds(60)
    /// How long a command of an `exec` step may run.
    public var execute: Duration = .seconds(600)

    public init() {}

    /// The margin every bound has.
    var schedulingTerm: TimeBound.Term { .init("margin \(scheduling.text)", scheduling) }
    /// The margin of what cannot be derived.
    var unknownEffectTerm: TimeBound.Term { .init("default \(unknownEffect.text)", unknownEffect) }
    /// A request is sent at most one interval after the service is there, and takes its time.
    var requestTerm: TimeBound.Term {
        let duration = requestInterval + requestTimeout
        return .init("request \(duration.text)", duration)
    }
    /// The margin for a readiness that was not seen.
    var serviceStartTerm: TimeBound.Term {
        .init("service start \(serviceStart.text)", serviceStart)
    }
}
