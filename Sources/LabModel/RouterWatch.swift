import NetworkTypes

/// Watches what virtual routers owe each other, whatever is broken: that two owners of an address
/// that hear each other agree (``Check/Rule/ownersAgree``), and that one that is able takes over
/// (``Check/Rule/ableTakeOver``).
///
/// A split brain is no mistake while the routers cannot hear each other, nor is an address without
/// an owner while nobody is able to be one. So neither counts from when it began but from when it
/// could have been put right, and only as long as it could be:
///
/// | wrong                                          | at the latest right after                  |
/// |------------------------------------------------|--------------------------------------------|
/// | two own an address, run, and hear each other   | the longer of the two intervals: the next  |
/// |                                                | advertisement has one of them yield        |
/// |                                                | (RFC 9568 §6.4.3)                          |
/// | nobody owns it, and one runs with its carrier  | that one's Master_Down_Interval, by the    |
/// |                                                | longest interval it can have learned       |
/// |                                                | (RFC 9568 §6.4.2)                          |
///
/// and a margin for scheduling. A daemon that is down hears nothing, and what it has left behind is
/// not its to give up; one that stands still neither. What its cable loses, delays or damages a
/// router may not have heard.
struct RouterWatch: Sendable {
    /// What it looks at.
    static let interests: Observation.News = [.owners, .services, .links, .disturbances]

    /// What is wrong at present, by what it is about.
    private struct Wrong: Sendable {
        var since: MonotonicInstant
        var text: String
        var limit: Duration
    }

    /// An address, and the routers that it is about, by their places.
    private struct Subject: Hashable, Sendable {
        var address: IPAddress
        var one: Int
        var other: Int
    }

    private let isAboutAgreement: Bool
    private let routers: [VirtualRouterFacts]
    private let allowances: Allowances
    private let addresses: [IPAddress]
    private var wrong: [Subject: Wrong] = [:]

    /// Nil for a rule of another kind.
    init?(_ rule: Check.Rule, routers: [VirtualRouterFacts], allowances: Allowances) {
        switch rule {
        case .ownersAgree: isAboutAgreement = true
        case .ableTakeOver: isAboutAgreement = false
        case .oneOwner, .owned, .advertised, .deadAreSilent, .priority, .noDuplicateAddress,
            .survives:
            return nil
        }
        self.routers = routers
        self.allowances = allowances
        addresses = Set(routers.flatMap(\.addresses)).sorted()
    }

    /// When ``lapse(at:)`` finds something that no event brings: one nanosecond past the limit it
    /// is exceeded.
    var deadline: MonotonicInstant? {
        wrong.values.map { $0.since + $0.limit + .nanoseconds(1) }.min()
    }

    /// Looks at the lab as it is since that moment; what was wrong for too long until then, if
    /// anything.
    mutating func look(at time: MonotonicInstant, seen: Observation) -> CheckWatch.Finding? {
        let late = lapse(at: time)
        var now: [Subject: Wrong] = [:]
        for address in addresses {
            for (subject, text, limit) in findings(about: address, seen) {
                let since = wrong[subject]?.since ?? time
                now[subject] = Wrong(since: since, text: text, limit: limit)
            }
        }
        wrong = now
        return late
    }

    /// Lets time pass.
    func lapse(at now: MonotonicInstant) -> CheckWatch.Finding? {
        let late = wrong.values.filter { now - $0.since > $0.limit }
        return late.min { ($0.since, $0.text) < ($1.since, $1.text) }.map {
            CheckWatch.Finding(
                since: $0.since, until: nil, text: $0.text, margin: allowances.scheduling)
        }
    }

    private func findings(
        about address: IPAddress, _ seen: Observation
    ) -> [(Subject, String, Duration)] {
        let sharing = routers.indices.filter { routers[$0].addresses.contains(address) }
        let awake = sharing.filter {
            seen.services.isUp(routers[$0]) && !seen.disturbances.isHindered(routers[$0])
        }
        let holders = seen.ownership.holders(of: address)
        if isAboutAgreement {
            let owners = awake.filter { holders.contains(routers[$0].node) }
            return disagreements(among: owners, about: address, seen)
        }
        guard holders.isEmpty, sharing.allSatisfy({ seen.disturbances.isSound(at: routers[$0]) })
        else { return [] }
        return awake.filter { isAble(routers[$0], seen) }.map { place in
            let router = routers[place]
            let longest = sharing.map { routers[$0].advertisementInterval }.max()
            let wait = TimeBound(
                terms: router.masterDownInterval(learned: longest),
                margins: [allowances.schedulingTerm])
            return (
                Subject(address: address, one: place, other: place),
                "\(address) on no node, and \(router.node) is able", wait.total
            )
        }
    }

    private func disagreements(
        among owners: [Int], about address: IPAddress, _ seen: Observation
    ) -> [(Subject, String, Duration)] {
        var found: [(Subject, String, Duration)] = []
        for (index, one) in owners.enumerated() {
            for other in owners[(index + 1)...] {
                let (here, there) = (routers[one], routers[other])
                guard here.node != there.node, here.vrid == there.vrid,
                    seen.disturbances.hearEachOther(here, there)
                else { continue }
                let interval = max(here.advertisementInterval, there.advertisementInterval)
                found.append(
                    (
                        Subject(address: address, one: one, other: other),
                        "\(address) on \(Words.nodes([here.node, there.node].sorted())), "
                            + "which hear each other", interval + allowances.scheduling
                    ))
            }
        }
        return found
    }

    /// Whether nothing keeps a router from being master when it hears nobody.
    private func isAble(_ router: VirtualRouterFacts, _ seen: Observation) -> Bool {
        !router.hasConditions
            && seen.links.works(node: router.node, interface: router.interface)
    }
}
