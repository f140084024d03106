import NetworkTypes

/// A rule at work: what it has seen so far, and what follows from that.
struct RuleState: Sendable {
    let rule: WireRule
    /// Names it to the copies that it has let through, among all rules the lane has ever had.
    let number: UInt32
    private(set) var counters = WireCounters()
    /// Copies that were let through and have not departed.
    private(set) var copiesUnderWay = 0

    private let random: WireRandom
    private let duplicate: Chance
    private let corrupt: Chance
    private let reorder: Chance
    private let loss: Chance
    private let gilbertElliott: Chances?
    private var isBad = false
    /// Copies that waited since the last one that went at once; netem's `counter`.
    private var waitedSinceReorder = 0
    private var bucket: TokenBucket?

    private struct Chances {
        var bad, good, lossInBad, lossInGood: Chance
    }

    init(_ rule: WireRule, number: UInt32, link: String, direction: WireDirection) {
        self.rule = rule
        self.number = number
        random = WireRandom(seed: rule.seed, link: link, direction: direction)
        let impairment = rule.impairment
        duplicate = Chance(percent: impairment.duplicatePercent)
        corrupt = Chance(percent: impairment.corruptPercent)
        reorder = Chance(percent: impairment.reorder?.percent ?? 0)
        bucket = impairment.rate.map { TokenBucket($0) }
        switch impairment.loss {
        case .random(let percent):
            loss = Chance(percent: percent)
            gilbertElliott = nil
        case .gilbertElliott(let model):
            loss = Chance(percent: 0)
            gilbertElliott = Chances(
                bad: Chance(percent: model.badPercent), good: Chance(percent: model.goodPercent),
                lossInBad: Chance(percent: model.lossInBadPercent),
                lossInGood: Chance(percent: model.lossInGoodPercent))
        case .every, nil:
            loss = Chance(percent: 0)
            gilbertElliott = nil
        }
    }

    /// Decides about the next frame.
    mutating func pass(
        _ frame: WireLane.Arrival, at arrival: MonotonicInstant
    ) -> WireLane.Passage {
        counters.frames += 1
        let number = UInt64(counters.frames)
        if let mtu = rule.impairment.mtuBytes, frame.largestNetworkBytes > mtu {
            counters.oversize += 1
            return WireLane.Passage(reason: .oversize)
        }
        var copies = 1
        if duplicate.isPossible, duplicate.happens(random.bits(frame: number, .duplicate)) {
            copies = 2
            counters.duplicated += 1
        }
        if isLost(number) {
            copies -= 1
            counters.lost += 1
        }
        var passage = WireLane.Passage(reason: .loss)
        for copy in 0..<copies {
            passage.add(pass(frame, number: number, copy: UInt64(copy), at: arrival))
        }
        return passage
    }

    private mutating func isLost(_ number: UInt64) -> Bool {
        if case .every(let count)? = rule.impairment.loss { return number % UInt64(count) == 0 }
        guard let chances = gilbertElliott else {
            return loss.isPossible && loss.happens(random.bits(frame: number, .loss))
        }
        // As sch_netem.c, loss_gilb_ell: the state in which the frame finds the wire decides about
        // its loss, and what comes of the state holds from the next frame on.
        let change = random.bits(frame: number, .stateChange)
        let bits = random.bits(frame: number, .loss)
        if isBad {
            if chances.good.happens(change) { isBad = false }
            return chances.lossInBad.happens(bits)
        }
        if chances.bad.happens(change) { isBad = true }
        return chances.lossInGood.happens(bits)
    }

    /// Decides about one copy that is not lost; nil where there is no room for it.
    private mutating func pass(
        _ frame: WireLane.Arrival, number: UInt64, copy: UInt64, at arrival: MonotonicInstant
    ) -> WireLane.Copy? {
        guard copiesUnderWay < rule.impairment.limitPackets else {
            counters.overlimit += 1
            return nil
        }
        var due = arrival
        if bucket != nil {
            let departure = bucket?.departure(
                bytes: frame.bytes, largest: frame.largestPacketBytes, at: arrival)
            guard let departure else {
                counters.overlimit += 1
                return nil
            }
            due = departure
        }
        var result = WireLane.Copy(due: due, rule: self.number)
        if corrupt.isPossible,
            corrupt.happens(random.bits(frame: number, copy: copy, .corrupt)), frame.length > 0
        {
            counters.corrupted += 1
            result.invertedBit = Int(
                random.number(
                    below: UInt64(frame.length) * 8, frame: number, copy: copy, .corruptBit))
        }
        if overtakes(number, copy) {
            counters.reordered += 1
        } else {
            result.due = max(due + delay(number, copy), due)
        }
        counters.passed += 1
        copiesUnderWay += 1
        return result
    }

    /// Whether a copy goes at once (sch_netem.c, netem_enqueue).
    private mutating func overtakes(_ number: UInt64, _ copy: UInt64) -> Bool {
        guard let gap = rule.impairment.reorder?.gap else { return false }
        if waitedSinceReorder >= gap - 1,
            reorder.happens(random.bits(frame: number, copy: copy, .reorder))
        {
            waitedSinceReorder = 0
            return true
        }
        waitedSinceReorder += 1
        return false
    }

    /// How long a copy travels; negative where jitter is more than the delay.
    private func delay(_ number: UInt64, _ copy: UInt64) -> Duration {
        guard let jitter = rule.impairment.jitter else { return rule.impairment.delay }
        let spread = jitter.spread.wholeNanoseconds
        switch jitter.distribution {
        case .uniform:
            let place = random.number(
                below: UInt64(2 * spread + 1), frame: number, copy: copy, .jitter)
            return rule.impairment.delay + .nanoseconds(Int64(place) - spread)
        case .normal:
            let place = random.number(
                below: UInt64(NormalTable.size), frame: number, copy: copy, .jitter)
            let deviation = NormalTable.values[Int(place)] * Double(spread)
            return rule.impairment.delay + .nanoseconds(Int64(deviation.rounded()))
        }
    }

    /// A copy is no longer under way.
    mutating func depart() { copiesUnderWay -= 1 }
}
