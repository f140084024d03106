public import NetworkTypes
public import VRRP

/// A station that does what it is told on its network: frames that it hears and time go in, the
/// frames that it sends come out.
///
///     var station = try Station(order, begin: now)
///     station.hear(frame, at: now)
///     while let frame = station.next(at: now) { send(frame) }
///     wait(until: station.deadline)
public struct Station: Sendable {
    /// Something that is sent again and again.
    fileprivate struct Repetition: Sendable {
        enum Kind: Sendable {
            case announcement([UInt8])
            case advert(AdvertFrames)
            /// What was heard, in turn.
            case replay
        }
        let kind: Kind
        let period: Duration
        /// Nil while there is nothing to send.
        var due: MonotonicInstant?
        var count: UInt64 = 0
    }

    /// A frame that is sent once.
    private struct Pending: Sendable {
        var frame: [UInt8]
        var due: MonotonicInstant
    }

    /// An advertiser, as far as frames tell.
    private struct Advertiser: Hashable, Sendable {
        var source: IPAddress
        var vrid: UInt8
    }

    private let order: StationOrder
    private let claimed: Set<IPAddress>
    private let onceDelays: [Duration]
    private let replayDelay: Duration
    private var repetitions: [Repetition]
    /// In the order in which they are due.
    private var pending: [Pending] = []
    /// The last advertisement of everybody who was heard, which is sent over and over.
    private var heard: [(advertiser: Advertiser, frame: [UInt8], from: MonotonicInstant)] = []
    private var replayed = 0
    /// Frames that were not sent because too many waited, or because the station was kept from its
    /// work for too long.
    public private(set) var skipped: UInt64 = 0

    /// How many frames may wait to be sent once.
    static let maximumPending = 4096
    /// How many advertisers are remembered for what is sent over and over.
    static let maximumAdvertisers = 64
    /// How far a station that was kept from its work makes up for it.
    static let maximumBacklog = Duration.milliseconds(50)

    /// A station that begins then: what is to be sent unasked is due at once.
    ///
    /// - Throws: what the codec says of an advertisement that cannot be encoded.
    public init(_ order: StationOrder, begin: MonotonicInstant) throws(AdvertisementError) {
        self.order = order
        claimed = Set(order.claims.map(\.address))
        onceDelays = order.replays.filter { $0.perSecond == nil }.map(\.delay)
        repetitions = order.claims.compactMap { claim in
            claim.announcePeriodNanoseconds.map {
                Repetition(
                    kind: .announcement(Answers.announcement(of: claim.address, at: order.mac)),
                    period: .nanoseconds($0), due: begin)
            }
        }
        for (place, advert) in order.adverts.enumerated() {
            let frames = try AdvertFrames(
                advert, from: order.mac,
                numbers: KeyedNumbers(seed: order.seed, stream: UInt64(place)))
            repetitions.append(Repetition(kind: .advert(frames), period: advert.period, due: begin))
        }
        let lasting = order.replays.filter { $0.perSecond != nil }
        replayDelay = lasting.map(\.delay).max() ?? .zero
        repetitions += lasting.map {
            Repetition(kind: .replay, period: .seconds(1) / ($0.perSecond ?? 1), due: nil)
        }
    }

    /// Takes in a frame that came by the station's interface.
    public mutating func hear(_ frame: [UInt8], at now: MonotonicInstant) {
        if !claimed.isEmpty {
            let answer =
                Answers.arp(to: frame, for: claimed, at: order.mac)
                ?? Answers.neighbour(to: frame, for: claimed, at: order.mac)
            if let answer { send(answer, at: now) }
        }
        guard !order.replays.isEmpty, let seen = ObservedAdvertisement(ethernetFrame: frame) else {
            return
        }
        for delay in onceDelays { send(frame, at: now + delay) }
        guard repetitions.contains(where: \.isReplay) else { return }
        remember(frame, of: Advertiser(source: seen.source, vrid: seen.vrid), at: now)
    }

    private mutating func send(_ frame: [UInt8], at due: MonotonicInstant) {
        guard pending.count < Self.maximumPending else {
            skipped += 1
            return
        }
        let place = pending.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0
        pending.insert(Pending(frame: frame, due: due), at: place)
    }

    private mutating func remember(
        _ frame: [UInt8], of advertiser: Advertiser, at now: MonotonicInstant
    ) {
        let from = now + replayDelay
        if let place = heard.firstIndex(where: { $0.advertiser == advertiser }) {
            heard[place].frame = frame
        } else if heard.count < Self.maximumAdvertisers {
            heard.append((advertiser, frame, from))
        } else {
            skipped += 1
        }
        for index in repetitions.indices
        where repetitions[index].isReplay && repetitions[index].due == nil {
            repetitions[index].due = from
        }
    }

    /// When ``next(at:)`` has something that nobody asks for; nil for never.
    public var deadline: MonotonicInstant? {
        var earliest = pending.first?.due
        for repetition in repetitions {
            guard let due = repetition.due else { continue }
            earliest = min(earliest ?? due, due)
        }
        return earliest
    }

    /// The next frame that is to be sent by now; nil where there is none.
    public mutating func next(at now: MonotonicInstant) -> [UInt8]? {
        if let first = pending.first, first.due <= now {
            pending.removeFirst()
            return first.frame
        }
        var earliest: Int?
        for index in repetitions.indices {
            guard let due = repetitions[index].due, due <= now else { continue }
            if let known = earliest, repetitions[known].due ?? due <= due { continue }
            earliest = index
        }
        return earliest.flatMap { frame(of: $0, at: now) }
    }

    private mutating func frame(of index: Int, at now: MonotonicInstant) -> [UInt8]? {
        let repetition = repetitions[index]
        guard let due = repetition.due else { return nil }
        var next = due + repetition.period
        if now - next > Self.maximumBacklog {
            // What it could not send in time it does not send at once.
            let missed = (now - next - Self.maximumBacklog) / repetition.period
            skipped += UInt64(missed)
            repetitions[index].count += UInt64(missed)
            next = next + repetition.period * Int64(missed)
        }
        repetitions[index].due = next
        repetitions[index].count += 1
        switch repetition.kind {
        case .announcement(let frame): return frame
        case .advert(let frames): return frames.frame(repetition.count)
        case .replay:
            let ripe = heard.filter { $0.from <= now }
            guard !ripe.isEmpty else { return nil }
            replayed += 1
            return ripe[(replayed - 1) % ripe.count].frame
        }
    }
}

extension Station.Repetition {
    fileprivate var isReplay: Bool {
        if case .replay = kind { true } else { false }
    }
}
