import NetworkTypes
import Testing

@testable import Wire

@Suite("an MTU that is smaller than its neighbours'")
struct MTUTests {
    private func lane(_ mtu: Int) -> WireLane {
        WireLane(
            link: "a:eth0", direction: .inward, rules: [WireRule(Impairment { $0.mtuBytes = mtu })])
    }

    /// A frame whose network layer has that length, with an IPv4 header behind those tags.
    private func frame(_ length: Int, tags: [UInt8] = []) -> [UInt8] {
        [UInt8](repeating: 2, count: 12) + tags + [8, 0, 0x45]
            + [UInt8](repeating: 0, count: length - 1)
    }

    @Test(
        "counts the network layer's octets, without the Ethernet header and VLAN tags",
        arguments: [
            [], [0x81, 0, 0, 100], [0x88, 0xa8, 0, 5, 0x81, 0, 0, 6],
        ] as [[UInt8]])
    func length(tags: [UInt8]) {
        var lane = lane(1400)
        #expect(lane.pass(frame(1400, tags: tags), at: at(0)).copies.count == 1)
        #expect(lane.pass(frame(1401, tags: tags), at: at(1)).lostBy == .oversize)
        let counters = lane.counters
        #expect(counters.frames == 2)
        #expect(counters.passed == 1)
        #expect(counters.oversize == 1)
        #expect(counters.lost == 0 && counters.overlimit == 0)
    }

    @Test("a super-frame is as long as the longest of its packets")
    func superFrame() {
        var lane = lane(1400)
        let long = frame(60_000)
        func pass(_ largest: Int) -> WireLane.Passage {
            lane.pass(
                long, WireLane.Arrival(length: long.count, bytes: 62_000, largest: largest),
                at: at(0))
        }
        #expect(pass(1414).copies.count == 1)
        #expect(pass(1415).lostBy == .oversize)
    }

    @Test("what no rule with an MTU selects is as long as it likes")
    func others() {
        var lane = WireLane(
            link: "a:eth0", direction: .inward,
            rules: [WireRule(Impairment { $0.mtuBytes = 1000 }, of: FrameSelector(.arp))])
        #expect(lane.pass(frame(1500), at: at(0)).copies.count == 1)
    }

    @Test("a frame that is too long has a number, too")
    func numbers() {
        // So that the same traffic meets the same fate.
        var lane = WireLane(
            link: "a:eth0", direction: .inward,
            rules: [
                WireRule(
                    Impairment {
                        $0.mtuBytes = 1000
                        $0.loss = .every(2)
                    })
            ])
        let lost = [500, 1500, 500, 500].map { lane.pass(frame($0), at: at(0)).lostBy }
        #expect(lost == [nil, .oversize, nil, .loss])
    }
}
