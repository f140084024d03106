import NetworkTypes
import Testing

@testable import LabKit
@testable import LinuxSystem

@Suite("how late a notification can have been read")
struct LatenessTests {
    private func at(_ microseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: microseconds * 1000)
    }

    /// The bound in microseconds.
    private func bound(
        wait: (previousEnd: Int64, begin: Int64, end: Int64), lastLook: Int64, delayed: Int64?,
        now: Int64
    ) -> Int64 {
        Lateness.bound(
            wait: EventLoop.Wait(
                previousEnd: at(wait.previousEnd), begin: at(wait.begin), end: at(wait.end)),
            lastLook: at(lastLook), delayed: delayed.map { .microseconds($0) }, now: at(now)
        ).wholeNanoseconds / 1000
    }

    @Test("while the process slept: from its waking on, and the time it waited for a CPU")
    func asleep() {
        #expect(
            bound(
                wait: (900_000, 900_010, 1_900_000), lastLook: 900_010, delayed: 40, now: 1_900_025)
                == 65)
    }

    @Test("a pass of the loop that had no word of it counts as a look")
    func otherPass() {
        // Looked a second ago; a timer's pass ended the waiting 300 us before this one.
        #expect(
            bound(wait: (999_700, 999_750, 1_000_000), lastLook: 0, delayed: 0, now: 1_000_010)
                == 60)
    }

    @Test("while it was busy: since the last look")
    func busy() {
        #expect(
            bound(wait: (1000, 50_900, 51_000), lastLook: 1000, delayed: 0, now: 51_020) == 49_920)
        #expect(
            bound(wait: (1000, 2000, 3000), lastLook: 4000, delayed: 70, now: 4100) == 100)
    }

    @Test("without the kernel's count the sleep counts too")
    func unknown() {
        #expect(
            bound(wait: (1000, 1100, 9000), lastLook: 500, delayed: nil, now: 9100) == 8100)
    }
}
