import NetworkTypes
import Testing
import VRRP

@testable import Spoofing

/// The octets of a text of hexadecimal digits.
func octets(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.count, by: 2).compactMap { start in
        let begin = hex.index(hex.startIndex, offsetBy: start)
        return UInt8(hex[begin..<hex.index(begin, offsetBy: 2)], radix: 16)
    }
}

@Suite("Forged advertisements, octet by octet")
struct AdvertFrameTests {
    private static let mac = MACAddress("02:00:00:00:00:01")!

    static func version2(_ flaws: [Flaw] = []) -> ForgedAdvert {
        ForgedAdvert(
            version: 2, vrid: 51, priority: 100, addresses: [IPAddress("10.10.10.10")!],
            password: "password", source: IPAddress("10.10.10.1")!, flaws: flaws,
            period: .seconds(1))
    }

    static func version3(_ flaws: [Flaw] = []) -> ForgedAdvert {
        ForgedAdvert(
            version: 3, vrid: 51, priority: 100, interval: .milliseconds(100),
            addresses: [IPAddress("10.10.10.10")!], source: IPAddress("10.10.10.1")!, flaws: flaws,
            period: .milliseconds(100))
    }

    static func overIPv6(_ flaws: [Flaw] = []) -> ForgedAdvert {
        ForgedAdvert(
            version: 3, vrid: 51, priority: 100,
            addresses: [IPAddress("fe80::1000")!, IPAddress("2001:db8::1")!],
            source: IPAddress("fe80::ff:fe00:1")!, flaws: flaws, period: .seconds(1))
    }

    private func frame(
        _ advert: ForgedAdvert, number: UInt64 = 0, seed: UInt64 = 7
    ) throws -> [UInt8] {
        try AdvertFrames(advert, from: Self.mac, numbers: KeyedNumbers(seed: seed, stream: 0))
            .frame(number)
    }

    @Test("a right one is what keepalived 2.2.7 sends first, over IPv4")
    func golden() throws {
        #expect(
            try frame(Self.version2())
                == octets(
                    "01005e000012020000000001080045c0002800010000ff70c6870a0a0a01e0000012"
                        + "213364010101980d0a0a0a0a70617373776f7264"))
        #expect(
            try frame(Self.version3())
                == octets(
                    "01005e000012020000000001080045c0002000010000ff70c68f0a0a0a01e0000012"
                        + "31336401000a62130a0a0a0a"))
    }

    @Test("and over IPv6 but for the flow label, which keepalived's kernel chose")
    func goldenOverIPv6() throws {
        var advert = Self.overIPv6()
        advert.addresses = [IPAddress("fe80::1000")!]
        let frame = try frame(advert)
        let seen = try #require(ObservedAdvertisement(ethernetFrame: frame))
        #expect(seen.checksum == .pseudoHeader && seen.timeToLive == 255)
        #expect(frame.prefix(14) == octets("33330000001202000000000186dd")[...])
        let header = octets(
            "6c000000001870fffe80000000000000000000fffe000001ff020000000000000000000000000012")
        #expect(Array(frame[14..<54]) == header)
        #expect(frame.count == 78)
    }

    /// What an instance that is configured like the advert says of its frame's packet.
    private func refusal(of frame: [UInt8], by advert: ForgedAdvert) throws -> AdvertisementError? {
        let isV4 = advert.source.family == .v4
        do throws(AdvertisementError) {
            let packet = Array(frame[14...])
            let received: ReceivedAdvertisement
            if isV4 {
                received = try ReceivedAdvertisement(parsing: packet)
            } else {
                received = try ReceivedAdvertisement(
                    ipv6Message: Array(packet[40...]),
                    source: IPv6Address(octets: packet[8..<24]),
                    destination: IPv6Address(octets: packet[24..<40]), hopLimit: packet[7])
            }
            _ = try received.validated(
                against: .init(
                    Advertisement(
                        version: advert.version, vrid: advert.vrid, priority: 1,
                        interval: advert.interval, addresses: advert.addresses,
                        authentication: advert.password.map {
                            .password(AuthenticationPassword(truncating: $0))
                        } ?? .none)))
            return nil
        } catch {
            return error
        }
    }

    private static let adverts = [
        AdvertFrameTests.version2(), AdvertFrameTests.version3(), AdvertFrameTests.overIPv6(),
    ]

    @Test("a receiver of the same configuration believes a right one", arguments: adverts)
    func sound(advert: ForgedAdvert) throws {
        #expect(try refusal(of: frame(advert), by: advert) == nil)
    }

    @Test("each flaw is the one thing that is wrong", arguments: adverts)
    func flaws(advert: ForgedAdvert) throws {
        for flaw in Flaw.allCases {
            var advert = advert
            advert.flaws = [flaw]
            let frame = try frame(advert)
            let refusal = try refusal(of: frame, by: advert)
            switch (flaw, refusal) {
            case (.checksum, .wrongChecksum?), (.version, .wrongVersion?), (.type, .wrongType?),
                (.length, .wrongLength?), (.ttl, .wrongTimeToLive(received: 254)?):
                break
            case (.vrid, nil):
                let seen = try #require(ObservedAdvertisement(ethernetFrame: frame))
                #expect(seen.vrid != advert.vrid && seen.vrid != 0)
            case (.random, .some): break
            default: Issue.record("\(flaw): \(String(describing: refusal))")
            }
            if advert.source.family == .v4 {
                #expect(InternetChecksum(frame[14..<34]).value == 0, "\(flaw): the IP header")
                let length = Int(frame[16]) << 8 | Int(frame[17])
                #expect(length == frame.count - 14, "\(flaw)")
            } else {
                let length = Int(frame[18]) << 8 | Int(frame[19])
                #expect(length == frame.count - 54, "\(flaw)")
            }
        }
    }

    @Test("without addresses, a wrong length says one that is not there")
    func lengthWithoutAddresses() throws {
        var advert = Self.version3([.length])
        advert.addresses = []
        let refusal = try refusal(of: frame(advert), by: advert)
        guard case .wrongLength = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
    }

    @Test("what is random follows from the seed and the frame's number")
    func seeds() throws {
        let advert = Self.version3([.random, .vrid])
        let frames = try (0..<200).map { try frame(advert, number: $0) }
        #expect(try frames == (0..<200).map { try frame(advert, number: $0) })
        #expect(try frames != (0..<200).map { try frame(advert, number: $0, seed: 8) })
        #expect(Set(frames).count > 150)
        let vrids = Set(
            frames.filter { $0.count == 46 && $0[34] == 0x31 }.map { $0[35] })
        #expect(vrids.count > 50 && !vrids.contains(51) && !vrids.contains(0))
    }

    @Test("every other VRID comes, and none that there is not")
    func everyVRID() throws {
        for vrid: UInt8 in [1, 51, 255] {
            var advert = Self.version3([.vrid])
            advert.vrid = vrid
            let seen = try Set((0..<4000).map { try frame(advert, number: $0)[35] })
            #expect(seen == Set(1...255).subtracting([vrid]))
        }
    }

    @Test("what cannot be encoded is said by the codec")
    func problems() {
        #expect(Self.version2().problem == nil)
        var advert = Self.version2()
        advert.interval = .milliseconds(500)
        #expect(
            advert.problem == .unencodableInterval(.milliseconds(500), version: 2))
        advert = Self.version3()
        advert.addresses = [IPAddress("fe80::1")!]
        #expect(advert.problem == .unsupportedAddress(IPAddress("fe80::1")!))
    }
}
