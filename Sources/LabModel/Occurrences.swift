import NetworkTypes

/// A moment at which something happened, as exactly as it is known.
struct Moment: Equatable, Sendable {
    /// As it was stamped.
    var time: MonotonicInstant
    /// The earliest it can have been.
    var earliest: MonotonicInstant
    /// The latest it can have been.
    var latest: MonotonicInstant

    init(_ event: TimelineEvent) {
        time = event.time
        // Of a notification that does not say, more is assumed than it ever took.
        let isUnknown = event.stamp == .receipt && event.uncertainty == .zero
        earliest = event.time - (isUnknown ? Self.assumedLateness : event.uncertainty)
        // A notification is stamped when it is read, which is never too early.
        latest = event.stamp == .kernel ? event.time + event.uncertainty : event.time
    }

    /// How late a notification may have been read that does not say.
    private static let assumedLateness = Duration.milliseconds(50)
}

/// When the things happened that a scenario's sequences, counts and logs ask for: kept from the
/// beginning, because they may happen before the step that asks begins.
struct Occurrences: Sendable {
    /// What is looked for.
    enum Subject: Hashable, Sendable {
        case pattern(EventPattern)
        case adverts(AdvertPattern)
        case line(Target, TextMatch)
        case mail(Target, MailPattern)

        /// The service whose lines it is found in, and whether a line is it; nil for what the
        /// timeline has.
        var ofLines: (service: Target, isMet: (String) -> Bool)? {
            switch self {
            case .line(let target, let match): (target, match.isMet)
            case .mail(let target, let pattern): (target, pattern.isMet)
            case .pattern, .adverts: nil
            }
        }
    }

    private struct Watched: Sendable {
        var subject: Subject
        /// Whether it is so, for patterns that are so for a time.
        var isSo = false
        /// When that last changed.
        var changed: MonotonicInstant?
        /// In the order of their times.
        var moments: [Moment] = []
    }

    /// What patterns are made of.
    private static let telling = Observation.News.states.union([.neighbours, .frames])

    private var watched: [Watched] = []
    private var places: [Subject: Int] = [:]
    /// Those that frames, and those that other events, can be.
    private var ofFrames: [Int] = []
    private var ofOthers: [Int] = []

    init(_ steps: [Step]) {
        for step in steps {
            guard case .expect(let expectation) = step.action else { continue }
            switch expectation.condition {
            case .sequence(let patterns): for pattern in patterns { watch(.pattern(pattern)) }
            case .adverts(let pattern, _): watch(.adverts(pattern))
            case .log(let target, let match): watch(.line(target, match))
            case .mail(let target, let pattern): watch(.mail(target, pattern))
            case .state(let state, let router, let nodes):
                for node in nodes { watch(.pattern(.state(state, router: router, on: node))) }
            case .address, .addressOnOne, .answer, .outage, .latency, .neighbour, .inspect: break
            }
        }
    }

    private mutating func watch(_ subject: Subject) {
        guard places[subject] == nil else { return }
        places[subject] = watched.count
        switch subject {
        case .adverts: ofFrames.append(watched.count)
        case .pattern(let pattern) where pattern.isFrame: ofFrames.append(watched.count)
        case .pattern: ofOthers.append(watched.count)
        case .line, .mail: break
        }
        watched.append(Watched(subject: subject))
    }

    /// The services whose lines are looked at.
    var services: [Target] {
        var targets: [Target] = []
        for case let (target, _)? in watched.map(\.subject.ofLines) where !targets.contains(target)
        {
            targets.append(target)
        }
        return targets
    }

    /// Notes what an event is; whether it is anything that is looked for.
    mutating func note(
        _ event: TimelineEvent, news: Observation.News, seen: Observation,
        routers: [VirtualRouterFacts]
    ) -> Bool {
        if case .scenario(.line(let target, let text)) = event.kind {
            return noteLine(text, of: target, Moment(event))
        }
        // Answers of probes and stalls are no occurrences, and come by the thousand.
        guard !watched.isEmpty, !news.isDisjoint(with: Self.telling) else { return false }
        var isAny = false
        for index in news.contains(.frames) ? ofFrames : ofOthers {
            switch watched[index].subject {
            case .adverts(let pattern):
                guard case .advertisement(let seen) = event.kind, pattern.matches(seen) else {
                    continue
                }
            case .pattern(let pattern):
                if let isSo = pattern.holds(in: seen, routers) {
                    guard isSo != watched[index].isSo else { continue }
                    watched[index].isSo = isSo
                    watched[index].changed = event.time
                    isAny = true
                    guard isSo else { continue }
                } else {
                    guard pattern.matches(event, news: news) else { continue }
                }
            case .line, .mail: continue
            }
            insert(Moment(event), at: index)
            isAny = true
        }
        return isAny
    }

    private mutating func noteLine(_ text: String, of target: Target, _ moment: Moment) -> Bool {
        var isAny = false
        for index in watched.indices {
            guard let (service, isMet) = watched[index].subject.ofLines, service == target,
                isMet(text)
            else { continue }
            insert(moment, at: index)
            isAny = true
        }
        return isAny
    }

    // Frames may be read after what came later.
    private mutating func insert(_ moment: Moment, at index: Int) {
        var place = watched[index].moments.endIndex
        while place > 0, watched[index].moments[place - 1].time > moment.time { place -= 1 }
        watched[index].moments.insert(moment, at: place)
    }

    /// Whether a pattern that is so for a time is so now.
    func isSo(_ pattern: EventPattern) -> Bool {
        places[.pattern(pattern)].map { watched[$0].isSo } ?? false
    }

    /// When that last changed; nil if it never did.
    func lastChange(of pattern: EventPattern) -> MonotonicInstant? {
        places[.pattern(pattern)].flatMap { watched[$0].changed }
    }

    /// When it happened, from `time` on.
    func moments(of subject: Subject, since time: MonotonicInstant) -> ArraySlice<Moment> {
        guard let index = places[subject] else { return [] }
        let moments = watched[index].moments
        var low = moments.startIndex
        var high = moments.endIndex
        while low < high {
            let middle = (low + high) / 2
            if moments[middle].time < time { low = middle + 1 } else { high = middle }
        }
        return moments[low...]
    }
}

extension EventPattern {
    /// Whether it is so now, for patterns that are so for a time; nil for those that happen at a
    /// moment.
    func holds(in seen: Observation, _ routers: [VirtualRouterFacts]) -> Bool? {
        switch self {
        case .addressAppears(let address, let node):
            return Self.isHeld(address, by: node, in: seen, routers)
        case .addressGoes(let address, let node):
            return !Self.isHeld(address, by: node, in: seen, routers)
        case .state(let state, let name, let node):
            var isAny = false
            for router in routers where router.node == node {
                guard name == nil || name == router.instance else { continue }
                guard seen.state(of: router) == state else { return false }
                isAny = true
            }
            return isAny
        case .advert, .announcement, .frame, .service, .neighbour: return nil
        }
    }

    private static func isHeld(
        _ address: IPAddress?, by node: String, in seen: Observation,
        _ routers: [VirtualRouterFacts]
    ) -> Bool {
        if let address { return seen.ownership.isHeld(address, by: node) }
        return routers.contains { router in
            router.addresses.contains { seen.ownership.isHeld($0, by: node) }
        }
    }

    /// Whether the event is one of a pattern that happens at a moment.
    func matches(_ event: TimelineEvent, news: Observation.News) -> Bool {
        switch (self, event.kind) {
        case (.advert(let wanted), .advertisement(let advert)): return wanted.matches(advert)
        case (.announcement(let address, let from), .gratuitousARP(let node, _, let said, _)):
            return (address.map { $0 == .v4(said) } ?? true) && (from ?? node) == node
        case (.announcement(let address, let from), .unsolicitedNA(let node, _, let said, _)):
            return (address.map { $0 == .v6(said) } ?? true) && (from ?? node) == node
        case (.frame(let kind, let address, let from), _):
            return event.frameContent.map { frame in
                frame.kind == kind && (from ?? frame.node) == frame.node
                    && (address.map(frame.addresses.contains) ?? true)
            } ?? false
        case (.service(let target, let phase), .service(let node, let service, let state)):
            guard node == target.node, service == target.service else { return false }
            switch (phase, state) {
            case (.ready, .ready), (.ended, .exited), (.ended, .failed): return true
            case (.ready, _), (.ended, _): return false
            }
        case (.service(let target, .ended), .node(let node, let state)):
            return node == target.node && [.stopped, .killed, .failed].contains(state)
        case (.neighbour(let address, let node), .neighbour(let entry)):
            return news.contains(.neighbours) && node == entry.node
                && (address ?? entry.address) == entry.address
        default: return false
        }
    }

    /// Whether only a captured frame can be it.
    var isFrame: Bool {
        switch self {
        case .advert, .announcement, .frame: true
        case .addressAppears, .addressGoes, .state, .service, .neighbour: false
        }
    }
}

extension TimelineEvent {
    /// What a captured frame is and names, for `frame(...)`; nil for other events.
    fileprivate var frameContent:
        (kind: EventPattern.FrameKind, node: String, addresses: [IPAddress])?
    {
        switch kind {
        case .advertisement(let seen): (.vrrp, seen.node, seen.addresses + [seen.source])
        case .gratuitousARP(let node, _, let address, _): (.arp, node, [.v4(address)])
        case .arp(let seen): (.arp, seen.node, [.v4(seen.sender), .v4(seen.target)])
        case .unsolicitedNA(let node, _, let address, _): (.na, node, [.v6(address)])
        default: nil
        }
    }
}
