import NetworkTypes
import Testing
import VRRP

/// What version 3 does otherwise: centiseconds, and an interval that is the master's to say.
@Suite("Virtual router, version 3")
struct VirtualRouterVersion3Tests {
    private typealias Table = VirtualRouterTable
    private let start = VirtualRouterTable.start

    private func router(
        _ begin: Table.Begin = .backup,
        _ change: (inout VirtualRouter.Configuration) -> Void = { _ in }
    ) -> VirtualRouter {
        var configuration = Table.configuration(version: 3)
        configuration.advertisementInterval = .seconds(1)
        change(&configuration)
        return Table.router(begin, configuration)
    }

    private func advertisement(_ priority: UInt8, every interval: Duration) -> Advertisement {
        var configuration = Table.configuration(version: 3)
        configuration.advertisementInterval = interval
        return configuration.advertisement(priority: priority)
    }

    // RFC-CHECKLIST: 41
    @Test(
        "RFC 9568 §6.1: the skew scales with Master_Adver_Interval, exact to the nanosecond",
        arguments: [
            (UInt8(254), 10, 78_125), (100, 10, 6_093_750), (99, 100, 61_328_125),
            (100, 1000, 609_375_000), (1, 40_950, 40_790_039_062), (255, 10, 39_062),
        ])
    func skew(priority: UInt8, milliseconds: Int, nanoseconds: Int64) {
        let router = router {
            $0.priority = priority
            $0.advertisementInterval = .milliseconds(milliseconds)
        }
        #expect(router.skewTime.wholeNanoseconds == nanoseconds)
    }

    // RFC-CHECKLIST: 42
    @Test(
        "RFC 9568 §6.1: Master_Down_Interval is 3 × Master_Adver_Interval + skew",
        arguments: [(3, 360.9375), (1, 160.9375), (100, 10_060.9375)])
    func masterDown(count: Int, milliseconds: Double) {
        let router = router {
            $0.advertisementInterval = .milliseconds(100)
            $0.masterDownAdvertisements = count
        }
        #expect(router.masterDownInterval == .microseconds(milliseconds * 1000))
        #expect(router.deadline == start + router.masterDownInterval)
    }

    // RFC-CHECKLIST: 32, 53
    @Test("RFC 9568 §6.4.2: a backup adopts the master's interval before it waits anew")
    func learnsInterval() {
        var router = router()
        #expect(
            router.handle(
                .advertisement(advertisement(150, every: .seconds(2)), from: Table.above),
                now: start) == [.log(.learnedInterval(from: .seconds(1), to: .seconds(2)))])
        #expect(router.masterAdvertisementInterval == .seconds(2))
        // 3 × 2 s + 156/256 × 2 s
        #expect(router.deadline == start + .milliseconds(7218.75))
        // The same again is nothing new.
        #expect(
            router.handle(
                .advertisement(advertisement(150, every: .seconds(2)), from: Table.above),
                now: start) == [])
        // Its farewell is answered in its time.
        _ = router.handle(
            .advertisement(advertisement(0, every: .seconds(2)), from: Table.above), now: start)
        #expect(router.deadline == start + .milliseconds(1218.75))
    }

    // RFC-CHECKLIST: 51
    @Test("RFC 9568 §6.4.2: a new master goes by its own interval")
    func returnsToOwnInterval() {
        var router = router()
        _ = router.handle(
            .advertisement(advertisement(150, every: .seconds(2)), from: Table.above), now: start)
        let now = start + .seconds(8)
        #expect(
            router.handle(.timer, now: now) == [
                .log(.receivedAdvertisementTimeout), .sendAdvertisement(priority: 100),
                .log(.enteredMaster),
                .log(.returnedToOwnInterval(from: .seconds(2), to: .seconds(1))), .addAddresses,
                .announceAddresses(count: 5), .transition(.master),
            ])
        #expect(router.deadline == now + .seconds(1))
        #expect(router.masterDownInterval == .milliseconds(3609.375))
    }

    // RFC-CHECKLIST: 62
    @Test("RFC 9568 §6.4.3: a master that yields adopts the interval of the other one")
    func yieldingLearns() {
        var router = router(.master)
        #expect(
            router.handle(
                .advertisement(advertisement(150, every: .milliseconds(100)), from: Table.above),
                now: start) == [
                    .log(.receivedHigherPriority(150, ours: 100, from: Table.above)),
                    .log(.learnedInterval(from: .seconds(1), to: .milliseconds(100))),
                ] + Table.yield)
        #expect(router.deadline == start + .milliseconds(360.9375))
    }

    // RFC-CHECKLIST: 54
    @Test("RFC 9568 §6.4.2: of an advertisement that is discarded nothing is learned")
    func discardedTeachesNothing() {
        var router = router()
        let before = router
        _ = router.handle(
            .advertisement(advertisement(50, every: .seconds(2)), from: Table.above), now: start)
        #expect(router == before)
    }

    @Test("what was learned is forgotten in FAULT")
    func faultForgets() {
        var router = router()
        _ = router.handle(
            .advertisement(advertisement(150, every: .seconds(2)), from: Table.above), now: start)
        _ = router.handle(.faultRaised(.link), now: start)
        _ = router.handle(.faultCleared(.link), now: start)
        #expect(router.deadline == start + .milliseconds(3609.375))
    }

    // RFC-CHECKLIST: 62, 63
    @Test("RFC 9568 §6.4.3: IPv6 ties are broken by the address, read as a number")
    func tieOverIPv6() throws {
        func address(_ last: UInt64) -> IPAddress {
            .v6(IPv6Address(high: 0xfe80 << 48, low: last))
        }
        var configuration = Table.configuration(version: 3)
        configuration.family = .v6
        configuration.addresses = [address(0x100)]
        var router = VirtualRouter(configuration, sourceAddress: address(0x20))
        _ = router.handle(.startup, now: start)
        _ = router.handle(.timer, now: start + .seconds(4))
        let equal = configuration.advertisement(priority: 100)
        #expect(
            router.handle(.advertisement(equal, from: address(0x9)), now: start + .seconds(5))
                .contains(.sendAdvertisement(priority: 100)))
        #expect(router.isMaster)
        #expect(
            router.handle(.advertisement(equal, from: address(0x100)), now: start + .seconds(5))
                .first == .log(.receivedSamePriority(100, from: address(0x100))))
        #expect(!router.isMaster)
    }

    @Test("the interval lines are keepalived's")
    func lines() {
        #expect(
            LogMessage.learnedInterval(from: .seconds(1), to: .seconds(2)).description
                == "advertisement interval updated from 1000ms to 2000ms by master")
        #expect(
            LogMessage.returnedToOwnInterval(from: .seconds(2), to: .milliseconds(10)).description
                == "changing advert interval from 2000ms to locally configured 10ms")
    }
}
