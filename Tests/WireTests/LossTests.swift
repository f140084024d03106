import NetworkTypes
import Testing

@testable import Wire

@Suite("loss")
struct LossTests {
    @Test("a random share is lost, within four standard deviations", arguments: [0.5, 5, 30, 90])
    func randomShare(percent: Double) {
        let traffic = Traffic(count: 20_000)
        let share = percent / 100
        let deviation = (share * (1 - share) / Double(traffic.count)).squareRoot()
        let lost = traffic.passages(Impairment { $0.loss = .random(percent: percent) }).lostShare
        #expect(abs(lost - share) < 4 * deviation, "\(lost)")
    }

    @Test("0 percent loses nothing, 100 percent everything")
    func extremes() {
        let traffic = Traffic(count: 2000)
        #expect(traffic.passages(Impairment { $0.loss = .random(percent: 0) }).lost.isEmpty)
        #expect(
            traffic.passages(Impairment { $0.loss = .random(percent: 100) }).lost.count == 2000)
    }

    @Test("the same seed loses exactly the same frames, whatever their timing and their content")
    func sameSeed() {
        let impairment = Impairment {
            $0.loss = .random(percent: 10)
            $0.delay = .milliseconds(3)
            $0.jitter = .init(.milliseconds(1))
        }
        let slow = Traffic().passages(impairment).lost
        let fast = Traffic(
            interval: .microseconds(7), frame: [UInt8](repeating: 1, count: 1000)
        ).passages(impairment)
        #expect(slow == Traffic().passages(Impairment { $0.loss = .random(percent: 10) }).lost)
        // A thousand are under way at most; those beyond are lost by the limit and not by chance.
        let random = fast.indices.filter { fast[$0].lostBy == .loss }.map { $0 + 1 }
        #expect(random == slow)
    }

    @Test("another seed, link or direction loses others")
    func otherSeed() {
        let impairment = Impairment { $0.loss = .random(percent: 10) }
        let traffic = Traffic(count: 1000)
        let runs = [
            traffic.passages(impairment).lost,
            traffic.passages(impairment, seed: 2).lost,
            traffic.passages(impairment, link: "r1:eth1").lost,
            traffic.passages(impairment, direction: .outward).lost,
        ]
        #expect(Set(runs).count == 4)
        // And not as many of the same as if one followed from another.
        for (one, other) in [(0, 1), (0, 2), (0, 3), (1, 2)] {
            #expect(Set(runs[one]).intersection(runs[other]).count < 30)
        }
    }

    @Test("what a seed means does not change from version to version")
    func goldenSeed() {
        let random = WireRandom(seed: 42, link: "r1:eth0", direction: .inward)
        #expect(
            Traffic(count: 100).passages(
                Impairment { $0.loss = .random(percent: 10) }, seed: 42
            ).lost == Self.goldenLost)
        #expect(random.bits(frame: 1, .loss) == Self.goldenBits)
    }
    private static let goldenLost = [7, 25, 38, 61, 78, 86, 99]
    private static let goldenBits: UInt64 = 6_586_564_835_214_192_191

    @Test("every Nth is exactly the Nth, the 2Nth and so on", arguments: [1, 2, 3, 10])
    func everyNth(count: Int) {
        let lost = Traffic(count: 100).passages(Impairment { $0.loss = .every(count) }).lost
        #expect(lost == Array(stride(from: count, through: 100, by: count)))
    }

    @Test("every Nth counts only the frames that the rule selects")
    func everyNthOfSelected() throws {
        let mine = try #require(MACAddress("02:00:00:00:00:01"))
        var lane = WireLane(
            link: "l", direction: .inward,
            rules: [
                WireRule(
                    Impairment { $0.loss = .every(2) }, of: FrameSelector(from: mine))
            ])
        let header = [UInt8](repeating: 0xff, count: 6) + mine.octets + [8, 6]
        let other = [UInt8](repeating: 0xff, count: 14)
        let lost = (0..<12).map { number in
            let frame = number % 3 == 0 ? header : other
            return lane.pass(frame, at: at(Double(number))).copies.isEmpty
        }
        #expect(lost.indices.filter { lost[$0] } == [3, 9])
        #expect(lane.counters.frames == 12)
        #expect(lane.ruleCounters[0].frames == 4)
        #expect(lane.ruleCounters[0].lost == 2)
    }

    @Test("Gilbert-Elliott: the stationary loss, and bursts of mean length 1/r")
    func gilbertElliott() throws {
        let model = Impairment.GilbertElliott(p: 1, r: 20)
        let stationary = try #require(model.stationaryLossPercent)
        #expect(abs(stationary - 100.0 / 21) < 1e-9)
        let passages = Traffic(count: 60_000).passages(
            Impairment { $0.loss = .gilbertElliott(model) })
        #expect(abs(passages.lostShare * 100 - stationary) < 0.5, "\(passages.lostShare)")
        let bursts = lengths(of: passages.lost)
        let mean = Double(passages.lost.count) / Double(bursts.count)
        #expect(abs(mean - 5) < 0.4, "bursts of \(mean)")
        // And they are geometric: about a fifth of them has one frame.
        let single = Double(bursts.count { $0 == 1 }) / Double(bursts.count)
        #expect(abs(single - 0.2) < 0.05, "\(single)")
    }

    @Test("Gilbert-Elliott: 1-h and 1-k are the losses in the bad and in the good state")
    func gilbertElliottPartial() throws {
        let model = Impairment.GilbertElliott(p: 5, r: 15, oneMinusH: 60, oneMinusK: 2)
        let stationary = try #require(model.stationaryLossPercent)
        #expect(abs(stationary - (5 * 60 + 15 * 2) / 20.0) < 1e-9)
        let share = Traffic(count: 60_000).passages(
            Impairment { $0.loss = .gilbertElliott(model) }
        ).lostShare
        #expect(abs(share * 100 - stationary) < 0.6, "\(share)")
    }

    @Test("gemodel with p alone is random loss: no state outlives a frame")
    func gilbertElliottDefaults() {
        let model = Impairment.GilbertElliott(p: 10)
        #expect(model.goodPercent == 90)
        let passages = Traffic(count: 40_000).passages(
            Impairment { $0.loss = .gilbertElliott(model) })
        #expect(abs(passages.lostShare - 0.1) < 0.005)
        let bursts = lengths(of: passages.lost)
        let mean = Double(passages.lost.count) / Double(bursts.count)
        #expect(abs(mean - 1.111) < 0.02)
    }

    /// The lengths of the runs of successive numbers.
    private func lengths(of numbers: [Int]) -> [Int] {
        var lengths: [Int] = []
        for (place, number) in numbers.enumerated() {
            if place > 0, numbers[place - 1] == number - 1 {
                lengths[lengths.count - 1] += 1
            } else {
                lengths.append(1)
            }
        }
        return lengths
    }
}
