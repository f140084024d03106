/// The priority of a router whose instance tracks things by weight, as a value: the configured one,
/// more while what has a positive weight is well, less while what has a negative one is not.
///
/// | weight            | well   | failing | not known yet |
/// |-------------------|--------|---------|---------------|
/// | w > 0             | + w    |         |               |
/// | w < 0             |        | − \|w\| |               |
/// | w > 0, `reverse`  | − w    |         |               |
/// | w < 0, `reverse`  |        | + \|w\| |               |
/// | 0                 |        | FAULT   | INIT          |
/// | 0, `reverse`      | FAULT  |         | INIT          |
///
/// A tracked file has a value: value × weight is added, at most 253, and −254 or less is FAULT;
/// without weight any value but 0 is. The sum is kept within 1 and 254; the owner of the addresses
/// (255) has no weights.
///
/// What a change means for the router comes back as its events.
public struct EffectivePriority: Equatable, Sendable {
    /// What can be tracked, by name.
    public enum Tracked: Hashable, Sendable {
        case interface(String)
        case script(String)
        case process(String)
        case file(String)
    }

    /// What is added for it.
    public struct Weight: Equatable, Sendable {
        /// −254 to 254; 0 for FAULT instead.
        public var value: Int
        /// Whether well and failing are swapped.
        public var isReversed: Bool

        public init(_ value: Int, isReversed: Bool = false) {
            self.value = value
            self.isReversed = isReversed
        }
    }

    /// How it is with something that is tracked.
    public enum Condition: Equatable, Sendable {
        /// It has not answered yet.
        case unknown
        case well
        case failing
        /// What a tracked file says.
        case value(Int)
    }

    /// The configured priority.
    public let base: UInt8
    private let weights: [Tracked: Weight]
    private var conditions: [Tracked: Condition] = [:]
    /// What each adds now, where that is not 0.
    private var contributions: [Tracked: Int] = [:]

    /// Nothing is known of any of them yet.
    ///
    /// - Parameter weights: of everything that is tracked; of an owner's those that are 0 only.
    public init(base: UInt8, weights: [Tracked: Weight] = [:]) {
        self.base = base
        self.weights =
            base == Advertisement.ownerPriority ? weights.filter { $0.value.value == 0 } : weights
    }

    /// The priority in force.
    public var value: UInt8 {
        guard base != Advertisement.ownerPriority else { return base }
        return UInt8(min(max(Int(base) + contributions.values.reduce(0, +), 1), 254))
    }

    /// What is to be told before startup of those that nothing is known of: what has no weight and
    /// has not answered yet holds the router back. Only scripts take their time.
    public var initialEvents: [VirtualRouter.Event] {
        weights.keys.compactMap { tracked in
            guard case .script(let name) = tracked, weights[tracked]?.value == 0,
                conditions[tracked] ?? .unknown == .unknown
            else { return nil }
            return .faultRaised(.awaitingScript(name))
        }
    }

    /// Takes what is the matter with something that is tracked now.
    ///
    /// - Returns: what the router is to be told, in this order.
    public mutating func update(
        _ tracked: Tracked, _ condition: Condition
    ) -> [VirtualRouter.Event] {
        guard let weight = weights[tracked], conditions[tracked] ?? .unknown != condition else {
            return []
        }
        let before = (priority: value, isFault: isFault(tracked))
        conditions[tracked] = condition
        contributions[tracked] = weight.contribution(of: condition)
        var events: [VirtualRouter.Event] = []
        switch (before.isFault, isFault(tracked)) {
        case (false, true): events.append(.faultRaised(tracked.fault))
        case (true, false): events.append(.faultCleared(tracked.fault))
        case (false, false), (true, true): break
        }
        // After the fault, so that a script whose first answer is bad leads to FAULT, not past it.
        if weight.value == 0, case .script(let name) = tracked {
            events.append(
                condition == .unknown
                    ? .faultRaised(.awaitingScript(name)) : .faultCleared(.awaitingScript(name)))
        }
        // Before the fault is gone, so that the router comes back with what it has then.
        if value != before.priority { events.insert(.priorityChanged(value), at: 0) }
        return events
    }

    private func isFault(_ tracked: Tracked) -> Bool {
        guard let weight = weights[tracked], let condition = conditions[tracked] else {
            return false
        }
        return weight.isFault(condition)
    }
}

extension EffectivePriority.Weight {
    /// The product at which a tracked file means FAULT.
    private static let fileFault = -254
    private static let mostOfFile = 253

    private var factor: Int { isReversed ? -1 : 1 }

    private func product(_ fileValue: Int) -> Int {
        let (product, overflows) = fileValue.multipliedReportingOverflow(by: value * factor)
        guard overflows else { return product }
        return (fileValue < 0) == (value * factor < 0) ? .max : .min
    }

    fileprivate func isFault(_ condition: EffectivePriority.Condition) -> Bool {
        switch condition {
        case .unknown: false
        case .well: value == 0 && isReversed
        case .failing: value == 0 && !isReversed
        case .value(let fileValue) where value == 0: (fileValue != 0) != isReversed
        case .value(let fileValue): product(fileValue) <= Self.fileFault
        }
    }

    fileprivate func contribution(of condition: EffectivePriority.Condition) -> Int? {
        switch condition {
        case .unknown: nil
        case .well: value > 0 ? value * factor : nil
        case .failing: value < 0 ? value * factor : nil
        case .value: valueContribution(condition)
        }
    }

    private func valueContribution(_ condition: EffectivePriority.Condition) -> Int? {
        guard case .value(let fileValue) = condition, value != 0, !isFault(condition) else {
            return nil
        }
        return min(product(fileValue), Self.mostOfFile)
    }
}

extension EffectivePriority.Tracked {
    /// The fault it is when it has no weight.
    var fault: VirtualRouter.Fault {
        switch self {
        case .interface(let name): .trackedInterface(name)
        case .script(let name): .trackedScript(name)
        case .process(let name): .trackedProcess(name)
        case .file(let name): .trackedFile(name)
        }
    }
}
