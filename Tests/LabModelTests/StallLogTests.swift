import NetworkTypes
import Testing

@testable import LabModel

@Suite("How the machine stood still")
struct StallLogTests {
    private func log(_ stalls: (end: Double, milliseconds: Int)...) -> StallLog {
        var log = StallLog()
        for stall in stalls {
            _ = log.fold(
                TimelineEvent(
                    time: at(stall.end), stamp: .origin,
                    kind: .stall(.milliseconds(stall.milliseconds))))
        }
        return log
    }

    @Test("pieces add up, and what was noticed twice counts once")
    func total() {
        let still = log((100, 50), (105, 50), (400, 100)).standstill(from: at(60), to: at(350))
        #expect(still.total == .milliseconds(45 + 50))
        #expect(still.longest == .milliseconds(50))
        #expect(still.count == 3)
        #expect(still.text == "95 ms (3 times, 50 ms at the longest)")
        #expect(log((100, 50)).standstill(from: at(0), to: at(200)).text == "50 ms")
    }

    @Test("the worst span of a length is what can delay one answer")
    func worst() {
        let log = log((1000, 100), (2000, 100), (2100, 80), (5000, 90))
        let worst = log.worst(within: .milliseconds(300), from: at(0), to: at(6000))
        #expect(worst.total == .milliseconds(180))
        #expect(
            log.worst(within: .milliseconds(50), from: at(0), to: at(6000)).total
                == .milliseconds(50))
        #expect(log.worst(within: .seconds(1), from: at(5500), to: at(6000)).total == .zero)
    }
}
