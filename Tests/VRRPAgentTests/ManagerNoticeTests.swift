import NetworkTypes
import Testing
import VRRP

@testable import VRRPAgent

@Suite("What the service manager is told of the instances' states")
struct ManagerNoticeTests {
    private let now = MonotonicInstant(nanoseconds: 12_000_000_345)

    @Test("a change is a line with its moment, behind how many are what")
    func change() throws {
        var notice = ManagerNotice()
        #expect(!notice.isPending && notice.message == nil)
        notice.note(.backup, of: "VI_1", at: now)
        notice.note(.backup, of: "my lan", at: now)
        notice.note(.master, of: "VI_1", at: now + .nanoseconds(1))
        let message = try #require(notice.message)
        #expect(
            message == """
                STATUS=1 MASTER, 1 BACKUP
                X_VRRP=12000000345 BACKUP VI_1
                X_VRRP=12000000345 BACKUP my lan
                X_VRRP=12000000346 MASTER VI_1

                """)
        #expect(notice.message == message, "one that could not be sent is the next again")
        notice.drop(message)
        #expect(!notice.isPending)
    }

    @Test("what is no change of state is not told; who is gone is not counted")
    func others() {
        var notice = ManagerNotice()
        for transition: VirtualRouter.Transition in [
            .masterHeardLowerPriority, .masterPriority, .backupPriority,
        ] {
            notice.note(transition, of: "VI_1", at: now)
        }
        #expect(!notice.isPending)
        notice.note(.fault, of: "VI_1", at: now)
        notice.note(.deleted, of: "VI_1", at: now)
        notice.note(.stop, of: "VI_2", at: now)
        #expect(notice.message?.hasPrefix("STATUS=stopped\n") == true)
    }

    @Test("an instance that is renamed goes by one name and comes by the other, as what it is")
    func renamed() {
        var notice = ManagerNotice()
        notice.note(.master, of: "VI_1", at: now)
        notice.note(.backup, of: "VI_2", at: now)
        notice.drop(notice.message ?? "")
        notice.rename(["VI_1": "VI_2", "VI_2": "VI_1", "never heard of": "VI_3"], at: now)
        #expect(
            notice.message == """
                STATUS=1 MASTER, 1 BACKUP
                X_VRRP=12000000345 DELETED VI_1
                X_VRRP=12000000345 DELETED VI_2
                X_VRRP=12000000345 MASTER VI_2
                X_VRRP=12000000345 BACKUP VI_1

                """)
    }

    @Test("many are told in messages that a receiver has room for, each line once")
    func many() {
        var notice = ManagerNotice()
        for number in 1...255 { notice.note(.master, of: "VI_\(number)", at: now) }
        var lines: [Substring] = []
        while let message = notice.message {
            #expect(message.utf8.count <= ManagerNotice.maximumBytes)
            lines += message.split(separator: "\n").dropFirst()
            notice.drop(message)
        }
        #expect(lines.count == 255)
        #expect(lines.last == "X_VRRP=12000000345 MASTER VI_255")
        #expect(Set(lines).count == 255)
    }
}
