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
/// without weight any value but 0 is. The sum is kept within 1 and 254.
///
/// The owner of the addresses (255) has no weights, and a member of a sync group none of its own
/// unless the group says so, but for its interfaces, which keepalived says it ignores and adds all
/// the same: a file whose weight was not written down then counts as one without weight, and the
/// rest is not tracked.
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
    /// What is tracked, with the weight that counts.
    public let weights: [Tracked: Weight]
    private var conditions: [Tracked: Condition] = [:]
    /// What each adds now, where that is not 0.
    private var contributions: [Tracked: Int] = [:]

    /// Nothing is known of any of them yet.
    ///
    /// - Parameters:
    ///   - weights: of what the instance tracks.
    ///   - groupWeights: of what its sync group tracks for all members.
    ///   - isBoundToGroup: whether it is in a sync group without `sync_group_tracking_weight`: its
    ///     own weights are then not allowed to part it from the others.
    public init(
        base: UInt8, weights: [Tracked: Weight] = [:], groupWeights: [Tracked: Weight] = [:],
        isBoundToGroup: Bool = false
    ) {
        self.base = base
        let isOwner = base == Advertisement.ownerPriority
        var effective: [Tracked: Weight] = [:]
        for (tracked, weight) in weights {
            effective[tracked] =
                isOwner || isBoundToGroup
                ? tracked.unweighted(weight, isBoundToGroup: isBoundToGroup) : weight
        }
        for (tracked, weight) in groupWeights {
            let weight = isOwner ? Weight(0, isReversed: weight.isReversed) : weight
            // Where both track it the group's weight counts, unless the instance has none at all.
            if effective[tracked].map({ $0.value != 0 }) ?? true { effective[tracked] = weight }
        }
        self.weights = effective
    }

    /// What the value and the weight of a tracked file come to, as keepalived logs it: −254 for
    /// what is FAULT without weight, 0 for a file that is not known.
    public func fileStatus(_ name: String) -> Int {
        guard let weight = weights[.file(name)], case .value(let value)? = conditions[.file(name)]
        else { return 0 }
        guard weight.value != 0 else {
            return weight.isFault(.value(value)) ? EffectivePriority.Weight.fileFault : 0
        }
        return weight.product(value)
    }

    /// The priority in force.
    public var value: UInt8 {
        guard base != Advertisement.ownerPriority else { return base }
        return UInt8(min(max(sum, 1), 254))
    }

    /// The sum of base and weights before it is kept within bounds.
    public var sum: Int { Int(base) + contributions.values.reduce(0, +) }

    /// All that it has a weight of.
    public var tracked: Dictionary<Tracked, Weight>.Keys { weights.keys }

    /// What is to be told before startup: the faults that are known already, and the scripts
    /// without weight that have not answered yet and so hold the router back. (Only scripts take
    /// their time.)
    public var initialEvents: [VirtualRouter.Event] { faults.map { .faultRaised($0) } }

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

    /// A reload has changed what is tracked, or the base. What is tracked still keeps its
    /// condition.
    ///
    /// - Returns: the faults that are new, then those that are gone. The priority is not among
    ///   them: it goes with the router's `.reconfigured`, which comes before.
    public mutating func replace(with new: EffectivePriority) -> [VirtualRouter.Event] {
        let old = self
        self = new
        conditions = old.conditions.filter { new.weights[$0.key] != nil }
        contributions = [:]
        for (tracked, condition) in conditions {
            contributions[tracked] = weights[tracked]?.contribution(of: condition)
        }
        return faults.subtracting(old.faults).map { .faultRaised($0) }
            + old.faults.subtracting(faults).map { .faultCleared($0) }
    }

    /// What is the matter now because of what has no weight.
    private var faults: Set<VirtualRouter.Fault> {
        var faults = Set(weights.keys.filter(isFault).map(\.fault))
        for (tracked, weight) in weights where weight.value == 0 {
            if case .script(let name) = tracked, conditions[tracked] ?? .unknown == .unknown {
                faults.insert(.awaitingScript(name))
            }
        }
        return faults
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
    fileprivate static let fileFault = -254
    private static let mostOfFile = 253

    private var factor: Int { isReversed ? -1 : 1 }

    fileprivate func product(_ fileValue: Int) -> Int {
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

extension EffectivePriority.Tracked {
    /// What keepalived makes of a weight that must not count: FAULT instead where that was not
    /// meant to be a fine difference, else nothing.
    fileprivate func unweighted(
        _ weight: EffectivePriority.Weight, isBoundToGroup: Bool
    ) -> EffectivePriority.Weight? {
        let fault = EffectivePriority.Weight(0, isReversed: weight.isReversed)
        switch (self, weight.value) {
        case (_, 0): return weight
        // keepalived has added it when it clears it.
        case (.interface, _): return isBoundToGroup ? weight : nil
        // The default of a tracked file: nobody has asked for a weight.
        case (.file, 1): return fault
        case (.script, _), (.file, _): return nil
        // keepalived forgets these in a group.
        case (.process, _): return isBoundToGroup ? weight : nil
        }
    }
}
