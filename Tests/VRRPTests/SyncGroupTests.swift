import NetworkTypes
import Testing
import VRRP

/// Sync groups, told as what keepalived 2.2.7 was seen to do in the same order (vrrp_sync.c).
@Suite("Sync group")
struct SyncGroupTests {
    private func master(_ name: String, _ priority: Int) -> [String] {
        [
            "\(name): advertise \(priority)", "(\(name)) Entering MASTER STATE", "\(name): add",
            "\(name): announce", "\(name): MASTER",
        ]
    }

    private func started(priorities: [UInt8] = [100, 90]) -> GroupOfRouters {
        var group = GroupOfRouters(priorities: priorities)
        _ = group.start()
        return group
    }

    private func running() -> GroupOfRouters {
        var group = started()
        _ = group.run(for: .seconds(4))
        return group
    }

    @Test("it starts as BACKUP, and is master when the last member would be")
    func election() {
        var group = GroupOfRouters(priorities: [100, 90])
        #expect(
            group.start() == [
                "VG: BACKUP",
                "VI_1: remove", "(VI_1) Entering BACKUP STATE (init)", "VI_1: BACKUP",
                "VI_2: remove", "(VI_2) Entering BACKUP STATE (init)", "VI_2: BACKUP",
            ])
        // VI_1's wait is the shorter one, and over first.
        #expect(
            group.run(for: .seconds(3.62)) == ["(VI_1) Receive advertisement timeout"])
        #expect(group.states == "BB")
        #expect(group.routers["VI_1"]?.standing == .candidate)
        #expect(
            group.run(for: .seconds(0.1)) == ["(VI_2) Receive advertisement timeout"]
                + master("VI_2", 90) + ["VRRP_Group(VG) Syncing instances to MASTER state"]
                + master("VI_1", 100) + ["VG: MASTER"])
        #expect(group.group.state == .master)
    }

    @Test("a candidate that hears its better wants nothing any more")
    func candidateWithdraws() {
        var group = started()
        _ = group.run(for: .seconds(3.62))
        #expect(group.hear(200, "VI_1") == [])
        #expect(group.routers["VI_1"]?.standing == .able)
        #expect(group.run(for: .seconds(0.1)) == ["(VI_2) Receive advertisement timeout"])
        #expect(group.states == "BB")
    }

    @Test("a candidate that discards its lesser goes on waiting for the others")
    func candidateDiscards() {
        var group = started()
        _ = group.run(for: .seconds(3.62))
        #expect(
            group.hear(50, "VI_1") == [
                "(VI_1) received lower priority (50) advert from 10.10.10.3 - discarding"
            ])
        #expect(group.hear(0, "VI_1") == ["(VI_1) Backup received priority 0 advertisement"])
        #expect(group.routers["VI_1"]?.standing == .candidate)
    }

    @Test("the fault of one is the fault of all, with a farewell of those that were master")
    func fault() {
        var group = running()
        #expect(
            group.handle(.faultRaised(.link), "VI_2") == [
                "(VI_2) Entering FAULT STATE", "VI_2: advertise 0", "VI_2: advertise 0",
                "(VI_2) sent 0 priority", "VI_2: remove", "VI_2: FAULT",
                "VRRP_Group(VG) Syncing instances to FAULT state",
                "(VI_1) Entering FAULT STATE", "VI_1: advertise 0", "VI_1: remove", "VI_1: FAULT",
                "VG: FAULT",
            ])
        #expect(group.states == "FF")
    }

    @Test("it leaves FAULT when the last fault of any member is gone, the last one first")
    func recovery() {
        var group = running()
        _ = group.handle(.faultRaised(.link), "VI_2")
        #expect(group.handle(.faultRaised(.link), "VI_1") == [])
        #expect(group.handle(.faultRaised(.trackedFile("f")), "VI_1") == [])
        #expect(group.handle(.faultCleared(.link), "VI_2") == [])
        #expect(group.handle(.faultCleared(.link), "VI_1") == [])
        #expect(group.states == "FF")
        #expect(
            group.handle(.faultCleared(.trackedFile("f")), "VI_1") == [
                "(VI_1) Entering BACKUP STATE", "VI_1: BACKUP",
                "VRRP_Group(VG) Syncing instances to BACKUP state",
                "(VI_2) Entering BACKUP STATE", "VI_2: BACKUP", "VG: BACKUP",
            ])
        _ = group.run(for: .seconds(4))
        #expect(group.states == "MM")
    }

    @Test("a member that yields takes the others with it")
    func yields() {
        var group = running()
        #expect(
            group.hear(200, "VI_1") == [
                "(VI_1) Master received advert from 10.10.10.3 with higher priority 200, ours 100",
                "(VI_1) Entering BACKUP STATE", "VI_1: remove", "VI_1: BACKUP",
                "VRRP_Group(VG) Syncing instances to BACKUP state",
                "(VI_2) Entering BACKUP STATE", "VI_2: remove", "VI_2: BACKUP", "VG: BACKUP",
            ])
    }

    @Test("a lower priority heard by one has the others announce their addresses as well")
    func lowerPriority() {
        var group = running()
        #expect(
            group.hear(1, "VI_1") == [
                "(VI_1) Received advert from 10.10.10.3 with lower priority 1, ours 100, "
                    + "forcing new election",
                "VI_1: advertise 100", "VI_1: announce", "VI_1: MASTER_RX_LOWER_PRI",
                "VI_2: announce",
            ])
    }

    @Test("while a script has not answered, all members wait; they start with its answer")
    func pending() {
        var group = GroupOfRouters(priorities: [100, 90])
        #expect(
            group.start([("VI_1", .awaitingScript("chk"))]) == ["VI_1: remove", "VI_2: remove"])
        #expect(group.states == "PP")
        #expect(
            group.handle(.faultCleared(.awaitingScript("chk")), "VI_1") == [
                "(VI_1) Entering BACKUP STATE", "VI_1: BACKUP",
                "VRRP_Group(VG) Syncing instances to BACKUP state",
                "(VI_2) Entering BACKUP STATE", "VI_2: BACKUP", "VG: BACKUP",
            ])
    }

    @Test("a script whose first answer is bad leads from INIT to FAULT, and a good one to BACKUP")
    func pendingThenFault() {
        var group = GroupOfRouters(priorities: [100, 90])
        _ = group.start([("VI_1", .awaitingScript("chk"))])
        _ = group.handle(.faultRaised(.trackedScript("chk")), "VI_1")
        #expect(group.states == "FF")
        #expect(group.handle(.faultCleared(.awaitingScript("chk")), "VI_1") == [])
        _ = group.handle(.faultCleared(.trackedScript("chk")), "VI_1")
        #expect(group.states == "BB")
    }

    @Test("a fault from the start is told before the members start")
    func startsInFault() {
        var group = GroupOfRouters(priorities: [100, 90])
        #expect(
            group.start([("VI_2", .link)]) == [
                "VG: FAULT", "VRRP_Group(VG): Syncing VI_2 to FAULT state",
                "VI_1: remove", "(VI_1) entering FAULT state", "VI_1: FAULT",
                "VI_2: remove", "(VI_2) entering FAULT state", "VI_2: FAULT",
            ])
    }

    @Test("owners of all its addresses are master at once, an owner among others waits for them")
    func owners() {
        var group = GroupOfRouters(priorities: [255, 255])
        _ = group.start()
        #expect(group.states == "MM")
        group = GroupOfRouters(priorities: [255, 90])
        _ = group.start()
        #expect(group.states == "BB")
        _ = group.run(for: .seconds(4))
        #expect(group.states == "MM")
    }

    @Test("vrrp_startup_delay holds owners in a group back as well")
    func ownersWithStartupDelay() {
        var group = GroupOfRouters(priorities: [255, 255]) { $0.startupDelay = .seconds(10) }
        _ = group.start()
        _ = group.run(for: .seconds(9.9))
        #expect(group.states == "BB")
        _ = group.run(for: .seconds(0.1))
        #expect(group.states == "MM")
    }

    @Test("at the end the members stop, then the group")
    func shutdown() {
        var group = running()
        #expect(
            group.shutdown() == [
                "VI_1: advertise 0", "(VI_1) sent 0 priority", "VI_1: remove", "VI_1: STOP",
                "VI_2: advertise 0", "(VI_2) sent 0 priority", "VI_2: remove", "VI_2: STOP",
                "VG: STOP",
            ])
    }

    @Test("after a reload nothing is told of a group whose state is the same")
    func reload() {
        var group = SyncGroup("VG", members: ["VI_1", "VI_2"])
        #expect(group.member("VI_1", is: .master) == [])
        #expect(group.member("VI_2", is: .master) == [])
        var same = group
        #expect(same.start(previous: .master) == [])
        #expect(same.state == .master)
        // Nor of masters that are a group only now.
        var new = group
        #expect(new.start() == [])
        #expect(new.state == .master)
        // A new member that is no master: then the others are not either.
        #expect(group.member("VI_2", is: .able) == [])
        #expect(
            group.start(previous: .master) == [
                .transition(.backup), .deliver(.demoted, to: "VI_1"),
            ])
    }

    @Test("a reload that takes the only member away that was not ready makes the others master")
    func reloadOfCandidates() {
        var group = SyncGroup("VG", members: ["VI_1", "VI_2"])
        #expect(group.member("VI_1", is: .candidate) == [])
        #expect(group.member("VI_2", is: .candidate) == [])
        #expect(
            group.start(previous: .backup) == [
                .deliver(.promoted, to: "VI_1"), .deliver(.promoted, to: "VI_2"),
                .transition(.master),
            ])
        #expect(group.member("VI_1", is: .master) == [])
        #expect(group.member("VI_2", is: .master) == [])
        #expect(group.state == .master)
    }
}
