import NetworkTypes
import Testing

@testable import LabModel

@Suite("When a flapping cable is down")
struct FlapTests {
    @Test("each period begins with the time in which it is down; a change belongs to what follows")
    func phases() {
        let flap = Flap(period: .seconds(2), dutyPercent: 25)
        #expect(flap.downTime == .milliseconds(500))
        let expected: [(Int64, Flap.Phase)] = [
            (0, .down(until: .milliseconds(500))), (499, .down(until: .milliseconds(500))),
            (500, .up(until: .seconds(2))), (1999, .up(until: .seconds(2))),
            (2000, .down(until: .milliseconds(2500))), (2600, .up(until: .seconds(4))),
            (2_000_000_100, .down(until: .milliseconds(2_000_000_500))),
        ]
        for (milliseconds, phase) in expected {
            #expect(flap.phase(after: .milliseconds(milliseconds)) == phase, "\(milliseconds) ms")
        }
        #expect(flap.phase(after: .milliseconds(-1)) == .down(until: .milliseconds(500)))
    }

    @Test("with a count it is over when it has come up that many times")
    func count() {
        let flap = Flap(period: .seconds(1), dutyPercent: 50, count: 2)
        #expect(flap.phase(after: .milliseconds(999)) == .up(until: .seconds(1)))
        #expect(flap.phase(after: .milliseconds(1499)) == .down(until: .milliseconds(1500)))
        #expect(flap.phase(after: .milliseconds(1500)) == .over)
        #expect(flap.phase(after: .seconds(100)) == .over)
        #expect(Flap(count: 1).phase(after: .seconds(1)) == .over)
    }

    @Test("walking from change to change, it goes down as often as it comes up, and takes its time")
    func walk() {
        let flap = Flap(period: .milliseconds(70), dutyPercent: 30, count: 1000)
        var (elapsed, downs, down) = (Duration.zero, 0, Duration.zero)
        loop: while downs <= 1000 {
            switch flap.phase(after: elapsed) {
            case .down(let until):
                downs += 1
                down += until - elapsed
                elapsed = until
            case .up(let until): elapsed = until
            case .over: break loop
            }
        }
        #expect(downs == 1000)
        #expect(down == .milliseconds(21) * 1000)
        #expect(elapsed == .milliseconds(70) * 999 + .milliseconds(21))
    }

    @Test(
        "words are read and written",
        arguments: [
            ("period 2s duty 50%", Flap()),
            (
                "period 300ms duty 12.5% count 7",
                Flap(period: .milliseconds(300), dutyPercent: 12.5, count: 7)
            ),
        ])
    func words(text: String, flap: Flap) {
        #expect(flap.description == text)
        #expect(Flap.parse(text) == flap)
    }

    @Test(
        "what cannot be is said",
        arguments: [
            (Flap(dutyPercent: 0), "more than 0% and less than 100%"),
            (Flap(dutyPercent: 100), "more than 0% and less than 100%"),
            (Flap(dutyPercent: .nan), "more than 0% and less than 100%"),
            (Flap(period: .milliseconds(8)), "up and down take at least 5ms each"),
            (Flap(period: .seconds(1), dutyPercent: 99.9), "up and down take at least 5ms each"),
            (Flap(period: .seconds(3601)), "more than an hour"),
            (Flap(count: 0), "a count of 0 is none of 1 to 1000000"),
        ])
    func problems(flap: Flap, message: String) throws {
        let problem = try #require(flap.problem)
        #expect(problem.contains(message), "\(problem)")
        #expect(flap.dutyPercent.isNaN || Flap.parse(flap.description) == nil)
    }
}
