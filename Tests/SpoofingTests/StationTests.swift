import NetworkTypes
import Testing
import VRRP

@testable import Spoofing

@Suite("A station that does what it is told")
struct StationTests {
    private static let mac = MACAddress("02:66:66:66:66:66")!
    private static let client = MACAddress("02:00:00:00:00:0c")!
    private static let vip = IPv4Address(10, 10, 10, 10)
    private static let vip6 = IPv6Address("2001:db8::10")!

    private func at(_ milliseconds: Int) -> MonotonicInstant {
        .zero + .seconds(100) + .milliseconds(milliseconds)
    }

    private func order(_ change: (inout StationOrder) -> Void) -> StationOrder {
        var order = StationOrder(mac: Self.mac)
        change(&order)
        return order
    }

    /// All that it sends until then, with when, in milliseconds.
    private func sent(
        _ station: inout Station, until end: Int
    ) -> [(time: Int, frame: [UInt8])] {
        var frames: [(Int, [UInt8])] = []
        while let deadline = station.deadline, deadline <= at(end) {
            let now = max(deadline, at(0))
            while let frame = station.next(at: now) {
                frames.append((Int((now - at(0)).milliseconds), frame))
            }
        }
        return frames
    }

    private static func request(
        for target: IPv4Address, from sender: IPv4Address = IPv4Address(10, 10, 10, 3)
    ) -> [UInt8] {
        ARPFrame(
            ethernetSource: client, ethernetDestination: .broadcast, operation: .request,
            senderMAC: client, senderAddress: sender, targetMAC: MACAddress(rawValue: 0),
            targetAddress: target
        ).octets
    }

    // MARK: ARP and ND

    @Test("who asks for a claimed address is told the station's, and nobody else is told anything")
    func arp() throws {
        var station = try Station(
            order { $0.claims = [AddressClaim(.v4(Self.vip))] }, begin: at(0))
        #expect(station.deadline == nil)
        station.hear(Self.request(for: IPv4Address(10, 10, 10, 11)), at: at(1))
        station.hear(ARPFrame.gratuitous(for: Self.vip, at: Self.client).octets, at: at(1))
        station.hear([1, 2, 3], at: at(1))
        #expect(station.next(at: at(1)) == nil)
        station.hear(Self.request(for: Self.vip) + [0, 0, 0, 0], at: at(2))
        #expect(station.deadline == at(2))
        #expect(
            station.next(at: at(2))
                == octets(
                    "02000000000c026666666666" + "0806" + "0001080006040002"
                        + "0266666666660a0a0a0a" + "02000000000c0a0a0a03"))
        #expect(station.next(at: at(2)) == nil)
    }

    @Test("a probe for duplicates is answered, too (RFC 5227 §2.1.1)")
    func probe() throws {
        var station = try Station(
            order { $0.claims = [AddressClaim(.v4(Self.vip))] }, begin: at(0))
        station.hear(Self.request(for: Self.vip, from: .any), at: at(1))
        let answer = station.next(at: at(1))
        let frame = try #require(answer.flatMap { ARPFrame(parsing: $0) })
        #expect(frame.operation == .reply && frame.senderAddress == Self.vip)
    }

    private static func solicitation(for target: IPv6Address, from source: IPv6Address) -> [UInt8] {
        let group = IPv6Address(high: 0xff02 << 48, low: 0x1_ff00_0000 | target.low & 0xff_ffff)
        let message: [UInt8] =
            [135, 0, 0, 0, 0, 0, 0, 0] + target.octets + [1, 1] + client.octets
        let header: [UInt8] =
            [0x60, 0, 0, 0, 0, UInt8(message.count), 58, 255] + source.octets + group.octets
        let destination: [UInt8] = [0x33, 0x33] + group.octets.suffix(4)
        return destination + client.octets + [0x86, 0xdd] + header + message
    }

    @Test("who solicits a claimed IPv6 address gets a neighbour advertisement (RFC 4861 §7.2.4)")
    func neighbour() throws {
        var station = try Station(
            order { $0.claims = [AddressClaim(.v6(Self.vip6))] }, begin: at(0))
        let asker = IPv6Address("2001:db8::3")!
        station.hear(Self.solicitation(for: asker, from: Self.vip6), at: at(1))
        #expect(station.next(at: at(1)) == nil)
        station.hear(Self.solicitation(for: Self.vip6, from: asker), at: at(1))
        let answer = station.next(at: at(1))
        let frame = try #require(answer)
        #expect(
            frame.prefix(54)
                == octets(
                    "02000000000c02666666666686dd" + "6000000000203aff"
                        + "20010db8000000000000000000000010" + "20010db8000000000000000000000003")[
                    ...])
        let message = frame[54...]
        #expect(
            message.dropFirst(4)
                == octets(
                    "60000000" + "20010db8000000000000000000000010" + "0201026666666666")[...])
        #expect(message.prefix(2) == [136, 0])
        var sum = InternetChecksum(frame[22..<54])
        sum.add([0, 32, 0, 58])
        sum.add(message)
        #expect(sum.value == 0)
    }

    @Test("who looks for duplicates of an IPv6 address finds one (RFC 4862 §5.4.3)")
    func duplicateDetection() throws {
        var station = try Station(
            order { $0.claims = [AddressClaim(.v6(Self.vip6))] }, begin: at(0))
        station.hear(
            Self.solicitation(for: Self.vip6, from: IPv6Address(high: 0, low: 0)), at: at(1))
        let answer = station.next(at: at(1))
        let frame = try #require(answer.flatMap { NeighbourAdvertisementFrame(parsing: $0) })
        #expect(frame.target == Self.vip6 && frame.targetMAC == Self.mac)
    }

    @Test("what is announced is announced at once and then every so often")
    func announcements() throws {
        var station = try Station(
            order {
                $0.claims = [
                    AddressClaim(.v4(Self.vip), announcePeriod: .milliseconds(500)),
                    AddressClaim(.v6(Self.vip6), announcePeriod: .seconds(1)),
                ]
            }, begin: at(0))
        let frames = sent(&station, until: 1000)
        let arp = ARPFrame.gratuitous(for: Self.vip, at: Self.mac).octets
        let na = NeighbourAdvertisementFrame.unsolicited(for: Self.vip6, at: Self.mac).octets
        #expect(frames.map(\.time) == [0, 0, 500, 1000, 1000])
        #expect(
            frames.map(\.frame) == [arp, na, arp, na, arp]
                || frames.map(\.frame) == [
                    arp, na, arp, arp, na,
                ])
    }

    // MARK: Advertisements

    @Test("adverts come once a period; kept from its work, a station does not make up for much")
    func periods() throws {
        var station = try Station(
            order { $0.adverts = [AdvertFrameTests.version3()] }, begin: at(0))
        #expect(
            sent(&station, until: 950).map(\.time) == Array(stride(from: 0, through: 900, by: 100)))
        // Ten seconds pass.
        var count = 0
        while station.next(at: at(11_000)) != nil { count += 1 }
        #expect(count <= 3)
        #expect(station.skipped >= 97)
        #expect(station.deadline.map { $0 > at(11_000) && $0 <= at(11_100) } == true)
    }

    @Test("a flood is as many a second as was told, whenever the station gets to send them")
    func flood() throws {
        var advert = AdvertFrameTests.version3([.checksum, .ttl])
        advert.period = .seconds(1) / 100_000
        var station = try Station(order { $0.adverts = [advert] }, begin: at(0))
        var frames: [[UInt8]] = []
        for millisecond in 0..<100 {
            while let frame = station.next(at: at(millisecond)) { frames.append(frame) }
        }
        #expect((9_900...9_901).contains(frames.count))
        #expect(station.skipped == 0)
        let kinds = Set(frames)
        #expect(kinds.count == 2)
        let share = frames.count { $0 == frames[0] }
        #expect((4_500...5_500).contains(share), "both flaws, each as often as the other")
    }

    // MARK: Replays

    private func advert(_ vrid: UInt8, priority: UInt8 = 100, from last: UInt8 = 1) throws
        -> [UInt8]
    {
        var advert = AdvertFrameTests.version3()
        advert.vrid = vrid
        advert.priority = priority
        advert.source = .v4(IPv4Address(10, 10, 10, last))
        return try AdvertFrames(
            advert, from: MACAddress(rawValue: 0x0200_0000_0000 | UInt64(last)),
            numbers: KeyedNumbers(seed: 0, stream: 0)
        ).frame(0)
    }

    @Test("what was heard is sent again once, byte for byte, after the delay")
    func replayOnce() throws {
        var station = try Station(
            order { $0.replays = [Replay(delay: .milliseconds(300))] }, begin: at(0))
        let (first, second) = (try advert(51), try advert(51, priority: 0))
        station.hear(first, at: at(10))
        station.hear(Self.request(for: Self.vip), at: at(11))
        station.hear(second, at: at(20))
        let frames = sent(&station, until: 5000)
        #expect(frames.map(\.time) == [310, 320])
        #expect(frames.map(\.frame) == [first, second])
        #expect(station.deadline == nil)
    }

    @Test("at a rate, the last of everybody is sent over and over, in turn")
    func replayOverAndOver() throws {
        var station = try Station(
            order { $0.replays = [Replay(delay: .milliseconds(100), perSecond: 10)] },
            begin: at(0))
        let old = try advert(51)
        let (one, other) = (try advert(51, priority: 90), try advert(52, from: 2))
        station.hear(old, at: at(0))
        station.hear(one, at: at(50))
        station.hear(other, at: at(50))
        let frames = sent(&station, until: 500)
        #expect(frames.map(\.time) == [100, 200, 300, 400, 500])
        #expect(
            frames.map(\.frame) == [one, other, one, other, one]
                || frames.map(\.frame) == [
                    one, one, other, one, other,
                ])
        #expect(Set(frames.map(\.frame)) == [one, other])
    }

    @Test("memory is bounded: of advertisers, and of what waits")
    func bounds() throws {
        var station = try Station(
            order {
                $0.replays = [Replay(delay: .seconds(60)), Replay(perSecond: 100)]
            }, begin: at(0))
        for index in 0..<(Station.maximumPending + 10) {
            station.hear(try advert(UInt8(1 + index % 255)), at: at(0))
        }
        #expect(station.skipped > 10)
        #expect(Set(sent(&station, until: 1000).map(\.frame)).count <= Station.maximumAdvertisers)
    }

    @Test("an advertisement that cannot be encoded is refused at the start")
    func refusal() {
        var advert = AdvertFrameTests.version2()
        advert.interval = .milliseconds(1)
        #expect(throws: AdvertisementError.self) {
            try Station(order { $0.adverts = [advert] }, begin: at(0))
        }
    }
}
