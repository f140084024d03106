import NetworkTypes
import Testing

@testable import VRRP

/// RFC 1321, RFC 2202 (of RFC 2104): what the authentication header's check value is made of.
@Suite("MD5 and HMAC-MD5")
struct DigestTests {
    @Test(
        "RFC 1321 A.5",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
            (
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                "d174ab98d277d9f5a5611c2c9f419d9f"
            ),
            (
                String(repeating: "1234567890", count: 8),
                "57edf4a22be3c955ac49da2e2107b67a"
            ),
        ])
    func md5(text: String, digest: String) {
        #expect(hexadecimal(MD5.digest(of: text.utf8)) == digest)
    }

    @Test("lengths around a block's end are padded right", arguments: 54...66)
    func aroundABlock(length: Int) {
        // The same octets in one piece and one by one.
        let octets = (0..<length).map { UInt8($0) }
        var md5 = MD5()
        for octet in octets { md5.add(CollectionOfOne(octet)) }
        #expect(md5.digest() == MD5.digest(of: octets))
        #expect(MD5.digest(of: octets) != MD5.digest(of: octets.dropLast()))
    }

    static let hmacVectors: [(key: [UInt8], data: [UInt8], code: String)] = [
        (
            .init(repeating: 0x0b, count: 16), Array("Hi There".utf8),
            "9294727a3638bb1c13f48ef8158bfc9d"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "750c783e6ab0b503eaa86e310a5db738"
        ),
        (
            .init(repeating: 0xaa, count: 16), .init(repeating: 0xdd, count: 50),
            "56be34521d144c88dbb8c733f0e8b3f6"
        ),
        (Array(1...25), .init(repeating: 0xcd, count: 50), "697eaf0aca3a3aea3a75164746ffaa79"),
        (
            .init(repeating: 0x0c, count: 16), Array("Test With Truncation".utf8),
            "56461ef2342edc00f9bab995690efd4c"
        ),
        (
            .init(repeating: 0xaa, count: 80),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
        ),
        (
            .init(repeating: 0xaa, count: 80),
            Array("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data".utf8),
            "6f630fad67cda0ee1fb1f562db3aa53e"
        ),
    ]

    @Test("RFC 2202 §2", arguments: hmacVectors.indices)
    func hmac(index: Int) {
        let vector = Self.hmacVectors[index]
        var code = HMACMD5(key: vector.key)
        code.add(vector.data)
        #expect(hexadecimal(code.code()) == vector.code)
    }
}

/// `auth_type AH`: RFC 2402 as keepalived has it.
@Suite("Authentication header")
struct AuthenticationHeaderTests {
    private static let advertisement = Advertisement(
        vrid: 51, priority: 100, addresses: [.v4(IPv4Address(10, 10, 10, 10))],
        authentication: .header("password"))

    private func packet(
        _ change: (inout [UInt8]) -> Void = { _ in }, sequenceNumber: UInt32 = 7,
        to destination: IPv4Address = Advertisement.group
    ) throws -> [UInt8] {
        var packet = try Self.advertisement.ipv4Packet(
            from: IPv4Address(10, 10, 10, 3), to: destination, identification: 1,
            sequenceNumber: sequenceNumber)
        change(&packet)
        return packet
    }

    private func refusal(
        of packet: [UInt8], expecting expected: Advertisement = advertisement,
        isUnicast: Bool = false, after last: UInt32 = 0
    ) throws -> AdvertisementError? {
        let received = try ReceivedAdvertisement(parsing: packet)
        do throws(AdvertisementError) {
            _ = try received.validated(
                against: .init(expected, isUnicast: isUnicast, lastSequenceNumber: last))
            return nil
        } catch {
            return error
        }
    }

    @Test("§3.4.3: a sequence number that is not above the last is a replay")
    func replay() throws {
        let received = try ReceivedAdvertisement(parsing: packet(sequenceNumber: 100))
        #expect(received.sequenceNumber == 100)
        #expect(try refusal(of: packet(sequenceNumber: 100), after: 99) == nil)
        let error = try refusal(of: packet(sequenceNumber: 100), after: 100)
        #expect(error == .replayedSequenceNumber(100, last: 100))
        #expect(
            error?.description
                == "IPSEC-AH : sequence number 100 already processed. Packet dropped. Local(100)")
        #expect(
            try refusal(of: packet(sequenceNumber: 0)) == .replayedSequenceNumber(0, last: 0))
    }

    @Test("another password, or any change after signing, is refused")
    func wrongValue() throws {
        var other = Self.advertisement
        other.authentication = .header("Password")
        #expect(try refusal(of: packet(), expecting: other) == .wrongIntegrityCheckValue)
        // The sender's address, the sequence number, the priority, an address.
        for offset in [12, 31, 46, 55] {
            #expect(
                try refusal(of: packet({ $0[offset] ^= 1 })) == .wrongIntegrityCheckValue,
                "octet \(offset)")
        }
    }

    @Test("what routers may change is not covered: type of service, flags, header checksum")
    func mutableFields() throws {
        #expect(
            try refusal(
                of: packet {
                    $0[1] = 0
                    $0[6] ^= 0x40
                    $0[10] ^= 0xff
                }) == nil)
        // The TTL is, unless peers are unicast, whose packets are routed.
        let peer = IPv4Address(10, 10, 10, 1)
        #expect(
            try refusal(of: packet({ $0[8] = 60 }, to: peer), isUnicast: true) == nil)
    }

    @Test("the Security Parameters Index is the sender's address")
    func securityParametersIndex() throws {
        var packet = try packet { $0[24] = 11 }
        AuthenticationHeader.sign(&packet, with: "password", isUnicast: false)
        #expect(
            try refusal(of: packet)
                == .wrongSecurityParametersIndex(received: 0x0b0a_0a03, source: 0x0a0a_0a03))
    }

    @Test("a header where none is expected is refused, and none where one is")
    func wrongCarrier() throws {
        var plain = Self.advertisement
        plain.authentication = .none
        let error = try refusal(of: packet(), expecting: plain)
        #expect(error?.description == "Received AH header but auth type not AH")
        let bare = try plain.ipv4Packet(from: IPv4Address(10, 10, 10, 3), identification: 1)
        #expect(
            try refusal(of: bare)?.description == "No AH header but auth type is AH")
    }

    @Test("a packet that ends in the header, or carries something else, is no VRRP")
    func incomplete() throws {
        for length in 20..<52 {
            let error = #expect(throws: AdvertisementError.self) {
                try ReceivedAdvertisement(parsing: Array(packet().prefix(length)))
            }
            #expect(error?.description == "IPv4 VRRP packet with AH too short - \(length) bytes")
        }
        #expect(throws: AdvertisementError.notVRRP) {
            try ReceivedAdvertisement(parsing: packet { $0[20] = 6 })
        }
    }

    @Test("what is sent goes on from what was heard, and stops before it would cycle")
    func sequence() {
        var sequence = AuthenticationSequence()
        let peer = IPAddress.v4(IPv4Address(10, 10, 10, 3))
        #expect(sequence.next() == 1)
        sequence.accepted(40, from: peer)
        sequence.accepted(7, from: peer)
        #expect(sequence.next() == 41)
        sequence.accepted(0xffff_fffd, from: peer)
        #expect(sequence.next() == 0xffff_fffe)
        #expect(sequence.next() == nil)
        sequence.restart()
        #expect(sequence.next() == 1)
    }

    @Test("RFC 2402 §3.4.3: a replay is what its own sender has sent already, not somebody else")
    func sequenceOfEachSender() {
        var sequence = AuthenticationSequence()
        let (peer, other) = (
            IPAddress.v4(IPv4Address(10, 10, 10, 3)), IPAddress.v4(IPv4Address(10, 10, 10, 4))
        )
        sequence.accepted(40, from: peer)
        #expect(sequence.last(from: peer) == 40)
        // Two masters at one pace send the same numbers, and have to hear each other.
        #expect(sequence.next() == 41)
        #expect(sequence.last(from: peer) < 41)
        #expect(sequence.last(from: other) == 0)
    }

    @Test("of more senders than a virtual router has, the last are judged by the highest number")
    func sequenceOfManySenders() {
        var sequence = AuthenticationSequence()
        for host in 1...300 {
            sequence.accepted(
                UInt32(host), from: .v4(IPv4Address(10, 10, UInt8(host / 200), UInt8(host % 200))))
        }
        #expect(sequence.last(from: .v4(IPv4Address(10, 10, 0, 7))) == 7)
        #expect(sequence.last(from: .v4(IPv4Address(10, 10, 9, 9))) == 300)
    }

    @Test("version 3 and IPv6 have no authentication header")
    func notEverywhere() throws {
        var advertisement = Self.advertisement
        advertisement.version = 3
        #expect(advertisement.carrierProtocol == 112)
        advertisement.version = 2
        advertisement.addresses = [.v6(IPv6Address(high: 0xfe80 << 48, low: 1))]
        #expect(throws: AdvertisementError.authenticationNeedsIPv4) {
            try advertisement.checkEncodable(over: .v6)
        }
        #expect(throws: AdvertisementError.authenticationNeedsIPv4) {
            try advertisement.ipv6Message(from: .any)
        }
    }
}
