import NetworkTypes
import Testing
import VRRP

/// Sequences of events, told as they happen.
@Suite("Virtual router")
struct VirtualRouterTests {
    private typealias Table = VirtualRouterTable
    private let start = VirtualRouterTable.start

    private func router(
        priority: UInt8 = 100, preempts: Bool = true,
        announcements: VirtualRouter.AnnouncementSettings = .init()
    ) -> VirtualRouter {
        VirtualRouter(
            .init(
                name: "VI_1", vrid: 51, priority: priority, preempts: preempts,
                addresses: [.v4(IPv4Address(10, 10, 10, 10))], announcements: announcements),
            sourceAddress: Table.here)
    }

    /// Delivers `.timer` at every deadline up to `end` and returns what was done, and when.
    private func run(
        _ router: inout VirtualRouter, until end: MonotonicInstant
    ) -> [(time: Duration, action: VirtualRouter.Action)] {
        var done: [(time: Duration, action: VirtualRouter.Action)] = []
        while let deadline = router.deadline, deadline <= end {
            done += router.handle(.timer, now: deadline).map { (deadline - start, $0) }
        }
        return done
    }

    // RFC-CHECKLIST: 40, 42
    @Test(
        "§6.1: skew and Master_Down_Interval, exact to the nanosecond",
        arguments: [
            (UInt8(100), 609_375_000), (99, 613_281_250), (90, 648_437_500), (254, 7_812_500),
            (255, 3_906_250), (1, 996_093_750),
        ])
    func intervals(priority: UInt8, skewNanoseconds: Int) {
        let router = router(priority: priority)
        #expect(router.skewTime == .nanoseconds(skewNanoseconds))
        #expect(router.masterDownInterval == .seconds(3) + .nanoseconds(skewNanoseconds))
    }

    // RFC-CHECKLIST: 40, 42
    @Test("§6.1: in version 2 the skew does not scale with the interval")
    func skewIsUnscaled() {
        var configuration = Table.configuration
        configuration.advertisementInterval = .seconds(5)
        #expect(VirtualRouter(configuration).masterDownInterval == .milliseconds(15_609.375))
    }

    // RFC-CHECKLIST: 46
    @Test("§6.4.1: the owner is master at once")
    func ownerStartsAsMaster() {
        var owner = router(priority: 255)
        #expect(
            owner.handle(.startup, now: start) == [
                .removeAddresses, .log(.receivedAdvertisementTimeout),
                .sendAdvertisement(priority: 255), .log(.enteredMaster), .addAddresses,
                .announceAddresses(count: 5), .transition(.master),
            ])
        #expect(owner.deadline == start + .seconds(1))
    }

    @Test("a router starts in FAULT while link or address is missing, and needs both")
    func startsInFault() {
        var router = VirtualRouter(Table.configuration)
        #expect(router.handle(.faultRaised(.link), now: start) == [])
        #expect(
            router.handle(.startup, now: start) == [
                .removeAddresses, .log(.startedInFault), .transition(.fault),
            ])
        #expect(router.handle(.faultCleared(.link), now: start) == [])
        #expect(router.state == .fault)
        #expect(
            router.handle(.sourceAddressAssigned(Table.here), now: start) == Table.enterBackup)
        #expect(router.deadline == start + router.masterDownInterval)
    }

    @Test("what its configuration keeps in FAULT was told when that was read")
    func startsInConfiguredFault() {
        var router = VirtualRouter(Table.configuration, sourceAddress: Table.here)
        _ = router.handle(.faultRaised(.noUnicastPeers), now: start)
        _ = router.handle(.faultRaised(.configuration), now: start)
        #expect(
            router.handle(.startup, now: start) == [.removeAddresses, .transition(.fault)])
    }

    @Test("the owner takes its addresses back as soon as the link is up")
    func ownerRecovers() {
        var owner = router(priority: 255)
        _ = owner.handle(.startup, now: start)
        _ = owner.handle(.faultRaised(.link), now: start)
        #expect(
            owner.handle(.faultCleared(.link), now: start).first
                == .sendAdvertisement(priority: 255))
    }

    @Test("a lost source address is still what the farewell comes from")
    func farewellComesFromTheLostAddress() {
        var router = Table.router(.master)
        #expect(
            router.handle(.sourceAddressLost, now: start).contains(.sendAdvertisement(priority: 0)))
        #expect(router.sourceAddress == Table.here)
        #expect(!router.hasSourceAddress)
        // Another address serves as well.
        _ = router.handle(.sourceAddressAssigned(Table.above), now: start)
        #expect(router.sourceAddress == Table.above)
        #expect(router.deadline == start + router.masterDownInterval)
    }

    @Test("it knows the priority of the master it waits for or gave way to, and as master too")
    func masterPriority() {
        func heard(_ priorities: [UInt8], preempts: Bool = true, delay: Duration? = nil) -> UInt8 {
            var configuration = Table.configuration
            (configuration.preempts, configuration.preemptionDelay) = (preempts, delay)
            var router = Table.router(.backup, configuration)
            for priority in priorities {
                _ = router.handle(
                    .advertisement(Table.advertisement(priority), from: Table.above), now: start)
            }
            return router.masterPriority
        }
        #expect(heard([]) == 0)
        // One that resigns, and one that is going to be preempted, is none.
        #expect(heard([150, 0, 50]) == 150)
        #expect(heard([150, 120]) == 120)
        #expect(heard([150, 50], preempts: false) == 50)
        #expect(heard([150, 50], delay: .seconds(5)) == 50)
        var router = Table.router(.master)
        _ = router.handle(.advertisement(Table.advertisement(50), from: Table.above), now: start)
        #expect(router.masterPriority == 0)
        _ = router.handle(.advertisement(Table.advertisement(150), from: Table.above), now: start)
        #expect(router.masterPriority == 150)
        _ = router.handle(.timer, now: start + .seconds(60))
        #expect(router.isMaster && router.masterPriority == 150)
    }

    // RFC-CHECKLIST: 52, 53
    @Test(
        "§6.4.2: advertisements keep a backup waiting, a resignation shortens the wait to the skew")
    func backupWaits() {
        var router = Table.router(.backup)
        let heard = start + .seconds(1)
        _ = router.handle(.advertisement(Table.advertisement(150), from: Table.above), now: heard)
        #expect(router.deadline == heard + router.masterDownInterval)
        let resigned = start + .milliseconds(1500)
        _ = router.handle(.advertisement(Table.advertisement(0), from: Table.above), now: resigned)
        #expect(router.deadline == resigned + router.skewTime)
        // Heard again, it starts again.
        _ = router.handle(
            .advertisement(Table.advertisement(0), from: Table.above),
            now: resigned + .milliseconds(9))
        #expect(router.deadline == resigned + .milliseconds(9) + router.skewTime)
    }

    // RFC-CHECKLIST: 43, 53
    @Test("nopreempt: a master of lower priority is left in peace, until it goes")
    func noPreemption() {
        var router = router(preempts: false)
        _ = router.handle(.startup, now: start)
        let heard = start + .seconds(1)
        #expect(
            router.handle(.advertisement(Table.advertisement(99), from: Table.above), now: heard)
                == [])
        #expect(router.deadline == heard + router.masterDownInterval)
        #expect(router.handle(.timer, now: heard + .seconds(4)) == Table.timeOut)
    }

    @Test("nopreempt does not bind a master: it answers a lower priority as any other")
    func noPreemptionAsMaster() {
        var router = router(preempts: false)
        _ = router.handle(.startup, now: start)
        _ = router.handle(.timer, now: start + .seconds(4))
        #expect(
            router.handle(
                .advertisement(Table.advertisement(99), from: Table.above), now: start + .seconds(5)
            )
                == Table.answer(99, from: Table.above))
    }

    @Test("preempt_delay: a lower master is let be that long, then no more than any other")
    func preemptionDelay() {
        var configuration = Table.configuration
        configuration.preemptionDelay = .seconds(4)
        var router = VirtualRouter(configuration, sourceAddress: Table.here)
        _ = router.handle(.startup, now: start)
        func hear(_ priority: UInt8, atSeconds seconds: Double) -> [VirtualRouter.Action] {
            router.handle(
                .advertisement(Table.advertisement(priority), from: Table.above),
                now: start + .milliseconds(seconds * 1000))
        }
        #expect(hear(50, atSeconds: 0.5) == [.log(.startedPreemptionDelay(.seconds(4)))])
        for second in 1...4 { #expect(hear(50, atSeconds: Double(second) + 0.4) == []) }
        #expect(router.deadline == start + .milliseconds(4400) + router.masterDownInterval)
        let discarded: [VirtualRouter.Action] = [
            .log(.discardedLowerPriority(50, from: Table.above))
        ]
        #expect(hear(50, atSeconds: 5.4) == discarded)
        #expect(router.deadline == start + .milliseconds(4400) + router.masterDownInterval)
        // A better master ends it; the next lower one is let be anew.
        #expect(hear(200, atSeconds: 6) == [.log(.stoppedPreemptionDelay)])
        #expect(hear(50, atSeconds: 7) == [.log(.startedPreemptionDelay(.seconds(4)))])
        #expect(
            LogMessage.startedPreemptionDelay(.milliseconds(4050)).description
                == "start preempt delay (4.050000)")
    }

    @Test("garp_master_*: five rounds at once, five more after five seconds, then none")
    func announcements() {
        var router = Table.router(.backup)
        let done = run(&router, until: start + .seconds(30)).compactMap { done -> Duration? in
            guard case .announceAddresses(count: 5) = done.action else { return nil }
            return done.time
        }
        let mastery = Duration.seconds(1) * 156 / 256 + .seconds(3)
        #expect(done == [mastery, mastery + .seconds(5)])
    }

    @Test("garp_master_delay 0: no second burst; garp_master_refresh: one round each period")
    func announcementSettings() {
        var router = router(
            announcements: .init(
                masterRepeat: 2, masterDelay: nil, refreshInterval: .milliseconds(2500)))
        _ = router.handle(.startup, now: start)
        var counts: [Int] = []
        for done in run(&router, until: start + .seconds(12)) {
            if case .announceAddresses(let count) = done.action { counts.append(count) }
        }
        // At 3.61 s; then at 6.11, 8.61 and 11.11 s.
        #expect(counts == [2, 1, 1, 1])
    }

    @Test("garp_lower_prio_*: again after the delay, counted from the last advertisement heard")
    func announcementsAfterLowerPriority() {
        var router = router(announcements: .init(masterDelay: nil))
        _ = router.handle(.startup, now: start)
        _ = router.handle(.timer, now: start + .seconds(4))
        for second in 5...7 {
            _ = router.handle(
                .advertisement(Table.advertisement(1), from: Table.above),
                now: start + .seconds(second))
        }
        let bursts = run(&router, until: start + .seconds(20)).filter {
            $0.action == .announceAddresses(count: 5)
        }
        #expect(bursts.map(\.time) == [.seconds(12)])
    }

    @Test("garp_lower_prio_repeat 0: an answer without announcement")
    func noAnnouncementAfterLowerPriority() {
        var router = router(announcements: .init(masterDelay: nil, lowerPriorityRepeat: 0))
        _ = router.handle(.startup, now: start)
        _ = router.handle(.timer, now: start + .seconds(4))
        let actions = router.handle(
            .advertisement(Table.advertisement(1), from: Table.above), now: start + .seconds(5))
        #expect(
            actions.suffix(2) == [
                .sendAdvertisement(priority: 100), .transition(.masterHeardLowerPriority),
            ])
        #expect(router.deadline == start + .seconds(6))
    }

    @Test("a master that is none any more announces nothing")
    func announcementsEndWithMastery() {
        var router = Table.router(.master)
        let now = start + .seconds(4)
        _ = router.handle(.advertisement(Table.advertisement(200), from: Table.above), now: now)
        #expect(router.deadline == now + router.masterDownInterval)
    }

    @Test("advertisements stay on their grid when each wake-up is late")
    func lateWakeUpsDoNotAddUp() {
        var router = Table.router(.master)
        let first = router.deadline ?? start
        var due = first
        for _ in 0..<3 {
            #expect(router.handle(.timer, now: due + .milliseconds(30)) != [])
            due += .seconds(1)
            #expect(router.deadline == due)
        }
    }

    @Test("a master that was stopped for minutes advertises once, announces once and goes on")
    func stalledMaster() {
        var router = Table.router(.master)
        let late = start + .seconds(300)
        #expect(
            router.handle(.timer, now: late) == [
                .sendAdvertisement(priority: 100), .announceAddresses(count: 5),
            ])
        #expect(router.deadline == late + .seconds(1))
    }

    // RFC-CHECKLIST: 28
    @Test("RFC 9568 §7.1, §6.4.3: of two owners the one with the lower address is owner no more")
    func lesserOfTwoOwners() {
        var owner = router(priority: 255)
        _ = owner.handle(.startup, now: start)
        #expect(
            owner.handle(
                .advertisement(Table.advertisement(255), from: Table.above),
                now: start + .milliseconds(10)) == [
                    .log(.duplicateOwner(yields: true)),
                    .log(.receivedHigherPriority(255, ours: 254, from: Table.above)),
                ] + Table.yield)
        #expect(owner.priority == 254)
    }

    // RFC-CHECKLIST: 28
    @Test("the one with the higher address reports it, answers, and stays master")
    func greaterOfTwoOwners() {
        var owner = router(priority: 255)
        _ = owner.handle(.startup, now: start)
        let actions = owner.handle(
            .advertisement(Table.advertisement(255), from: Table.below),
            now: start + .milliseconds(10))
        #expect(actions.first == .log(.duplicateOwner(yields: false)))
        #expect(actions.contains(.sendAdvertisement(priority: 255)))
        #expect(owner.isMaster && owner.priority == 255)
        #expect(
            LogMessage.duplicateOwner(yields: true).description.hasSuffix(
                "please fix - reducing local priority"))
        #expect(LogMessage.duplicateOwner(yields: false).description.hasSuffix("please fix"))
    }

    @Test("after a shutdown it can be started again")
    func restart() {
        var router = Table.router(.master)
        _ = router.handle(.shutdown, now: start)
        #expect(router.deadline == nil)
        #expect(router.handle(.startup, now: start).last == .transition(.backup))
    }

    @Test("log lines are keepalived's, word for word")
    func logLines() {
        let lines: [(LogMessage, String)] = [
            (.enteredBackup(isInitial: true), "Entering BACKUP STATE (init)"),
            (.enteredMaster, "Entering MASTER STATE"),
            (.enteredFault, "Entering FAULT STATE"),
            (.receivedAdvertisementTimeout, "Receive advertisement timeout"),
            (.backupReceivedResignation, "Backup received priority 0 advertisement"),
            (.sentResignation, "sent 0 priority"),
            (
                .discardedLowerPriority(99, from: Table.here),
                "received lower priority (99) advert from 10.10.10.2 - discarding"
            ),
            (
                .receivedLowerPriority(99, ours: 100, from: Table.here),
                "Received advert from 10.10.10.2 with lower priority 99, ours 100, "
                    + "forcing new election"
            ),
            (
                .receivedHigherPriority(100, ours: 99, from: Table.below),
                "Master received advert from 10.10.10.1 with higher priority 100, ours 99"
            ),
        ]
        for (message, line) in lines { #expect(message.description == line) }
        #expect(LogMessage.receivedAdvertisementTimeout.isDetail)
        #expect(!LogMessage.enteredMaster.isDetail)
    }
}
