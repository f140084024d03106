import NetworkTypes
import Testing

@testable import Wire

@Suite("duplicates, damage, delay and order")
struct CopyTests {
    @Test("a share of the frames comes twice, and at the same time")
    func duplicate() {
        let passages = Traffic().passages(Impairment { $0.duplicatePercent = 25 })
        let twice = passages.filter { $0.copies.count == 2 }
        #expect(abs(Double(twice.count) / Double(passages.count) - 0.25) < 0.02)
        #expect(twice.allSatisfy { $0.first?.due == $0.second?.due })
        #expect(passages.allSatisfy { (1...2).contains($0.copies.count) })
    }

    @Test("of a frame that comes twice and is lost, one copy arrives, as in netem")
    func duplicateAndLoss() {
        let traffic = Traffic(count: 100)
        let impairment = Impairment {
            $0.duplicatePercent = 100
            $0.loss = .every(2)
        }
        let copies = traffic.passages(impairment).map(\.copies.count)
        #expect(copies == (1...100).map { $0 % 2 == 0 ? 1 : 2 })
    }

    @Test("of a share of the frames one bit is inverted, anywhere in the frame")
    func corrupt() {
        let traffic = Traffic(count: 20_000)
        let passages = traffic.passages(Impairment { $0.corruptPercent = 20 })
        let bits = passages.compactMap { $0.first?.invertedBit }
        #expect(abs(Double(bits.count) / Double(traffic.count) - 0.2) < 0.01)
        #expect(bits.allSatisfy { (0..<60 * 8).contains($0) })
        // Each of the 480 some 17 times.
        #expect(Set(bits).count > 470)
        #expect(
            passages.map(\.first?.invertedBit)
                == traffic.passages(Impairment { $0.corruptPercent = 20 }).map(\.first?.invertedBit)
        )
    }

    @Test("two copies of a frame are damaged each on its own")
    func corruptCopies() {
        let impairment = Impairment {
            $0.duplicatePercent = 100
            $0.corruptPercent = 50
        }
        let passages = Traffic(count: 2000).passages(impairment)
        let kinds = Set(
            passages.map { [$0.first?.invertedBit == nil, $0.second?.invertedBit == nil] })
        #expect(kinds.count == 4)
        #expect(
            passages.contains {
                $0.first?.invertedBit != nil && $0.first?.invertedBit != $0.second?.invertedBit
            })
    }

    @Test("the delay is the same for all, from the arrival on")
    func delay() {
        let delays = Traffic(count: 1000).delays(Impairment { $0.delay = .milliseconds(10) })
        #expect(delays.allSatisfy { $0 == 10 })
    }

    @Test("uniform jitter: between the mean ± the spread, all of it, and as often everywhere")
    func uniformJitter() throws {
        let delays = Traffic(count: 20_000).delays(
            Impairment {
                $0.delay = .milliseconds(10)
                $0.jitter = .init(.milliseconds(3))
            })
        #expect(abs(delays.mean - 10) < 0.03)
        #expect(abs(delays.deviation - 3 / 3.0.squareRoot()) < 0.02)
        #expect(try #require(delays.min()) >= 7)
        #expect(try #require(delays.max()) <= 13)
        #expect(try #require(delays.min()) < 7.01)
        #expect(try #require(delays.max()) > 12.99)
    }

    @Test("normal jitter: the mean, the deviation, two thirds within one of it, none beyond four")
    func normalJitter() {
        let delays = Traffic(count: 20_000).delays(
            Impairment {
                $0.delay = .milliseconds(10)
                $0.jitter = .init(.milliseconds(2), .normal)
            })
        #expect(abs(delays.mean - 10) < 0.04)
        #expect(abs(delays.deviation - 2) < 0.03)
        let within = Double(delays.count { abs($0 - 10) < 2 }) / Double(delays.count)
        #expect(abs(within - 0.6827) < 0.01)
        let beyond = Double(delays.count { abs($0 - 10) > 4 }) / Double(delays.count)
        #expect(abs(beyond - 0.0455) < 0.005)
        #expect(delays.allSatisfy { abs($0 - 10) <= 8 })
    }

    @Test("the table of the normal distribution has its quantiles")
    func normalTable() {
        let values = NormalTable.values
        #expect(values.count == NormalTable.size)
        #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
        for (share, quantile) in [(0.5, 0.0), (0.8413, 1), (0.9772, 2), (0.99865, 3)] {
            let place = Int(share * Double(NormalTable.size))
            #expect(abs(values[place] - quantile) < 0.02, "\(share)")
        }
        #expect(abs(values[0] + values[NormalTable.size - 1]) < 1e-9)
    }

    @Test("jitter beyond the delay: no frame arrives before it was sent")
    func jitterBeyondDelay() {
        let delays = Traffic().delays(
            Impairment {
                $0.delay = .milliseconds(1)
                $0.jitter = .init(.milliseconds(5))
            })
        #expect(delays.allSatisfy { $0 >= 0 })
        #expect(delays.contains(0))
    }

    @Test("jitter that is more than the distance of frames changes their order, as in netem")
    func jitterReorders() {
        let impairment = Impairment {
            $0.delay = .milliseconds(10)
            $0.jitter = .init(.milliseconds(5))
        }
        func order(_ interval: Duration) -> [Int] {
            var queue = DueQueue<Int>()
            let passages = Traffic(count: 200, interval: interval).passages(impairment)
            for (number, passage) in passages.enumerated() {
                if let copy = passage.first { queue.insert(number, due: copy.due) }
            }
            return drain(&queue)
        }
        #expect(order(.milliseconds(11)) == Array(0..<200))
        #expect(order(.milliseconds(1)) != Array(0..<200))
        #expect(order(.milliseconds(1)).sorted() == Array(0..<200))
    }

    @Test(
        "reorder: with gap N every Nth may go at once; with 100 percent each does",
        arguments: [1, 3, 5])
    func reorderGap(gap: Int) {
        let delays = Traffic(count: 60).delays(
            Impairment {
                $0.delay = .milliseconds(10)
                $0.reorder = .init(percent: 100, gap: gap)
            })
        #expect(delays == (1...60).map { $0 % gap == 0 ? 0 : 10 })
    }

    @Test("reorder: the share of frames that go at once")
    func reorderShare() {
        var lane = WireLane(
            link: "l", direction: .inward,
            rules: [
                WireRule(
                    Impairment {
                        $0.delay = .milliseconds(10)
                        $0.reorder = .init(percent: 25)
                    })
            ])
        let passages = Traffic().passages(&lane)
        #expect(passages.allSatisfy { $0.copies.count == 1 })
        #expect(abs(Double(lane.counters.reordered) / 10_000 - 0.25) < 0.02)
    }

    @Test("the queue keeps the order among those with the same time, and gives none too early")
    func queueOrder() {
        var queue = DueQueue<Int>()
        for number in 0..<1000 { queue.insert(number, due: at(Double(number * 7 % 10))) }
        #expect(queue.count == 1000)
        #expect(queue.nextDue == at(0))
        #expect(queue.popDue(at: at(-1)) == nil)
        queue.removeAll { $0 % 3 == 0 }
        let order = drain(&queue)
        let kept = (0..<1000).filter { $0 % 3 != 0 }
        #expect(order == kept.sorted { ($0 * 7 % 10, $0) < ($1 * 7 % 10, $1) })
        #expect(queue.isEmpty)
        #expect(queue.nextDue == nil)
    }

    private func drain(_ queue: inout DueQueue<Int>) -> [Int] {
        var order: [Int] = []
        while let (number, _) = queue.popDue(at: at(1e6)) { order.append(number) }
        return order
    }
}
