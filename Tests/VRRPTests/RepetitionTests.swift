import NetworkTypes
import Testing
import VRRP

/// What a master says again and again is recognized without being parsed, and made without being
/// encoded.
@Suite("Repeated advertisements")
struct RepetitionTests {
    private static let source = IPv4Address(10, 10, 10, 3)
    private static let source6 = IPv6Address(high: 0xfe80 << 48, low: 3)
    private static let advertisement = Advertisement(
        version: 3, vrid: 51, priority: 100, addresses: [.v4(IPv4Address(10, 10, 10, 10))])
    private static let advertisement6 = Advertisement(
        version: 3, vrid: 51, priority: 100,
        addresses: [.v6(IPv6Address(high: 0xfe80 << 48, low: 10))])

    private static func packet(
        _ advertisement: Advertisement = advertisement, identification: UInt16 = 1,
        sequenceNumber: UInt32 = 0
    ) throws -> [UInt8] {
        try advertisement.ipv4Packet(
            from: source, identification: identification, sequenceNumber: sequenceNumber)
    }

    /// A buffer in which there is more than the packet.
    private static func isRepeated(_ first: [UInt8], by next: [UInt8]) throws -> Bool {
        try ReceivedAdvertisement(parsing: first)
            .isRepeated(byIPv4Packet: next + [1, 2, 3], lengthBytes: next.count)
    }

    @Test("the next packet of the same master repeats the last, whatever its Identification is")
    func sameAgain() throws {
        let first = try Self.packet()
        #expect(try Self.isRepeated(first, by: first))
        #expect(try Self.isRepeated(first, by: Self.packet(identification: 0xffff)))
    }

    @Test("a packet in which any other octet is different does not")
    func otherOctet() throws {
        let first = try Self.packet()
        for index in first.indices where !(4..<6).contains(index) && !(10..<12).contains(index) {
            var other = first
            other[index] ^= 0x10
            #expect(try !Self.isRepeated(first, by: other), "octet \(index)")
        }
        #expect(try !Self.isRepeated(first, by: first.dropLast()))
        #expect(try !Self.isRepeated(first, by: first + [0]))
        #expect(try !Self.isRepeated(first, by: []))
    }

    @Test("a packet with an authentication header is none, so that a replay is found out")
    func replay() throws {
        var signed = Self.advertisement
        signed.version = 2
        signed.authentication = .header(.init(truncating: "secret"))
        let first = try Self.packet(signed, sequenceNumber: 1)
        #expect(try !Self.isRepeated(first, by: first))
    }

    @Test("over IPv6 all that is told beside the payload has to be the same too")
    func version6() throws {
        let payload = try Self.advertisement6.ipv6Message(from: Self.source6)
        func received(hopLimit: UInt8? = 255) throws -> ReceivedAdvertisement {
            try ReceivedAdvertisement(
                ipv6Message: payload, source: Self.source6, destination: Advertisement.group6,
                hopLimit: hopLimit)
        }
        func isRepeated(
            _ first: ReceivedAdvertisement, by payload: [UInt8],
            from source: IPv6Address = Self.source6,
            to destination: IPv6Address = Advertisement.group6, hopLimit: UInt8? = 255
        ) -> Bool {
            first.isRepeated(
                byIPv6Message: payload + [0], lengthBytes: payload.count, source: source,
                destination: destination, hopLimit: hopLimit)
        }
        let first = try received()
        #expect(isRepeated(first, by: payload))
        #expect(!isRepeated(first, by: payload, from: Advertisement.group6))
        #expect(!isRepeated(first, by: payload, to: Self.source6))
        #expect(!isRepeated(first, by: payload, hopLimit: 254))
        #expect(!isRepeated(first, by: payload, hopLimit: nil))
        #expect(!isRepeated(try received(hopLimit: nil), by: payload))
        for index in payload.indices {
            var other = payload
            other[index] ^= 1
            #expect(!isRepeated(first, by: other), "octet \(index)")
        }
    }

    @Test("a packet with another Identification is the one that would have been encoded")
    func renumbered() throws {
        var packet = try Self.packet(identification: 1)
        let steps = stride(from: 1, through: 0xffff, by: 251).map { UInt16($0) }
        for identification in [2, 255, 256, 0xfffe, 0xffff, 1] + steps {
            Advertisement.setIdentification(identification, ofIPv4Packet: &packet)
            #expect(packet == (try Self.packet(identification: identification)))
        }
    }
}
