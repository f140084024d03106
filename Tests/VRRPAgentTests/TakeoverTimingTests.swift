import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("A backup is awake before its master is given up")
struct TakeoverTimingTests {
    private let deadline = MonotonicInstant(nanoseconds: 10_000_000_000)

    @Test("it is woken to get ready, and once more to listen until the deadline")
    func twice() {
        let first = Agent.wakeUp(for: deadline, now: deadline - .seconds(3))
        #expect(first == deadline - Agent.readiness)
        let second = Agent.wakeUp(for: deadline, now: first)
        #expect(second == deadline - Agent.watch)
        #expect(first < second && second < deadline)
    }

    @Test("a deadline that is near leaves only the second")
    func near() {
        let now = deadline - .microseconds(700)
        #expect(Agent.wakeUp(for: deadline, now: now) == deadline - Agent.watch)
    }
}
