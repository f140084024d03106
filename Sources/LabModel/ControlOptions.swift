/// What a verb is applied with, beside the node or service that it is applied to.
public struct ControlOptions: Codable, Hashable, Sendable {
    /// After how long what it does is taken back, unless something else has done so; nil: never.
    public var lasting: Duration?
    /// How far the clocks of a service that is started are off; nil: not at all.
    public var clock: ClockOffset?

    public init(lasting: Duration? = nil, clock: ClockOffset? = nil) {
        self.lasting = lasting
        self.clock = clock
    }
}

extension ControlVerb {
    /// The verb that takes it back, where there is one: after a time, if one is given.
    public var ending: ControlVerb? {
        switch self {
        case .stop, .kill: .start
        case .freeze: .thaw
        case .start, .restart, .reload, .thaw: nil
        }
    }

    /// Whether it starts something, whose clocks may be off from then on.
    public var starts: Bool {
        switch self {
        case .start, .restart: true
        case .stop, .kill, .reload, .freeze, .thaw: false
        }
    }

    /// Why it cannot be applied so; nil when it can.
    public func problem(with options: ControlOptions, on target: Target) -> String? {
        if options.lasting != nil, ending == nil {
            return "nothing that \(rawValue) does is taken back after a time"
        }
        guard options.clock != nil else { return nil }
        if !starts { return "only start and restart give a clock" }
        return target.service == nil
            ? "the clock is a service's: name one, as \(target)/SERVICE" : nil
    }
}
