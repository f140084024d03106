import NetworkTypes
import Testing
import VRRP

/// What changes while a router runs: faults, priorities, configuration, addresses taken away, time
/// lost.
@Suite("Virtual router, changes at run time")
struct VirtualRouterChangeTests {
    private typealias Table = VirtualRouterTable
    private let start = VirtualRouterTable.start

    private func router(
        _ begin: Table.Begin, _ change: (inout VirtualRouter.Configuration) -> Void = { _ in }
    ) -> VirtualRouter {
        var configuration = Table.configuration
        change(&configuration)
        return Table.router(begin, configuration)
    }

    private func reload(
        _ router: inout VirtualRouter, addsAddresses: Bool = false,
        at now: MonotonicInstant, _ change: (inout VirtualRouter.Configuration) -> Void
    ) -> [VirtualRouter.Action] {
        var configuration = router.configuration
        change(&configuration)
        return router.handle(
            .reconfigured(.init(configuration, addsAddresses: addsAddresses)), now: now)
    }

    // MARK: Faults and startup

    @Test("FAULT is left when the last of its causes is gone")
    func faultsAreASet() {
        var router = router(.master)
        #expect(router.handle(.faultRaised(.trackedScript("a")), now: start) == Table.fail)
        for fault in [VirtualRouter.Fault.trackedInterface("eth1"), .virtualMAC, .addressConflict] {
            #expect(router.handle(.faultRaised(fault), now: start) == [])
        }
        for fault in [VirtualRouter.Fault.virtualMAC, .trackedScript("a"), .addressConflict] {
            #expect(router.handle(.faultCleared(fault), now: start) == [])
        }
        #expect(
            router.handle(.faultCleared(.trackedInterface("eth1")), now: start)
                == Table.enterBackup)
    }

    @Test("a router is pending until every script has answered, whatever else it lacked meanwhile")
    func pending() {
        var router = VirtualRouter(Table.configuration, sourceAddress: Table.here)
        _ = router.handle(.faultRaised(.awaitingScript("a")), now: start)
        _ = router.handle(.faultRaised(.awaitingScript("b")), now: start)
        #expect(router.handle(.startup, now: start) == [.removeAddresses])
        #expect(router.state == .pending)
        #expect(router.handle(.faultCleared(.awaitingScript("a")), now: start) == [])
        #expect(router.handle(.faultRaised(.link), now: start) == Table.enterFault)
        #expect(router.handle(.faultCleared(.link), now: start) == [])
        let now = start + .seconds(2)
        #expect(
            router.handle(.faultCleared(.awaitingScript("b")), now: now) == Table.enterBackup)
        #expect(router.deadline == now + router.masterDownInterval)
    }

    @Test("keepalived 1.3.5: `state MASTER` is master at once, at the start and after FAULT")
    func startsAsMaster() {
        var router = router(.initialize) { $0.startsAsMaster = true }
        #expect(
            router.handle(.startup, now: start) == [.removeAddresses] + Table.becomeMaster)
        _ = router.handle(.faultRaised(.link), now: start)
        #expect(router.handle(.faultCleared(.link), now: start) == Table.becomeMaster)
        // But it is not the owner: it yields as any other.
        _ = router.handle(.advertisement(Table.advertisement(101), from: Table.below), now: start)
        #expect(!router.isMaster)
    }

    @Test("vrrp_startup_delay: nobody is believed dead before it is over")
    func startupDelay() {
        var router = router(.initialize) { $0.startupDelay = .seconds(10) }
        _ = router.handle(.startup, now: start)
        #expect(router.deadline == start + .seconds(10) + router.masterDownInterval)
        let now = start + .seconds(1)
        _ = router.handle(.advertisement(Table.advertisement(0), from: Table.above), now: now)
        #expect(router.deadline == start + .seconds(10) + router.skewTime)
        let later = start + .seconds(11)
        _ = router.handle(.advertisement(Table.advertisement(200), from: Table.above), now: later)
        #expect(router.deadline == later + router.masterDownInterval)
        // The owner waits for the delay alone.
        var owner = self.router(.initialize) {
            $0.priority = 255
            $0.startupDelay = .seconds(10)
        }
        _ = owner.handle(.startup, now: start)
        #expect(owner.deadline == start + .seconds(10))
    }

    @Test("a weight that changes during vrrp_startup_delay does not move its end")
    func priorityDuringStartupDelay() {
        var router = router(.initialize) {
            $0.startsAsMaster = true
            $0.startupDelay = .seconds(10)
        }
        _ = router.handle(.startup, now: start)
        _ = router.handle(.priorityChanged(200), now: start + .seconds(1))
        #expect(router.deadline == start + .seconds(10))
    }

    @Test("notify_deleted: the end by a reload is told as DELETED; without it as FAULT, once")
    func deletion() {
        var router = router(.fault) { $0.notifiesDeletion = true }
        #expect(router.handle(.deletion, now: start) == [.transition(.deleted)])
        router = self.router(.master) { $0.notifiesDeletion = true }
        #expect(router.handle(.deletion, now: start) == Table.resign + [.transition(.deleted)])
    }

    // MARK: Priority

    @Test("a backup's wait moves by the difference of the skews, also one shortened by a farewell")
    func priorityMovesTheWait() {
        var router = router(.backup)
        let deadline = router.deadline ?? start
        #expect(
            router.handle(.priorityChanged(36), now: start) == [
                .log(.changedPriority(from: 100, to: 36)), .transition(.backupPriority),
            ])
        #expect(router.deadline == deadline + .milliseconds(250))
        _ = router.handle(.advertisement(Table.advertisement(0), from: Table.above), now: start)
        _ = router.handle(.priorityChanged(100), now: start)
        #expect(router.deadline == start + .milliseconds(609.375))
        #expect(
            LogMessage.changedPriority(from: 105, to: 85).description
                == "Changing effective priority from 105 to 85")
    }

    @Test("a master says its new priority when it is due, and resigns to nobody by itself")
    func priorityOfMaster() {
        var router = router(.master)
        let deadline = router.deadline
        _ = router.handle(.priorityChanged(90), now: start)
        #expect(router.deadline == deadline)
        #expect(
            router.handle(.timer, now: deadline ?? start) == [.sendAdvertisement(priority: 90)])
        // Who was lower is higher now.
        _ = router.handle(.advertisement(Table.advertisement(95), from: Table.below), now: start)
        #expect(!router.isMaster)
    }

    // RFC-CHECKLIST: 9
    @Test("RFC 9568 §6.1: the owner's priority does not change")
    func ownerKeepsItsPriority() {
        var router = router(.backup) { $0.priority = 255 }
        #expect(router.handle(.priorityChanged(100), now: start) == [])
        #expect(router.priority == 255)
    }

    // MARK: Reload

    @Test("reload: a master stays master, says at once what is new, and announces new addresses")
    func reloadOfMaster() {
        var router = router(.master)
        let now = start + .seconds(4)
        #expect(reload(&router, at: now) { _ in } == [.replaceAddresses])
        #expect(
            reload(&router, addsAddresses: true, at: now) {
                $0.addresses.append(.v4(IPv4Address(10, 10, 10, 11)))
            } == [
                .replaceAddresses, .sendAdvertisement(priority: 100), .announceAddresses(count: 5),
            ])
        #expect(router.deadline == now + .seconds(1))
        #expect(
            reload(&router, at: now) { $0.addresses.removeLast() } == [
                .replaceAddresses, .sendAdvertisement(priority: 100),
            ])
        #expect(
            reload(&router, at: now) { $0.priority = 50 } == [
                .log(.changedPriority(from: 100, to: 50)), .replaceAddresses,
                .sendAdvertisement(priority: 50),
            ])
        #expect(
            reload(&router, at: now) { $0.advertisementInterval = .seconds(3) } == [
                .replaceAddresses, .sendAdvertisement(priority: 50),
            ])
        #expect(router.deadline == now + .seconds(3))
        #expect(router.isMaster)
    }

    @Test("reload: a backup's wait begins anew only when its length is configured anew")
    func reloadOfBackup() {
        var router = router(.backup)
        let deadline = router.deadline ?? start
        let now = start + .seconds(2)
        #expect(reload(&router, at: now) { $0.preempts = false } == [])
        #expect(router.deadline == deadline)
        _ = reload(&router, at: now) { $0.priority = 228 }
        #expect(router.deadline == deadline - .milliseconds(500))
        _ = reload(&router, at: now) { $0.advertisementInterval = .seconds(2) }
        #expect(router.deadline == now + .seconds(6) + router.skewTime)
        _ = reload(&router, at: now) { $0.masterDownAdvertisements = 1 }
        #expect(router.deadline == now + .seconds(2) + router.skewTime)
    }

    @Test("reload: the weights stay in force, and an owner's conflict is forgotten")
    func reloadKeepsWeights() {
        var router = router(.backup)
        _ = router.handle(.priorityChanged(80), now: start)
        var configuration = Table.configuration
        configuration.preempts = false
        #expect(
            router.handle(
                .reconfigured(.init(configuration, effectivePriority: 80)), now: start) == [])
        #expect(router.priority == 80)
    }

    // MARK: Addresses removed by hand

    @Test("addresses removed by hand are put back, without a flap")
    func addressesAreRestored() {
        var router = router(.master)
        let deadline = router.deadline
        #expect(
            router.handle(.addressRemoved, now: start) == [
                .log(.restoredAddresses), .restoreAddresses, .announceAddresses(count: 5),
            ])
        #expect(router.deadline == deadline)
    }

    @Test("removed more than three times in Master_Down_Interval: keepalived's flap, then anew")
    func addressesAreGivenUp() {
        var router = router(.master)
        var now = start
        // Once every two seconds is endured for ever.
        for _ in 0..<10 {
            now += .seconds(2)
            #expect(router.handle(.addressRemoved, now: now).contains(.restoreAddresses))
        }
        now += .seconds(4)
        for _ in 0..<VirtualRouter.mostRestorations {
            #expect(router.handle(.addressRemoved, now: now).contains(.restoreAddresses))
        }
        #expect(
            router.handle(.addressRemoved, now: now)
                == [.log(.enteredBackup(isInitial: false))] + Table.resign + [.transition(.backup)])
        #expect(router.deadline == now + .milliseconds(609.375))
        _ = router.handle(.timer, now: now + .seconds(1))
        #expect(
            router.handle(.addressRemoved, now: now + .seconds(1)).contains(.restoreAddresses))
    }
}
