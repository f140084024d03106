public import NetworkTypes

/// One step of a scenario, with the line it stands on.
public struct Step: Codable, Equatable, Sendable {
    public var action: Action
    /// The event that an acting step waits for; nil for one that is done when its turn comes.
    public var trigger: Trigger?
    /// After how long a fault or verb is taken back, unless something else has done so; nil: never.
    public var lasting: Duration?
    /// How far the clocks of a service that is started are off; nil: not at all.
    public var clock: ClockOffset?
    /// Where it stands in the lab file, for reports.
    public var line: Int

    /// What a step does.
    public enum Action: Codable, Equatable, Sendable {
        /// The verb of that name.
        case control(ControlVerb, Target)
        /// Something in the network is broken or mended.
        case fault(Fault)
        /// A command in a node, with the exit status it must have and what it must print.
        case execute(
            node: String, command: [String], status: Int32 = 0, output: TextMatch? = nil)
        /// Files of nodes are replaced while these run.
        case edit([Scenario.FileOverride])
        /// Acting steps that begin together; the step is over when all of them are.
        case parallel([Step])
        /// Lets that much time pass. For the pauses of a story; a condition is an `expect`.
        case wait(Duration)
        case expect(Expectation)
    }

    public init(
        _ action: Action, at trigger: Trigger? = nil, lasting: Duration? = nil,
        clock: ClockOffset? = nil, line: Int = 0
    ) {
        self.action = action
        self.trigger = trigger
        self.lasting = lasting
        self.clock = clock
        self.line = line
    }
}

extension Step {
    /// What its verb is applied with.
    var options: ControlOptions { ControlOptions(lasting: lasting, clock: clock) }

    /// Whether what it does can be taken back after a time.
    var canBeTakenBack: Bool {
        switch action {
        case .control(let verb, _): verb.ending != nil
        case .fault(let fault): fault.ending != nil
        case .execute, .edit, .parallel, .wait, .expect: false
        }
    }
}

/// What a text must be.
public enum TextMatch: Codable, Hashable, Sendable {
    /// Exactly that, less one newline at its end.
    case equals(String)
    /// That is somewhere in it.
    case contains(String)
    /// A regular expression, in Swift's syntax, fits somewhere in it; `^` and `$` are the ends of a
    /// line, as grep has it.
    case matches(String)

    /// Whether `text` is so. A pattern that is none fits nothing; the lab file has none such.
    public func isMet(by text: String) -> Bool {
        switch self {
        case .equals(let wanted):
            // Byte for byte: for Swift, canonically equivalent texts are equal.
            ExpectedBody.text(of: text).utf8.elementsEqual(wanted.utf8)
        case .contains(let part): part.isEmpty || text.contains(part)
        case .matches(let pattern):
            (try? Regex(pattern)).map { text.contains($0.anchorsMatchLineEndings()) } ?? false
        }
    }
}

extension TextMatch: CustomStringConvertible {
    public var description: String {
        switch self {
        case .equals(let text): "'\(text)'"
        case .contains(let text): "'...\(text)...'"
        case .matches(let pattern): "/\(pattern)/"
        }
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
    /// SIGHUP to a service's main process: it reads its configuration anew.
    case reload
    /// All its processes stand still; its addresses and connections stay.
    case freeze
    /// The way back from `freeze`: they go on as if nothing had been.
    case thaw
}
