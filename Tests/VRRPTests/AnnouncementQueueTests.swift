import NetworkTypes
import Testing
import VRRP

/// keepalived's `vrrp_garp_interval`, `vrrp_gna_interval` and `garp_group`.
@Suite("Announcement queue")
struct AnnouncementQueueTests {
    private let start = MonotonicInstant.zero

    private func announcement(
        _ address: String, on interface: String = "eth0", by owner: String = "VI_1"
    ) throws -> AnnouncementQueue.Announcement {
        try .init(
            owner: owner, interface: #require(InterfaceName(interface)),
            address: #require(IPAddress(address)))
    }

    @Test("without an interval a burst is due at once, round by round")
    func unpaced() throws {
        var queue = AnnouncementQueue()
        let burst = try [announcement("10.0.0.1"), announcement("10.0.0.2")]
        #expect(queue.add(burst, rounds: 3, at: start) == burst + burst + burst)
        #expect(queue.deadline == nil)
        #expect(queue.add(burst, rounds: 0, at: start) == [])
    }

    @Test("with one, every address goes out once, and the first twice, as in keepalived")
    func paced() throws {
        var queue = AnnouncementQueue(intervals: .init(gratuitousARP: .milliseconds(300)))
        let burst = try ["10.0.0.12", "10.0.0.10", "10.0.0.11"].map { try announcement($0) }
        #expect(queue.add(burst, rounds: 5, at: start) == [burst[0]])
        #expect(queue.count == 3)
        #expect(queue.due(at: start + .milliseconds(299)) == [])
        var sent: [AnnouncementQueue.Announcement] = []
        while let deadline = queue.deadline {
            #expect(deadline == start + .milliseconds(300) * (sent.count + 1))
            sent += queue.due(at: deadline)
        }
        #expect(sent == [burst[1], burst[2], burst[0]])
    }

    @Test("a late wake-up sends one, not all that were missed")
    func lateWakeUp() throws {
        var queue = AnnouncementQueue(intervals: .init(gratuitousARP: .milliseconds(100)))
        let burst = try [announcement("10.0.0.1"), announcement("10.0.0.2")]
        _ = queue.add(burst, rounds: 2, at: start)
        let late = start + .seconds(10)
        #expect(queue.due(at: late) == [burst[1]])
        #expect(queue.due(at: late) == [])
        #expect(queue.deadline == late + .milliseconds(100))
    }

    @Test("a burst keeps its distance to the one before, even when nothing waits any more")
    func nextBurst() throws {
        var queue = AnnouncementQueue(intervals: .init(gratuitousARP: .seconds(1)))
        let one = try [announcement("10.0.0.1")]
        #expect(queue.add(one, rounds: 1, at: start) == one)
        #expect(queue.deadline == nil)
        #expect(queue.add(one, rounds: 1, at: start + .milliseconds(400)) == [])
        #expect(queue.deadline == start + .seconds(1))
    }

    @Test("what waits is forgotten when its router is not master any more")
    func cancelled() throws {
        var queue = AnnouncementQueue(intervals: .init(gratuitousARP: .seconds(1)))
        _ = try queue.add(
            [announcement("10.0.0.1"), announcement("10.0.0.2")], rounds: 1, at: start)
        _ = try queue.add([announcement("10.0.0.3", by: "VI_2")], rounds: 1, at: start)
        queue.cancel(owner: "VI_1")
        #expect(try queue.due(at: start + .seconds(1)) == [announcement("10.0.0.3", by: "VI_2")])
        #expect(queue.deadline == nil)
        // And can be queued anew.
        _ = try queue.add([announcement("10.0.0.2")], rounds: 1, at: start + .seconds(1))
        #expect(queue.count == 1)
    }

    @Test("interfaces of a group share a pace, others have their own, and so has each family")
    func groups() throws {
        let eth0 = try #require(InterfaceName("eth0"))
        let eth1 = try #require(InterfaceName("eth1"))
        var queue = AnnouncementQueue(groups: [
            .init(
                interfaces: [eth0, eth1],
                intervals: .init(
                    gratuitousARP: .seconds(1), neighbourAdvertisement: .seconds(2)))
        ])
        let burst = try [
            announcement("10.0.0.1", on: "eth0"), announcement("10.0.0.2", on: "eth1"),
            announcement("10.0.0.3", on: "eth2"), announcement("fe80::1", on: "eth1"),
            announcement("fe80::2", on: "eth0"),
        ]
        #expect(queue.add(burst, rounds: 1, at: start) == [burst[0], burst[2], burst[3]])
        #expect(queue.due(at: start + .seconds(1)) == [burst[1]])
        #expect(queue.due(at: start + .seconds(2)) == [burst[4]])
        // A VMAC shares the pace of the interface under it.
        let vmac = try announcement("10.0.0.4", on: "vrrp.51")
        #expect(queue.add([vmac], rounds: 1, pacedBy: eth0, at: start + .seconds(1)) == [])
    }

    @Test("however many bursts come, there are no more entries than addresses")
    func bounded() throws {
        var queue = AnnouncementQueue(intervals: .init(gratuitousARP: .seconds(1)))
        let burst = try (1...20).map { try announcement("10.0.0.\($0)") }
        for second in 0..<100 {
            _ = queue.add(burst, rounds: 5, at: start + .milliseconds(second))
            #expect(queue.count <= 20)
        }
    }
}
