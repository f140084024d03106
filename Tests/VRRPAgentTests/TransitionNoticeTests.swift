import KeepalivedConf
import Testing
import VRRP

@testable import VRRPAgent

// What keepalived 2.2.7 ran, wrote and mailed for the same transitions.
@Suite("What the outside is told of a transition (KEEPALIVED.md §3.7)")
struct TransitionNoticeTests {
    private static let instance = NotifyTarget.Subject.instance("VI_1")
    private static let group = NotifyTarget.Subject.group("VG")

    private func commands() throws -> VRRPInstance.NotifyCommands {
        let text = """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    10.10.10.10
                }
                notify "/bin/any x"
                notify_master "/bin/master x"
                notify_backup "/bin/backup x"
                notify_fault "/bin/fault x"
                notify_stop "/bin/stop x"
            }
            """
        var commands = try #require(
            Configuration.parse(text, file: "x").configuration.instances.first
        ).notify
        // Any commands do.
        commands.deleted = commands.stop
        commands.deleted?.arguments[0] = "/bin/deleted"
        commands.masterReceivedLowerPriority = commands.stop
        commands.masterReceivedLowerPriority?.arguments[0] = "/bin/lower"
        return commands
    }

    private func scripts(
        _ subject: NotifyTarget.Subject, _ transition: VirtualRouter.Transition, _ priority: UInt8
    ) throws -> [String] {
        try TransitionNotice(subject: subject, transition: transition, priority: priority)
            .scripts(commands()).map {
                ($0.command.arguments + $0.additionalArguments).joined(separator: " ")
            }
    }

    @Test(
        "notify_master and its kin come first and get nothing, notify gets who, what and how much")
    func scriptArguments() throws {
        #expect(
            try scripts(Self.instance, .master, 100)
                == ["/bin/master x", "/bin/any x INSTANCE VI_1 MASTER 100"])
        #expect(
            try scripts(Self.instance, .stop, 7)
                == ["/bin/stop x", "/bin/any x INSTANCE VI_1 STOP 7"])
        #expect(
            try scripts(Self.group, .fault, 0) == ["/bin/fault x", "/bin/any x GROUP VG FAULT 0"])
        #expect(
            try scripts(Self.instance, .deleted, 5)
                == ["/bin/deleted x", "/bin/any x INSTANCE VI_1 DELETED 5"])
        #expect(try scripts(Self.instance, .masterHeardLowerPriority, 9) == ["/bin/lower x"])
        #expect(try scripts(Self.instance, .masterPriority, 9) == [])
        #expect(try scripts(Self.instance, .backupPriority, 9) == [])
    }

    @Test("a line of a FIFO")
    func fifoLine() {
        func line(_ subject: NotifyTarget.Subject, _ transition: VirtualRouter.Transition) -> String
        {
            TransitionNotice(subject: subject, transition: transition, priority: 105).fifoLine
        }
        #expect(line(Self.instance, .master) == "INSTANCE \"VI_1\" MASTER 105\n")
        #expect(
            line(Self.instance, .masterHeardLowerPriority)
                == "INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 105\n")
        #expect(line(Self.instance, .backupPriority) == "INSTANCE \"VI_1\" BACKUP_PRIORITY 105\n")
        #expect(
            TransitionNotice(subject: Self.group, transition: .backup, priority: 0).fifoLine
                == "GROUP \"VG\" BACKUP 0\n")
    }

    @Test("subject and body of a mail")
    func mail() {
        func mail(_ subject: NotifyTarget.Subject, _ transition: VirtualRouter.Transition)
            -> [String]?
        {
            TransitionNotice(subject: subject, transition: transition, priority: 1)
                .mail(routerID: "lb01").map { [$0.subject, $0.body] }
        }
        #expect(
            mail(Self.instance, .master) == [
                "[lb01] VRRP Instance VI_1 - Entering MASTER state",
                "=> VRRP Instance is now owning VRRP VIPs <=",
            ])
        #expect(
            mail(Self.instance, .fault) == [
                "[lb01] VRRP Instance VI_1 - Entering FAULT state",
                "=> VRRP Instance is no longer owning VRRP VIPs <=",
            ])
        #expect(
            mail(Self.instance, .stop) == [
                "[lb01] VRRP Instance VI_1 - Stopping", "=> VRRP Instance stopping <=",
            ])
        #expect(
            mail(Self.instance, .deleted) == [
                "[lb01] VRRP Instance VI_1 - Deleted", "=> VRRP Deleted at reload <=",
            ])
        #expect(
            mail(Self.group, .backup) == [
                "[lb01] VRRP Group VG - Entering BACKUP state",
                "=> All VRRP group instances are now in BACKUP state <=",
            ])
        #expect(
            mail(Self.group, .stop) == [
                "[lb01] VRRP Group VG - Stopping",
                "=> All VRRP group instances are now stopping <=",
            ])
        #expect(mail(Self.group, .deleted) == nil)
        #expect(mail(Self.instance, .masterHeardLowerPriority) == nil)
    }

    @Test("what is too much pushes the oldest out that waits")
    func queue() {
        var queue = BoundedQueue<Int>(running: 2, waiting: 2)
        #expect(queue.isIdle)
        #expect(queue.submit(1).start == 1)
        #expect(queue.submit(2).start == 2)
        #expect(queue.submit(3) == (nil, nil))
        #expect(queue.submit(4) == (nil, nil))
        #expect(queue.submit(5) == (nil, 3))
        #expect(queue.ended() == 4)
        #expect(queue.ended() == 5)
        #expect(queue.ended() == nil)
        #expect(!queue.isIdle)
        #expect(queue.ended() == nil)
        #expect(queue.isIdle)
    }
}
