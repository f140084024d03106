import NetworkTypes
import Testing

@testable import LinuxSystem

@Suite("Stamps of a wall clock that may be set at any time")
struct StampConverterTests {
    private static let second: Int64 = 1_000_000_000
    private static let hour = 3600 * second

    /// A converter that has looked at 10 s and at 11 s, with the wall clock set by so much between.
    private func converter(step: Int64) -> StampConverter {
        var converter = StampConverter()
        // The wall clock is 1000 s ahead.
        converter.look(
            offset: (-1000 * Self.second, 50), now: MonotonicInstant(nanoseconds: 10 * Self.second))
        converter.look(
            offset: (-1000 * Self.second - step, 50),
            now: MonotonicInstant(nanoseconds: 11 * Self.second))
        return converter
    }

    /// What it says of something that was stamped at that moment, by a clock that was ahead so.
    private func time(
        of moment: Int64, ahead: Int64, _ converter: StampConverter
    ) -> (MonotonicInstant, Duration) {
        converter.time(
            of: moment + ahead, now: MonotonicInstant(nanoseconds: 11 * Self.second + 1000))
    }

    private let moment = 10 * second + second / 2

    @Test("a clock that nobody sets, or that is slewed, is converted as it is now")
    func steady() {
        for step in [0, 400_000] as [Int64] {
            let (time, uncertainty) = time(
                of: moment, ahead: 1000 * Self.second + step, converter(step: step))
            #expect(time.nanoseconds == moment)
            #expect(uncertainty == .nanoseconds(50))
        }
    }

    @Test(
        "a clock that is set: what was stamped before and after it is where it was",
        arguments: [hour, -hour, 24 * 365 * hour, 2 * second, -2 * second])
    func stepped(step: Int64) {
        let converter = converter(step: step)
        for ahead in [1000 * Self.second, 1000 * Self.second + step] {
            let (time, uncertainty) = time(of: moment, ahead: ahead, converter)
            #expect(time.nanoseconds == moment)
            #expect(uncertainty == .nanoseconds(50))
        }
    }

    @Test("where both could be, the step is the uncertainty; where none can, all of the time is")
    func ambiguous() {
        let step = Self.second / 10
        let (time, uncertainty) = time(
            of: moment, ahead: 1000 * Self.second, converter(step: step))
        #expect(abs(time.nanoseconds - moment) <= step)
        #expect(uncertainty == .nanoseconds(step))
        // Set twice, there and back.
        let other = self.time(of: moment, ahead: 5000 * Self.second, converter(step: Self.hour))
        #expect(other.0.nanoseconds == 11 * Self.second + 1000)
        #expect(other.1 == .seconds(1))
    }

    @Test("nothing was stamped in the future")
    func future() {
        let (time, _) = time(
            of: 11 * Self.second + 500_000, ahead: 1000 * Self.second, converter(step: 0))
        #expect(time.nanoseconds == 11 * Self.second + 1000)
    }
}
