import NetworkTypes
import Testing
import VRRP

/// Every event in every state: what is done, where it leads, and when the next wake-up is.
@Suite("Virtual router, every state and event")
struct VirtualRouterTableTests {
    // Priority 100: skew 156/256 s = 609.375 ms, Master_Down 3.609375 s. The start is at 100 s; a
    // backup's deadline is 103.609375 s, and a new master's second advertisement 104.609375 s.
    static let start = MonotonicInstant(nanoseconds: 100_000_000_000)
    static let here = IPAddress.v4(IPv4Address(10, 10, 10, 2))
    static let below = IPAddress.v4(IPv4Address(10, 10, 10, 1))
    static let above = IPAddress.v4(IPv4Address(10, 10, 10, 3))
    static let configuration = VirtualRouter.Configuration(
        name: "VI_1", vrid: 51, addresses: [.v4(IPv4Address(10, 10, 10, 10))])

    /// The state to begin in.
    enum Begin: CaseIterable { case initialize, backup, master, fault }

    static func router(
        _ begin: Begin, _ configuration: VirtualRouter.Configuration = configuration
    ) -> VirtualRouter {
        var router = VirtualRouter(configuration, sourceAddress: here)
        switch begin {
        case .initialize: break
        case .backup:
            _ = router.handle(.startup, now: start)
        case .master:
            _ = router.handle(.startup, now: start)
            _ = router.handle(.timer, now: router.deadline ?? start)
        case .fault:
            _ = router.handle(.startup, now: start)
            _ = router.handle(.linkDown, now: start)
        }
        return router
    }

    static func advertisement(_ priority: UInt8) -> Advertisement {
        configuration.advertisement(priority: priority)
    }

    /// Where a row leads: the state's name and the deadline, in milliseconds after the event.
    enum End: Equatable {
        case initialize, fault
        case backup(inMilliseconds: Double)
        case master(inMilliseconds: Double)
        /// Nothing changed at all.
        case same
    }

    struct Row: CustomTestStringConvertible, Sendable {
        var begin: Begin
        var event: VirtualRouter.Event
        var actions: [VirtualRouter.Action]
        var end: End
        var testDescription: String { "\(begin), \(event)" }

        init(
            _ begin: Begin, _ event: VirtualRouter.Event, _ actions: [VirtualRouter.Action],
            _ end: End
        ) {
            self.begin = begin
            self.event = event
            self.actions = actions
            self.end = end
        }
    }

    static let becomeMaster: [VirtualRouter.Action] = [
        .log(.receivedAdvertisementTimeout), .sendAdvertisement(priority: 100),
        .log(.enteredMaster), .addAddresses, .announceAddresses(count: 5),
    ]
    static let resign: [VirtualRouter.Action] = [
        .sendAdvertisement(priority: 0), .log(.sentResignation), .removeAddresses,
    ]
    static let toBackup: [VirtualRouter.Action] = [
        .log(.enteredBackup(isInitial: false)), .removeAddresses,
    ]
    static func answer(_ priority: UInt8, from sender: IPAddress) -> [VirtualRouter.Action] {
        [
            .log(.receivedLowerPriority(priority, ours: 100, from: sender)),
            .sendAdvertisement(priority: 100), .announceAddresses(count: 5),
        ]
    }

    /// Delivered when the state's deadline has come, or at the start where it has none.
    static let rows: [Row] = [
        Row(
            .initialize, .startup,
            [.removeAddresses, .log(.enteredBackup(isInitial: true))],
            .backup(inMilliseconds: 3609.375)),
        Row(.initialize, .shutdown, [], .same),
        Row(.initialize, .timer, [], .same),
        Row(.initialize, .advertisement(advertisement(200), from: above), [], .same),
        Row(.initialize, .linkDown, [], .initialize),
        Row(.initialize, .linkUp, [], .same),
        Row(.initialize, .sourceAddressAssigned(here), [], .same),
        Row(.initialize, .sourceAddressLost, [], .initialize),
        Row(.initialize, .addressRemoved, [], .same),

        Row(.backup, .startup, [], .same),
        Row(.backup, .shutdown, [], .initialize),
        Row(.backup, .timer, becomeMaster, .master(inMilliseconds: 1000)),
        Row(
            .backup, .advertisement(advertisement(0), from: above),
            [.log(.backupReceivedResignation)], .backup(inMilliseconds: 609.375)),
        Row(
            .backup, .advertisement(advertisement(99), from: above),
            [.log(.discardedLowerPriority(99, from: above))], .same),
        Row(
            .backup, .advertisement(advertisement(100), from: below), [],
            .backup(inMilliseconds: 3609.375)),
        Row(
            .backup, .advertisement(advertisement(255), from: below), [],
            .backup(inMilliseconds: 3609.375)),
        Row(.backup, .linkDown, [.log(.enteredFault(isInitial: false))], .fault),
        Row(.backup, .linkUp, [], .same),
        Row(.backup, .sourceAddressAssigned(here), [], .same),
        Row(.backup, .sourceAddressLost, [.log(.enteredFault(isInitial: false))], .fault),
        Row(.backup, .addressRemoved, [], .same),

        Row(.master, .startup, [], .same),
        Row(.master, .shutdown, resign, .initialize),
        Row(.master, .timer, [.sendAdvertisement(priority: 100)], .master(inMilliseconds: 1000)),
        Row(
            .master, .advertisement(advertisement(0), from: below),
            [.sendAdvertisement(priority: 100), .log(.masterReceivedResignation)],
            .master(inMilliseconds: 1000)),
        Row(
            .master, .advertisement(advertisement(99), from: above), answer(99, from: above),
            .master(inMilliseconds: 1000)),
        Row(
            .master, .advertisement(advertisement(100), from: below), answer(100, from: below),
            .master(inMilliseconds: 1000)),
        Row(
            .master, .advertisement(advertisement(100), from: here),
            [.log(.receivedEqualFromOwnAddress)], .same),
        Row(
            .master, .advertisement(advertisement(100), from: above),
            [.log(.receivedSamePriority(100, from: above))] + toBackup,
            .backup(inMilliseconds: 3609.375)),
        Row(
            .master, .advertisement(advertisement(101), from: below),
            [.log(.receivedHigherPriority(101, ours: 100, from: below))] + toBackup,
            .backup(inMilliseconds: 3609.375)),
        Row(.master, .linkDown, [.log(.enteredFault(isInitial: false))] + resign, .fault),
        Row(.master, .linkUp, [], .same),
        Row(.master, .sourceAddressAssigned(here), [], .same),
        Row(.master, .sourceAddressLost, [.log(.enteredFault(isInitial: false))] + resign, .fault),
        Row(
            .master, .addressRemoved, [.log(.enteredBackup(isInitial: false))] + resign,
            .backup(inMilliseconds: 609.375)),

        Row(.fault, .startup, [], .same),
        Row(.fault, .shutdown, [], .initialize),
        Row(.fault, .timer, [], .same),
        Row(.fault, .advertisement(advertisement(0), from: above), [], .same),
        Row(.fault, .linkDown, [], .same),
        Row(
            .fault, .linkUp, [.log(.enteredBackup(isInitial: false))],
            .backup(inMilliseconds: 3609.375)),
        Row(.fault, .sourceAddressAssigned(here), [], .same),
        Row(.fault, .sourceAddressLost, [], .fault),
        Row(.fault, .addressRemoved, [], .same),
    ]

    @Test("§6.4: actions, next state and deadline", arguments: rows)
    func row(_ row: Row) {
        let before = Self.router(row.begin)
        let now = before.deadline ?? Self.start
        var after = before
        #expect(after.handle(row.event, now: now) == row.actions)
        func deadline(_ milliseconds: Double) -> MonotonicInstant {
            now + .microseconds(milliseconds * 1000)
        }
        switch (row.end, after.state) {
        case (.initialize, .initialize), (.fault, .fault):
            #expect(after.deadline == nil)
        case (.backup(let wait), .backup(let masterDown, _)):
            #expect(masterDown == deadline(wait))
            #expect(after.deadline == masterDown)
        case (.master(let wait), .master(let nextAdvertisement, _)):
            #expect(nextAdvertisement == deadline(wait))
            #expect(after.deadline == nextAdvertisement)
        case (.same, _):
            #expect(after == before)
        default:
            Issue.record("ended in \(after.state), expected \(row.end)")
        }
    }

    @Test("an early or repeated timer does nothing", arguments: Begin.allCases)
    func timerIsIdempotent(_ begin: Begin) {
        var router = Self.router(begin)
        let before = router
        let early = (router.deadline ?? Self.start) - .nanoseconds(1)
        #expect(router.handle(.timer, now: early) == [])
        #expect(router == before)
        guard let deadline = router.deadline else { return }
        #expect(router.handle(.timer, now: deadline) != [])
        let acted = router
        #expect(router.handle(.timer, now: deadline) == [])
        #expect(router == acted)
    }

    @Test("every kind of event is in the table for every state")
    func tableIsComplete() {
        func kind(_ event: VirtualRouter.Event) -> Int {
            switch event {
            case .startup: 0
            case .shutdown: 1
            case .timer: 2
            case .advertisement: 3
            case .linkDown: 4
            case .linkUp: 5
            case .sourceAddressAssigned: 6
            case .sourceAddressLost: 7
            case .addressRemoved: 8
            }
        }
        for begin in Begin.allCases {
            let kinds = Self.rows.filter { $0.begin == begin }.map { kind($0.event) }
            #expect(Set(kinds) == Set(0...8), "\(begin)")
        }
    }
}
