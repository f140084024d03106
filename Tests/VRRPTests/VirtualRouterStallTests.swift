import NetworkTypes
import Testing
import VRRP

/// A process that was stopped, or kept off the processor: what has arrived meanwhile is delivered
/// first, then the timer, all of it late.
@Suite("Virtual router, late wake-ups")
struct VirtualRouterStallTests {
    private typealias Table = VirtualRouterTable
    private let late = VirtualRouterTable.start + .seconds(60)

    private func hear(_ priority: UInt8, _ router: inout VirtualRouter) -> [VirtualRouter.Action] {
        router.handle(
            .advertisement(Table.advertisement(priority), from: Table.above), now: late)
    }

    @Test("a backup believes the advertisements it finds, and waits anew")
    func backupFindsMaster() {
        var router = Table.router(.backup)
        #expect(hear(200, &router) == [])
        #expect(router.handle(.timer, now: late) == [])
        #expect(router.deadline == late + router.masterDownInterval)
    }

    @Test("what a backup knows already moves its deadline and nothing else, also on the short way")
    func hearAgain() {
        var router = Table.router(.backup)
        let wait = late + router.masterDownInterval
        let interval = router.masterAdvertisementInterval
        var other = router
        #expect(hear(200, &other) == [])
        #expect(router.hearAgain(priority: 200, interval: interval, at: late) == wait)
        #expect(router == other && router.deadline == wait)
    }

    @Test("the short way is for nothing else", arguments: [0, 50] as [UInt8])
    func hearsNothingElse(priority: UInt8) {
        for state in [Table.router(.backup), Table.router(.master)] {
            var router = state
            let interval = router.masterAdvertisementInterval
            #expect(router.hearAgain(priority: priority, interval: interval, at: late) == nil)
            #expect(router == state)
        }
    }

    @Test("a master on time advertises and waits on its grid, also on the short way")
    func advertiseOnTime() throws {
        var router = Table.router(.master)
        let due = try #require(router.deadline)
        #expect(router.advertiseOnTime(at: due - .nanoseconds(1)) == nil, "too early")
        var other = router
        let action = VirtualRouter.Action.sendAdvertisement(priority: router.priority)
        #expect(other.handle(.timer, now: due + .milliseconds(1)) == [action])
        let advertised = router.advertiseOnTime(at: due + .milliseconds(1))
        let sent = try #require(advertised)
        #expect(sent.priority == router.priority)
        #expect(sent.deadline == due + router.masterAdvertisementInterval)
        #expect(router == other && router.deadline == sent.deadline)
    }

    @Test("a master that is late, has addresses to announce, or is none, has no short way")
    func advertisesNothingElse() throws {
        var router = Table.router(.master)
        let due = try #require(router.deadline)
        #expect(router.advertiseOnTime(at: due + router.masterAdvertisementInterval) == nil)
        #expect(router == Table.router(.master))
        // The second burst comes five seconds after the first advertisement.
        for seconds in 0..<4 {
            #expect(router.advertiseOnTime(at: due + .seconds(seconds)) != nil)
        }
        #expect(router.advertiseOnTime(at: due + .seconds(4)) == nil)
        var backup = Table.router(.backup)
        #expect(backup.advertiseOnTime(at: late) == nil)
    }

    @Test("a backup that finds a farewell, and the next master after it, waits for that one")
    func backupFindsFarewell() {
        var router = Table.router(.backup)
        _ = hear(0, &router)
        _ = hear(150, &router)
        #expect(router.handle(.timer, now: late) == [])
        #expect(router.deadline == late + router.masterDownInterval)
    }

    @Test("a backup that finds nothing takes over")
    func backupFindsNothing() {
        var router = Table.router(.backup)
        #expect(router.handle(.timer, now: late) == Table.timeOut)
    }

    @Test("a backup that finds its lessers only takes over at once")
    func backupFindsLessers() {
        var router = Table.router(.backup)
        #expect(hear(50, &router) == [.log(.discardedLowerPriority(50, from: Table.above))])
        #expect(router.handle(.timer, now: late) == Table.timeOut)
    }

    @Test("a master that finds its better is none any more, and does not say a word")
    func masterFindsBetter() {
        var router = Table.router(.master)
        #expect(hear(200, &router).last == .transition(.backup))
        #expect(router.handle(.timer, now: late) == [])
        #expect(router.deadline == late + router.masterDownInterval)
    }

    @Test("a master that finds its lesser says so, announces, and goes on")
    func masterFindsLesser() {
        var router = Table.router(.master)
        #expect(hear(50, &router) == Table.answer(50, from: Table.above))
        #expect(router.handle(.timer, now: late) == [])
        #expect(router.deadline == late + .seconds(1))
    }

    @Test("it announces then even if it otherwise does not, but once")
    func masterFindsLesserInStrictMode() {
        var configuration = Table.configuration
        configuration.announcements.lowerPriorityRepeat = 0
        var router = Table.router(.master, configuration)
        #expect(hear(50, &router).contains(.announceAddresses(count: 5)))
        #expect(!hear(50, &router).contains(.announceAddresses(count: 5)))
    }

    @Test("a master that finds a farewell announces its addresses: the other one had them")
    func masterFindsFarewell() {
        var router = Table.router(.master)
        #expect(
            hear(0, &router) == [
                .sendAdvertisement(priority: 100), .log(.masterReceivedResignation),
                .announceAddresses(count: 5),
            ])
    }

    @Test("a master that finds nothing speaks at once; silent for Master_Down, it announces too")
    func masterFindsNothing() {
        let fresh = Table.router(.master)
        let spoke = (fresh.deadline ?? late) - .seconds(1)
        var router = fresh
        let almost = spoke + router.masterDownInterval - .nanoseconds(1)
        #expect(router.handle(.timer, now: almost) == [.sendAdvertisement(priority: 100)])
        #expect(router.deadline == almost + .seconds(1))
        router = fresh
        let silent = spoke + router.masterDownInterval
        #expect(
            router.handle(.timer, now: silent) == [
                .sendAdvertisement(priority: 100), .announceAddresses(count: 5),
            ])
        #expect(router.deadline == silent + .seconds(1))
        // And again after garp_master_delay, as a new master would.
        for second in 1...4 {
            #expect(
                router.handle(.timer, now: silent + .seconds(second)) == [
                    .sendAdvertisement(priority: 100)
                ])
        }
        #expect(
            router.handle(.timer, now: silent + .seconds(5)) == [
                .sendAdvertisement(priority: 100), .announceAddresses(count: 5),
            ])
    }
}
