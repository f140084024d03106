import NetworkTypes
import Testing

@Suite("moments of the one clock")
struct MonotonicInstantTests {
    private let moment = MonotonicInstant(nanoseconds: 1_000_000_007)

    @Test("moved by a duration and back")
    func arithmetic() {
        #expect(moment + .seconds(3) == MonotonicInstant(nanoseconds: 4_000_000_007))
        #expect(moment - .nanoseconds(7) == MonotonicInstant(nanoseconds: 1_000_000_000))
        #expect(moment + .milliseconds(-500) == moment - .milliseconds(500))
        var later = moment
        later += .microseconds(1)
        #expect(later - moment == .microseconds(1))
        #expect(moment - later == .microseconds(-1))
        #expect(MonotonicInstant.zero + .zero == MonotonicInstant(nanoseconds: 0))
    }

    @Test("RFC 3768 §6.1: skew and master-down times come out exact to the nanosecond")
    func protocolTimes() {
        let skew = Duration.seconds(256 - 100) / 256
        #expect(moment + .seconds(3) + skew - moment == .nanoseconds(3_609_375_000))
    }

    @Test("moments compare as they follow each other")
    func order() {
        #expect(moment < moment + .nanoseconds(1))
        #expect(moment - .nanoseconds(1) < moment)
        #expect(max(moment, .zero) == moment)
    }

    @Test(
        "a duration in whole nanoseconds: what is below one is dropped, towards zero",
        arguments: [
            (.zero, 0), (.seconds(-2), -2_000_000_000), (.nanoseconds(1), 1),
            (Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999), 1),
            (Duration(secondsComponent: 0, attosecondsComponent: -1_999_999_999), -1),
            (
                Duration(secondsComponent: 1, attosecondsComponent: 500_000_000_000_000_000),
                1_500_000_000
            ),
        ] as [(Duration, Int64)])
    func wholeNanoseconds(duration: Duration, expected: Int64) {
        #expect(duration.wholeNanoseconds == expected)
        #expect(duration.milliseconds == Double(expected) / 1e6)
    }
}
