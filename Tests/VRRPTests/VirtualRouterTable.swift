import NetworkTypes
import VRRP

/// Every event in every state, for both versions: what is done, where it leads, and when the next
/// wake-up is.
///
/// Priority 100. Version 2 advertises every second: skew 156/256 s. Version 3 advertises every
/// 100 ms: skew 156/256 of that.
enum VirtualRouterTable {
    static let start = MonotonicInstant(nanoseconds: 100_000_000_000)
    static let here = IPAddress.v4(IPv4Address(10, 10, 10, 2))
    static let below = IPAddress.v4(IPv4Address(10, 10, 10, 1))
    static let above = IPAddress.v4(IPv4Address(10, 10, 10, 3))
    static let configuration = VirtualRouter.Configuration(
        name: "VI_1", vrid: 51, addresses: [.v4(IPv4Address(10, 10, 10, 10))])

    static func configuration(version: Int) -> VirtualRouter.Configuration {
        var configuration = configuration
        configuration.version = version
        if version == 3 { configuration.advertisementInterval = .milliseconds(100) }
        return configuration
    }

    /// The state to begin in.
    enum Begin: CaseIterable { case initialize, pending, backup, master, fault }

    static func router(
        _ begin: Begin, _ configuration: VirtualRouter.Configuration = configuration
    ) -> VirtualRouter {
        var router = VirtualRouter(configuration, sourceAddress: here)
        switch begin {
        case .initialize: break
        case .pending:
            _ = router.handle(.faultRaised(.awaitingScript("chk")), now: start)
            _ = router.handle(.startup, now: start)
        case .backup:
            _ = router.handle(.startup, now: start)
        case .master:
            _ = router.handle(.startup, now: start)
            _ = router.handle(.timer, now: router.deadline ?? start)
        case .fault:
            _ = router.handle(.startup, now: start)
            _ = router.handle(.faultRaised(.link), now: start)
        }
        return router
    }

    static func advertisement(_ priority: UInt8) -> Advertisement {
        configuration.advertisement(priority: priority)
    }

    /// How long after the event the next wake-up is.
    enum Wait: Sendable {
        case interval, skew, masterDown

        func milliseconds(version: Int) -> Double {
            switch self {
            case .interval: version == 2 ? 1000 : 100
            case .skew: version == 2 ? 609.375 : 60.9375
            case .masterDown: version == 2 ? 3609.375 : 360.9375
            }
        }
    }

    /// Where a row leads.
    enum End: Equatable, Sendable {
        case initialize, pending, fault
        case backup(Wait)
        case master(Wait)
        /// Nothing changed at all.
        case same
        /// The same state and deadline, though something else changed.
        case sameState
    }

    struct Row: Sendable {
        var begin: Begin
        /// With the router's version.
        var event: @Sendable (VirtualRouter.Configuration) -> VirtualRouter.Event
        var actions: [VirtualRouter.Action]
        var end: End

        init(
            _ begin: Begin,
            _ event: @autoclosure @escaping @Sendable () -> VirtualRouter.Event,
            _ actions: [VirtualRouter.Action], _ end: End
        ) {
            self.begin = begin
            self.event = { _ in event() }
            self.actions = actions
            self.end = end
        }

        /// A row about an advertisement with that priority.
        init(
            _ begin: Begin, heard priority: UInt8, from sender: IPAddress,
            _ actions: [VirtualRouter.Action], _ end: End
        ) {
            self.begin = begin
            event = { .advertisement($0.advertisement(priority: priority), from: sender) }
            self.actions = actions
            self.end = end
        }

        /// A row about a reload that changes the configuration so.
        init(
            _ begin: Begin,
            reconfigured change: @escaping @Sendable (inout VirtualRouter.Configuration) -> Void,
            _ actions: [VirtualRouter.Action], _ end: End
        ) {
            self.begin = begin
            event = { configuration in
                var configuration = configuration
                change(&configuration)
                return .reconfigured(.init(configuration))
            }
            self.actions = actions
            self.end = end
        }
    }

    // MARK: Actions that come together

    static let becomeMaster: [VirtualRouter.Action] = [
        .sendAdvertisement(priority: 100), .log(.enteredMaster), .addAddresses,
        .announceAddresses(count: 5), .transition(.master),
    ]
    static let timeOut = [VirtualRouter.Action.log(.receivedAdvertisementTimeout)] + becomeMaster
    static let resign: [VirtualRouter.Action] = [
        .sendAdvertisement(priority: 0), .log(.sentResignation), .removeAddresses,
    ]
    static let enterBackup: [VirtualRouter.Action] = [
        .log(.enteredBackup(isInitial: false)), .transition(.backup),
    ]
    static let yield: [VirtualRouter.Action] = [
        .log(.enteredBackup(isInitial: false)), .removeAddresses, .transition(.backup),
    ]
    static let enterFault: [VirtualRouter.Action] = [.log(.enteredFault), .transition(.fault)]
    static let fail =
        [.log(.enteredFault), .sendAdvertisement(priority: 0)] + resign + [.transition(.fault)]

    static func answer(_ priority: UInt8, from sender: IPAddress) -> [VirtualRouter.Action] {
        [
            .log(.receivedLowerPriority(priority, ours: 100, from: sender)),
            .sendAdvertisement(priority: 100), .announceAddresses(count: 5),
            .transition(.masterHeardLowerPriority),
        ]
    }

    static func changed(
        to priority: UInt8, _ transition: VirtualRouter.Transition
    ) -> [VirtualRouter.Action] {
        [.log(.changedPriority(from: 100, to: priority)), .transition(transition)]
    }
}
