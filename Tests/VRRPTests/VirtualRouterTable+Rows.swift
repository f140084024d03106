import NetworkTypes
import VRRP

extension VirtualRouterTable {
    /// The events happen when the state's deadline has come, or at the start where it has none.
    static let rows = initializeRows + pendingRows + backupRows + masterRows + faultRows

    private static let initializeRows: [Row] = [
        Row(
            .initialize, .startup,
            [.removeAddresses, .log(.enteredBackup(isInitial: true)), .transition(.backup)],
            .backup(.masterDown)),
        Row(.initialize, .shutdown, [], .same),
        Row(.initialize, .deletion, [], .same),
        Row(.initialize, .timer, [], .same),
        Row(.initialize, heard: 200, from: above, [], .same),
        Row(.initialize, .faultRaised(.link), [], .sameState),
        Row(.initialize, .faultCleared(.link), [], .same),
        Row(.initialize, .sourceAddressAssigned(here), [], .same),
        Row(.initialize, .sourceAddressLost, [], .sameState),
        Row(.initialize, .addressRemoved, [], .same),
        Row(.initialize, .priorityChanged(90), changed(to: 90, .backupPriority), .sameState),
        Row(.initialize, reconfigured: { $0.preempts = false }, [], .sameState),
        Row(.initialize, .promoted, [], .same),
        Row(.initialize, .demoted, [], .same),
        Row(.initialize, .groupHeardLowerPriority, [], .same),
    ]

    private static let pendingRows: [Row] = [
        Row(.pending, .startup, [], .same),
        Row(.pending, .shutdown, [.transition(.stop)], .initialize),
        Row(.pending, .deletion, [.transition(.fault)], .initialize),
        Row(.pending, .timer, [], .same),
        Row(.pending, heard: 200, from: above, [], .same),
        Row(.pending, .faultRaised(.trackedScript("chk")), enterFault, .fault),
        Row(.pending, .faultRaised(.awaitingScript("other")), [], .sameState),
        Row(.pending, .faultCleared(.awaitingScript("chk")), enterBackup, .backup(.masterDown)),
        Row(.pending, .faultCleared(.link), [], .same),
        Row(.pending, .sourceAddressAssigned(here), [], .same),
        Row(.pending, .sourceAddressLost, enterFault, .fault),
        Row(.pending, .addressRemoved, [], .same),
        Row(.pending, .priorityChanged(90), changed(to: 90, .backupPriority), .sameState),
        Row(.pending, reconfigured: { $0.preempts = false }, [], .sameState),
        Row(.pending, .promoted, [], .same),
        Row(.pending, .demoted, [], .same),
        Row(.pending, .groupHeardLowerPriority, [], .same),
    ]

    private static let backupRows: [Row] = [
        Row(.backup, .startup, [], .same),
        Row(.backup, .shutdown, [.transition(.stop)], .initialize),
        Row(.backup, .deletion, [.transition(.fault)], .initialize),
        Row(.backup, .timer, timeOut, .master(.interval)),
        Row(.backup, heard: 0, from: above, [.log(.backupReceivedResignation)], .backup(.skew)),
        Row(
            .backup, heard: 99, from: above, [.log(.discardedLowerPriority(99, from: above))],
            .same),
        Row(.backup, heard: 100, from: below, [], .backup(.masterDown)),
        Row(.backup, heard: 255, from: below, [], .backup(.masterDown)),
        Row(.backup, .faultRaised(.link), enterFault, .fault),
        Row(.backup, .faultRaised(.awaitingScript("chk")), [], .same),
        Row(.backup, .faultCleared(.link), [], .same),
        Row(.backup, .sourceAddressAssigned(here), [], .same),
        Row(.backup, .sourceAddressAssigned(below), [], .sameState),
        Row(.backup, .sourceAddressLost, enterFault, .fault),
        Row(.backup, .addressRemoved, [], .same),
        Row(.backup, .priorityChanged(100), [], .same),
        Row(.backup, reconfigured: { _ in }, [], .same),
        Row(.backup, reconfigured: { $0.preempts = false }, [], .sameState),
        Row(.backup, .promoted, becomeMaster, .master(.interval)),
        Row(.backup, .demoted, [], .same),
        Row(.backup, .groupHeardLowerPriority, [], .same),
    ]

    private static let masterRows: [Row] = [
        Row(.master, .startup, [], .same),
        Row(.master, .shutdown, resign + [.transition(.stop)], .initialize),
        Row(.master, .deletion, resign + [.transition(.fault)], .initialize),
        Row(.master, .timer, [.sendAdvertisement(priority: 100)], .master(.interval)),
        Row(
            .master, heard: 0, from: below,
            [.sendAdvertisement(priority: 100), .log(.masterReceivedResignation)],
            .master(.interval)),
        Row(.master, heard: 99, from: above, answer(99, from: above), .master(.interval)),
        Row(.master, heard: 100, from: below, answer(100, from: below), .master(.interval)),
        Row(.master, heard: 100, from: here, [.log(.receivedEqualFromOwnAddress)], .same),
        Row(
            .master, heard: 100, from: above,
            [.log(.receivedSamePriority(100, from: above))] + yield, .backup(.masterDown)),
        Row(
            .master, heard: 101, from: below,
            [.log(.receivedHigherPriority(101, ours: 100, from: below))] + yield,
            .backup(.masterDown)),
        Row(.master, .faultRaised(.link), fail, .fault),
        Row(.master, .faultRaised(.trackedScript("chk")), fail, .fault),
        Row(.master, .faultRaised(.awaitingScript("chk")), [], .same),
        Row(.master, .faultCleared(.link), [], .same),
        Row(.master, .sourceAddressAssigned(here), [], .same),
        Row(.master, .sourceAddressLost, fail, .fault),
        Row(
            .master, .addressRemoved,
            [.log(.restoredAddresses), .restoreAddresses, .announceAddresses(count: 5)],
            .sameState),
        Row(.master, .priorityChanged(90), changed(to: 90, .masterPriority), .sameState),
        Row(.master, reconfigured: { _ in }, [.replaceAddresses], .same),
        Row(.master, reconfigured: { $0.preempts = false }, [.replaceAddresses], .sameState),
        Row(.master, .promoted, [], .same),
        Row(.master, .demoted, yield, .backup(.masterDown)),
        Row(.master, .groupHeardLowerPriority, [.announceAddresses(count: 5)], .sameState),
    ]

    private static let faultRows: [Row] = [
        Row(.fault, .startup, [], .same),
        Row(.fault, .shutdown, [.transition(.stop)], .initialize),
        Row(.fault, .deletion, [], .initialize),
        Row(.fault, .timer, [], .same),
        Row(.fault, heard: 0, from: above, [], .same),
        Row(.fault, .faultRaised(.link), [], .same),
        Row(.fault, .faultRaised(.trackedFile("f")), [], .sameState),
        Row(.fault, .faultCleared(.link), enterBackup, .backup(.masterDown)),
        Row(.fault, .faultCleared(.trackedFile("f")), [], .same),
        Row(.fault, .sourceAddressAssigned(here), [], .same),
        Row(.fault, .sourceAddressLost, [], .sameState),
        Row(.fault, .addressRemoved, [], .same),
        Row(.fault, .priorityChanged(90), changed(to: 90, .backupPriority), .sameState),
        Row(.fault, reconfigured: { $0.preempts = false }, [], .sameState),
        Row(.fault, .promoted, [], .same),
        Row(.fault, .demoted, [], .same),
        Row(.fault, .groupHeardLowerPriority, [], .same),
    ]
}
