import NetworkTypes
import TestSupport
import Testing
import VRRP

/// What the configuration's switches change, and what nothing changes.
@Suite("Virtual router, options and invariants")
struct VirtualRouterOptionTests {
    private typealias Table = VirtualRouterTable
    private let start = VirtualRouterTable.start

    private func router(
        _ begin: Table.Begin, version: Int = 2,
        _ change: (inout VirtualRouter.Configuration) -> Void = { _ in }
    ) -> VirtualRouter {
        var configuration = Table.configuration(version: version)
        change(&configuration)
        return Table.router(begin, configuration)
    }

    private func hear(
        _ priority: UInt8, from sender: IPAddress = VirtualRouterTable.above,
        _ router: inout VirtualRouter, at now: MonotonicInstant = VirtualRouterTable.start
    ) -> [VirtualRouter.Action] {
        router.handle(
            .advertisement(router.configuration.advertisement(priority: priority), from: sender),
            now: now)
    }

    // RFC-CHECKLIST: 63
    @Test(
        "RFC 5798 §6.4.3, lower_prio_no_advert: a lower priority is not answered",
        arguments: [2, 3])
    func noAnswer(version: Int) {
        var router = router(.master, version: version) { $0.answersLowerPriority = false }
        let deadline = router.deadline
        #expect(
            hear(99, &router) == [
                .log(
                    .receivedLowerPriority(99, ours: 100, from: Table.above, answers: false)),
                .announceAddresses(count: 5), .transition(.masterHeardLowerPriority),
            ])
        #expect(router.deadline == deadline)
        #expect(
            LogMessage.receivedLowerPriority(99, ours: 100, from: Table.above, answers: false)
                .description
                == "Received advert from 10.10.10.3 with lower priority 99, ours 100")
    }

    // RFC-CHECKLIST: 61
    @Test("RFC 5798 §6.4.3: priority 0 is answered all the same", arguments: [2, 3])
    func resignationIsAnswered(version: Int) {
        var router = router(.master, version: version) { $0.answersLowerPriority = false }
        #expect(hear(0, &router).first == .sendAdvertisement(priority: 100))
        #expect(router.deadline == start + router.configuration.advertisementInterval)
    }

    @Test(
        "higher_prio_send_advert: one more before it yields, to its better only",
        arguments: [2, 3])
    func lastWord(version: Int) {
        let router = router(.master, version: version) { $0.advertisesBeforeYielding = true }
        var yielding = router
        #expect(
            hear(101, &yielding).prefix(2) == [
                .sendAdvertisement(priority: 100),
                .log(.receivedHigherPriority(101, ours: 100, from: Table.above)),
            ])
        yielding = router
        #expect(hear(100, &yielding).first == .sendAdvertisement(priority: 100))
        yielding = router
        #expect(
            hear(99, &yielding).filter { $0 == .sendAdvertisement(priority: 100) }.count == 1)
    }

    // RFC-CHECKLIST: 43
    @Test("RFC 9568 §6.1: the owner preempts, even where preemption is switched off")
    func ownerPreempts() {
        var owner = router(.initialize) {
            $0.priority = 255
            $0.preempts = false
        }
        _ = owner.handle(.startup, now: start)
        _ = owner.handle(.demoted, now: start)
        let deadline = owner.deadline
        #expect(hear(254, &owner) == [.log(.discardedLowerPriority(254, from: Table.above))])
        #expect(owner.deadline == deadline)
    }

    // RFC-CHECKLIST: 43, 54
    @Test("RFC 9568 §6.4.2: preempting, a backup discards a lower priority until its timer fires")
    func preempts() {
        var router = router(.backup)
        let deadline = router.deadline ?? start
        for _ in 0..<3 { _ = hear(99, &router) }
        #expect(router.deadline == deadline)
        #expect(router.handle(.timer, now: deadline) == Table.timeOut)
    }

    // RFC-CHECKLIST: 44, 58
    @Test("RFC 9568 §6.4.3: packets to the addresses are accepted by the owner, or in Accept_Mode")
    func acceptance() {
        func accepts(_ priority: UInt8, _ acceptMode: Bool) -> Bool {
            var configuration = Table.configuration
            configuration.priority = priority
            configuration.acceptMode = acceptMode
            return configuration.acceptsPackets
        }
        #expect(accepts(255, false) && accepts(255, true) && accepts(100, true))
        #expect(!accepts(100, false))
        // keepalived's default, not the RFC's.
        #expect(Table.configuration.acceptMode)
    }

    // RFC-CHECKLIST: 46
    @Test("RFC 9568 §6.4.1: the owner advertises and announces before anything is heard")
    func ownerOfVersion3() {
        var owner = router(.initialize, version: 3) { $0.priority = 255 }
        #expect(
            owner.handle(.startup, now: start) == [
                .removeAddresses, .log(.receivedAdvertisementTimeout),
                .sendAdvertisement(priority: 255), .log(.enteredMaster),
                .addAddresses, .announceAddresses(count: 5), .transition(.master),
            ])
        #expect(owner.deadline == start + .milliseconds(100))
    }

    // RFC-CHECKLIST: 39
    @Test("RFC 9568 §7.1: a refused advertisement moves no timer, and silences nobody")
    func refusedAdvertisements() throws {
        var router = router(.master)
        var stranger = Table.configuration
        stranger.authentication = .password(AuthenticationPassword(truncating: "other"))
        let expected = router.configuration.advertisement(priority: router.priority)
        var sent: [MonotonicInstant] = []
        let first = try #require(router.deadline)
        // A master with another password advertises right before each of our own advertisements.
        for second in 0..<10 {
            let before = router
            let packet = try stranger.advertisement(priority: 200).ipv4Packet(
                from: IPv4Address(10, 10, 10, 3), identification: UInt16(second))
            let received = try ReceivedAdvertisement(parsing: packet)
            // What the shell does: only what passes becomes an event.
            #expect(throws: AdvertisementError.self) {
                let advertisement = try received.validated(against: .init(expected))
                _ = router.handle(
                    .advertisement(advertisement, from: received.source),
                    now: first + .milliseconds(1000 * second - 1))
            }
            #expect(router == before)
            let now = first + .seconds(second)
            if router.handle(.timer, now: now).first == .sendAdvertisement(priority: 100) {
                sent.append(now)
            }
        }
        #expect(sent == (0..<10).map { first + .seconds($0) })
    }

    // RFC-CHECKLIST: 11, 48, 50, 55, 59
    @Test(
        "RFC 9568 §6.4: whatever happens, who is master has the addresses, and nobody else",
        arguments: 1...200, [2, 3])
    func invariants(seed: Int, version: Int) {
        var generator = SeededGenerator(seed: UInt64(seed * 2 + version))
        var router = router(.initialize, version: version) {
            $0.preempts = .random(using: &generator)
            $0.preemptionDelay = .random(using: &generator) ? .seconds(2) : nil
            $0.isInGroup = seed % 3 == 0
            $0.startsAsMaster = seed % 5 == 0
            $0.priority = seed % 7 == 0 ? 255 : 100
        }
        var now = start
        var hasAddresses = false
        // Half a million things to look at: only what is wrong is worth an expectation.
        var violations: [String] = []
        for step in 0..<300 {
            now += .milliseconds(Int.random(in: 0...1500, using: &generator))
            let event = randomEvent(for: router, &generator)
            let wasMaster = router.isMaster
            let actions = router.handle(event, now: now)
            func check(_ condition: Bool, _ rule: String) {
                if !condition { violations.append("step \(step), \(event): \(rule)") }
            }
            for action in actions {
                switch action {
                case .addAddresses: hasAddresses = true
                case .removeAddresses: hasAddresses = false
                case .restoreAddresses, .replaceAddresses, .announceAddresses:
                    check(hasAddresses, "announced, but not there")
                case .sendAdvertisement(priority: 0):
                    check(wasMaster && !router.isMaster, "a farewell not of a leaving master")
                case .sendAdvertisement:
                    check(wasMaster || router.isMaster, "an advertisement of no master")
                case .transition, .log: break
                }
            }
            check(hasAddresses == router.isMaster, "addresses and mastery differ")
            check(!router.isMaster || router.faults.isEmpty, "a master with a fault")
            switch router.state {
            case .initialize, .pending, .fault: check(router.deadline == nil, "an idle timer")
            case .backup, .master: check(router.deadline != nil, "waits for nothing")
            }
            if case .timer = event, let deadline = router.deadline {
                check(deadline > now, "the timer has not done all")
            }
        }
        #expect(violations == [], "seed \(seed), version \(version)")
    }

    private func randomEvent(
        for router: VirtualRouter, _ generator: inout SeededGenerator
    ) -> VirtualRouter.Event {
        let faults: [VirtualRouter.Fault] = [
            .link, .trackedScript("a"), .awaitingScript("a"), .group, .awaitingGroup,
        ]
        let fault = faults[Int.random(in: 0..<faults.count, using: &generator)]
        let priority = UInt8.random(in: 1...254, using: &generator)
        switch Int.random(in: 0..<24, using: &generator) {
        case 0: return .startup
        case 1: return Int.random(in: 0..<4, using: &generator) == 0 ? .shutdown : .startup
        case 2: return Int.random(in: 0..<4, using: &generator) == 0 ? .deletion : .startup
        case 3: return .faultRaised(fault)
        case 4, 5, 6: return .faultCleared(fault)
        case 7: return .sourceAddressAssigned(Table.here)
        case 8: return .addressRemoved
        case 9: return .priorityChanged(priority)
        case 10:
            var configuration = router.configuration
            configuration.advertisementInterval = .seconds(Int(priority % 3) + 1)
            return .reconfigured(
                .init(configuration, addsAddresses: .random(using: &generator)))
        case 11: return .promoted
        case 12: return .demoted
        case 13: return .groupHeardLowerPriority
        case 14, 15, 16:
            let heard = [0, 255, priority][Int.random(in: 0..<3, using: &generator)]
            return .advertisement(
                router.configuration.advertisement(priority: heard),
                from: [Table.above, Table.below][Int.random(in: 0..<2, using: &generator)])
        default: return .timer
        }
    }
}
