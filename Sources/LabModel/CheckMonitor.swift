import NetworkTypes

/// The checks of a scenario over its whole run: what is so for longer than it may be, and what must
/// not happen at all.
struct CheckMonitor: Sendable {
    private var watches: [CheckWatch]

    init(
        _ checks: [Check], routers: [VirtualRouterFacts], allowances: Allowances = Allowances()
    ) {
        watches = checks.map { CheckWatch($0, routers: routers, allowances: allowances) }
    }

    /// When `lapse` can find something that no event brings; nil for never.
    var deadline: MonotonicInstant? {
        var earliest: MonotonicInstant?
        for watch in watches {
            guard let deadline = watch.deadline else { continue }
            earliest = min(earliest ?? deadline, deadline)
        }
        return earliest
    }

    /// Whether there is anything that ``takeFindings()`` would give.
    private(set) var hasFindings = false

    /// Begins to watch a lab that is as it is.
    mutating func begin(at now: MonotonicInstant, seen: Observation) {
        for index in watches.indices { watches[index].begin(at: now, seen: seen) }
    }

    /// Takes an event into account that has already been folded into `seen`.
    mutating func fold(_ event: TimelineEvent, news: Observation.News, seen: Observation) {
        guard !watches.isEmpty, !news.isEmpty else { return }
        for index in watches.indices {
            watches[index].fold(event, news: news, seen: seen)
            if watches[index].hasFinding { hasFindings = true }
        }
    }

    /// Lets time pass.
    mutating func lapse(at now: MonotonicInstant) {
        for index in watches.indices {
            watches[index].lapse(at: now)
            if watches[index].hasFinding { hasFindings = true }
        }
    }

    /// What was found and not taken yet, each with its check.
    mutating func takeFindings() -> [(check: Check, finding: CheckWatch.Finding)] {
        hasFindings = false
        var found: [(Check, CheckWatch.Finding)] = []
        for index in watches.indices {
            guard let finding = watches[index].takeFinding() else { continue }
            found.append((watches[index].check, finding))
        }
        return found
    }

    /// When what was found ended; nil while it goes on. By the place of the check.
    func end(of check: Check) -> MonotonicInstant? {
        watches.first { $0.check == check }?.ended
    }
}

/// One check, with what it has seen.
struct CheckWatch: Sendable {
    let check: Check
    /// From when on `lapse` is worth a call.
    private(set) var deadline: MonotonicInstant?
    /// When what was found ended.
    private(set) var ended: MonotonicInstant?
    private var finding: Finding?
    /// One finding is enough: the run fails with it.
    private var wasFound = false
    /// Since when it is as it may be for a while only.
    private var since: MonotonicInstant?
    /// How it is meanwhile.
    private var words = ""
    /// Whether it has begun to matter: an owner was there.
    private var isOn = false
    /// When the first request of the probe that was answered was due.
    private var answered: MonotonicInstant?
    private var adverts = AdvertGaps()
    private var stations: [IPAddress: [Claim]] = [:]
    private let routers: [VirtualRouterFacts]
    /// Of the checks about routers that hear each other.
    private var routerWatch: RouterWatch?

    /// That a check did not hold.
    struct Finding: Equatable, Sendable {
        var since: MonotonicInstant
        var until: MonotonicInstant?
        /// What was seen.
        var text: String
        /// What may be taken for a stall of the machine's: how long it may be so.
        var margin: Duration
    }

    /// That a station said it has an address.
    private struct Claim: Sendable {
        var mac: MACAddress
        var node: String
        var time: MonotonicInstant
    }

    init(_ check: Check, routers: [VirtualRouterFacts], allowances: Allowances) {
        self.check = check
        self.routers = routers
        routerWatch = RouterWatch(check.rule, routers: routers, allowances: allowances)
    }

    var hasFinding: Bool { finding != nil }

    mutating func takeFinding() -> Finding? {
        defer { finding = nil }
        return finding
    }

    /// Takes the lab as it is.
    mutating func begin(at now: MonotonicInstant, seen: Observation) {
        noteOwners(at: now, seen: seen)
        lookAtRouters(at: now, seen: seen)
    }

    private mutating func lookAtRouters(at time: MonotonicInstant, seen: Observation) {
        guard routerWatch != nil else { return }
        noteRouters(routerWatch?.look(at: time, seen: seen))
    }

    private mutating func noteRouters(_ found: Finding?) {
        deadline = wasFound ? nil : routerWatch?.deadline
        guard let found else { return }
        find(since: found.since, until: found.until, found.text, margin: found.margin)
        deadline = nil
    }

    private mutating func noteOwners(at time: MonotonicInstant, seen: Observation) {
        switch check.rule {
        case .oneOwner(let address, let overlap):
            let holders = seen.ownership.holders(of: address)
            note(
                isWrong: holders.count > 1, "on \(Words.nodes(holders))", at: time,
                atMost: overlap)
        case .owned(let address, let gap):
            let isOwned = !seen.ownership.holders(of: address).isEmpty
            if isOwned { isOn = true }
            note(isWrong: isOn && !isOwned, "on no node", at: time, atMost: gap)
        case .advertised, .deadAreSilent, .priority, .noDuplicateAddress, .survives,
            .ownersAgree, .ableTakeOver:
            break
        }
    }

    mutating func fold(_ event: TimelineEvent, news: Observation.News, seen: Observation) {
        switch check.rule {
        case .oneOwner, .owned:
            if news.contains(.owners) { noteOwners(at: event.time, seen: seen) }
        case .advertised(let router, let gap):
            // What an imposter says keeps the routers' addresses nowhere.
            guard case .advertisement(let advert) = event.kind, !ImposterName.isName(advert.node),
                router == nil || isOf(router ?? "", advert)
            else { return }
            foldAdvert(advert, at: event.time, gap: gap)
        case .deadAreSilent:
            guard news.contains(.frames), let node = event.kind.node,
                let death = seen.deaths[node], event.time > death
            else { return }
            find(
                since: event.time, until: event.time,
                "\(event.kind.words), \((event.time - death).text) after the end of \(node)")
        case .priority(let node, let range):
            guard case .advertisement(let advert) = event.kind, advert.priority != 0,
                node.map({ $0 == advert.node }) ?? !ImposterName.isName(advert.node)
            else { return }
            note(
                isWrong: !range.contains(advert.priority),
                "\(advert.node) advertises \(advert.priority)", at: event.time, atMost: nil)
        case .ownersAgree, .ableTakeOver:
            guard !news.isDisjoint(with: RouterWatch.interests) else { return }
            lookAtRouters(at: event.time, seen: seen)
        case .noDuplicateAddress: foldClaim(event, seen)
        case .survives(let name):
            guard case .probe(let result) = event.kind, result.probe == name else { return }
            if result.outcome.isSuccess, answered == nil { answered = result.due }
            // What was asked before the first that was answered may time out after it.
            let isLost = !result.outcome.isSuccess && answered.map { result.due > $0 } ?? false
            note(
                isWrong: isLost, Words.outcome(result.outcome), at: event.time, atMost: nil)
        }
    }

    mutating func lapse(at now: MonotonicInstant) {
        guard let deadline, now >= deadline else { return }
        switch check.rule {
        case .oneOwner(_, let limit), .owned(_, let limit):
            self.deadline = nil
            if let since { find(since: since, until: nil, words, margin: limit) }
        case .advertised(_, let gap):
            // The deadline may be an old one: it is put right only now.
            let oldest = adverts.oldest
            guard let oldest, now >= oldest.time + gap + .nanoseconds(1) else {
                self.deadline = oldest.map { $0.time + gap + .nanoseconds(1) }
                return
            }
            self.deadline = nil
            find(
                since: oldest.time, until: nil,
                "none with VRID \(oldest.vrid) after that of \(oldest.node)", margin: gap)
        case .ownersAgree, .ableTakeOver: noteRouters(routerWatch?.lapse(at: now))
        case .deadAreSilent, .priority, .noDuplicateAddress, .survives: self.deadline = nil
        }
    }

    // MARK: What may be so for a while

    /// Notes how it is; nil for what may not be so at all.
    private mutating func note(
        isWrong: Bool, _ text: @autoclosure () -> String, at time: MonotonicInstant,
        atMost limit: Duration?
    ) {
        guard isWrong else {
            if let since, let limit, time - since > limit {
                find(since: since, until: time, words, margin: limit)
            }
            if since != nil, wasFound, ended == nil { ended = time }
            since = nil
            deadline = nil
            return
        }
        if since == nil {
            since = time
            words = text()
        }
        guard let limit else { return find(since: time, until: nil, words) }
        // One nanosecond past the limit it is exceeded.
        if !wasFound { deadline = (since ?? time) + limit + .nanoseconds(1) }
    }

    private mutating func find(
        since: MonotonicInstant, until: MonotonicInstant?, _ text: String,
        margin: Duration = .zero
    ) {
        guard !wasFound else { return }
        wasFound = true
        ended = until
        finding = Finding(since: since, until: until, text: text, margin: margin)
    }

    // MARK: Advertisements

    private func isOf(_ name: String, _ advert: TimelineEvent.Advertisement) -> Bool {
        routers.contains { $0.instance == name && $0.vrid == advert.vrid }
    }

    private mutating func foldAdvert(
        _ advert: TimelineEvent.Advertisement, at time: MonotonicInstant, gap: Duration
    ) {
        if let last = adverts.note(advert, at: time), time - last > gap {
            find(
                since: last, until: time, "none with VRID \(advert.vrid) for \((time - last).text)",
                margin: gap)
        }
        if deadline == nil, !wasFound { deadline = time + gap + .nanoseconds(1) }
    }

    // MARK: Duplicate addresses

    /// Two stations that say in turn that they have an address both have it; one after the other is
    /// a takeover. An imposter takes nothing over: what it says it has, and a node has, is on two.
    private mutating func foldClaim(_ event: TimelineEvent, _ seen: Observation) {
        let address: IPAddress
        let claim: Claim
        switch event.kind {
        case .gratuitousARP(let node, _, let said, let mac):
            address = .v4(said)
            claim = Claim(mac: mac, node: node, time: event.time)
        case .unsolicitedNA(let node, _, let said, let mac):
            address = .v6(said)
            claim = Claim(mac: mac, node: node, time: event.time)
        case .arp(let arp) where arp.sender != IPv4Address(0, 0, 0, 0):
            address = .v4(arp.sender)
            claim = Claim(mac: arp.senderMAC, node: arp.node, time: event.time)
        default: return
        }
        if ImposterName.isName(claim.node), let holder = seen.ownership.holders(of: address).first {
            return find(
                since: claim.time, until: claim.time,
                "\(address) at \(claim.mac) (\(claim.node)) and on \(holder)")
        }
        let known = stations[address] ?? []
        guard known.last?.mac != claim.mac else {
            stations[address]?[known.count - 1] = claim
            return
        }
        // The one before the last was the same, not long ago: they take turns.
        if let last = known.last, known.count == 2, known[0].mac == claim.mac,
            claim.time - known[0].time < Self.turn
        {
            find(
                since: last.time, until: claim.time,
                "\(address) at \(claim.mac) (\(claim.node)) and at \(last.mac) (\(last.node))")
        }
        stations[address] = known.suffix(1) + [claim]
    }

    /// Two takeovers within this are taken for two stations with one address.
    private static let turn = Duration.seconds(1)
}

/// When each virtual router was last advertised.
private struct AdvertGaps: Sendable {
    struct Last: Sendable {
        var vrid: Int
        var node: String
        var time: MonotonicInstant
    }
    private var last: [Int: Last] = [:]

    /// The time of the advertisement before.
    mutating func note(
        _ advert: TimelineEvent.Advertisement, at time: MonotonicInstant
    ) -> MonotonicInstant? {
        // The two families number their virtual routers apart (RFC 9568 §5.2.3).
        let key = advert.source.family == .v4 ? advert.vrid : -advert.vrid
        let before = last.updateValue(
            Last(vrid: advert.vrid, node: advert.node, time: time), forKey: key)
        return before?.time
    }

    /// The one that is longest ago.
    var oldest: Last? { last.values.min { $0.time < $1.time } }
}
