import NetworkTypes
import Testing

@Suite("IPv6 addresses")
struct IPv6AddressTests {
    @Test(
        "RFC 4291 §2.2: all text forms; RFC 5952 §4: one canonical text",
        arguments: [
            // §2.2 of RFC 4291: full, shortened, and with an IPv4 tail.
            ("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
            ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
            ("FF01:0:0:0:0:0:0:101", "ff01::101"), ("0:0:0:0:0:0:0:1", "::1"),
            ("0:0:0:0:0:0:0:0", "::"), ("::13.1.68.3", "::d01:4403"),
            ("::FFFF:129.144.52.38", "::ffff:8190:3426"),
            ("1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"),
            // §4.1 of RFC 5952: no leading zeros.
            ("2001:0db8::0001", "2001:db8::1"),
            // §4.2.1: shortened as much as possible.
            ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
            // §4.2.2: a single zero group stays.
            ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            // §4.2.3: the longest run, and of two as long the first.
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            // The run at either end.
            ("1:0:0:0:0:0:0:0", "1::"), ("fe80::", "fe80::"), ("ff02::12", "ff02::12"),
        ])
    func parsing(text: String, canonical: String) throws {
        let address = try #require(IPv6Address(text))
        #expect(address.description == canonical)
        #expect(IPv6Address(canonical) == address)
        #expect(IPv6Address(octets: address.octets) == address)
    }

    @Test(
        "nothing else, and no zone",
        arguments: [
            "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", ":1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:8:", "1::2::3", "1:::2", "::1::", "1:2:3:4::5:6:7:8",
            "::1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:8::", "12345::", "::g", "::-1", "::+1", " ::1", "::1 ", "fe80::1%eth0",
            "::1/64", "[::1]", "::1.2.3", "::1.2.3.4.5", "::256.1.1.1", "1.2.3.4::", "::1.2.3.4:5",
            "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4", "::ı",
        ])
    func refusal(text: String) {
        #expect(IPv6Address(text) == nil)
    }

    @Test("addresses compare as their numbers do")
    func order() {
        let texts = ["::", "::1", "::ffff:ffff:ffff:ffff", "0:0:0:1::", "2001:db8::", "fe80::1"]
        let addresses = texts.compactMap { IPv6Address($0) }
        #expect(addresses.shuffled().sorted() == addresses)
    }

    @Test(
        "which addresses are groups, link-local, the host's own",
        arguments: [
            ("ff02::12", true, false, false), ("fe7f:ffff::", false, false, false),
            ("fe80::1", false, true, false), ("febf::1", false, true, false),
            ("fec0::", false, false, false), ("::1", false, false, true),
            ("::", false, false, false), ("::2", false, false, false),
        ])
    func kinds(text: String, isMulticast: Bool, isLinkLocal: Bool, isLoopback: Bool) throws {
        let address = try #require(IPv6Address(text))
        #expect(address.isMulticast == isMulticast)
        #expect(address.isLinkLocal == isLinkLocal)
        #expect(address.isLoopback == isLoopback)
    }

    @Test("every address prints as a text that parses to it")
    func roundTrip() {
        // Each of the eight groups zero or not, in all 256 ways.
        for pattern in 0..<256 {
            let octets: [UInt8] = (0..<16).map { (index: Int) -> UInt8 in
                let isZero = pattern >> (index / 2) & 1 == 0
                return isZero ? 0 : UInt8(index + 1)
            }
            let address = IPv6Address(octets: octets)
            #expect(IPv6Address(address.description) == address)
        }
    }
}
