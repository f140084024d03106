import NetworkTypes
import Testing

@testable import Wire

@Suite("when frames are let to gather")
struct GatheringTests {
    /// Which of these rounds are followed by a sleep of at most 0.1 ms.
    private func sleeps(_ rounds: [(frames: Int, milliseconds: Double)]) -> [Bool] {
        var gathering = Gathering(interval: .microseconds(100))
        return rounds.map {
            gathering.isWorthwhile(afterMoving: $0.frames, begin: at($0.milliseconds))
        }
    }

    @Test("rounds that are far from each other are never held up")
    func sparse() {
        #expect(!sleeps((1...1000).map { (10, Double($0) * 0.3) }).contains(true))
    }

    @Test("a flood is, after the eighth round, and as long as it lasts")
    func flood() {
        let few = (1...20).map { (frames: 1, milliseconds: 10 + Double($0) * 0.01) }
        #expect(sleeps(few).firstIndex(of: true) == 8)
        let many = (1...20).map { (frames: 10, milliseconds: 10.05 + Double($0) * 0.11) }
        #expect(
            sleeps(Array(few[..<9]) + many).dropFirst(9) == Array(repeating: true, count: 20)[...])
        let end = sleeps(Array(few[..<9]) + many + [(1, 50), (1, 50.01), (1, 50.02)])
        #expect(end.suffix(3) == [false, false, false])
    }

    @Test("two stations that wait for each other are left alone once it has brought nothing")
    func pingPong() {
        let rounds = (1...600).map { (frames: 2, milliseconds: 10 + Double($0) * 0.03) }
        let slept = sleeps(rounds)
        #expect(slept.firstIndex(of: true) == 8)
        #expect(slept[9..<264].contains(true) == false)
        #expect(slept.count { $0 } == 3)
    }
}
