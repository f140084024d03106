import NetworkTypes
import Testing

@Suite("IPv4 addresses")
struct IPv4AddressTests {
    @Test(
        "four decimal octets, printed as they are written",
        arguments: [
            ("0.0.0.0", 0), ("10.10.10.10", 0x0a0a_0a0a), ("192.0.2.1", 0xc000_0201),
            ("224.0.0.18", 0xe000_0012), ("255.255.255.255", 0xffff_ffff),
        ] as [(String, UInt32)])
    func parsing(text: String, value: UInt32) throws {
        let address = try #require(IPv4Address(text))
        #expect(address.rawValue == value)
        #expect(address.description == text)
        #expect(IPv4Address(octets: address.octets) == address)
    }

    @Test(
        "nothing else: no short form, leading zero, sign, space, or octal as inet_aton(3) takes it",
        arguments: [
            "", "1", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "1.2.3.4.5", "256.0.0.1",
            "1.2.3.256", "01.2.3.4", "1.2.3.04", "00.0.0.0", "0x7f.0.0.1", "-1.2.3.4", "+1.2.3.4",
            " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "1.2.3.4/24", "1,2,3,4", "a.b.c.d", "١.٢.٣.٤",
            "99999999999999999999.1.1.1", "1.2.3.\u{0}", "::1",
        ])
    func refusal(text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test("a part of a longer text parses as itself")
    func substring() {
        let text = "via 203.0.113.9 dev eth0"
        #expect(IPv4Address(text.dropFirst(4).prefix(11)) == IPv4Address(203, 0, 113, 9))
    }

    @Test("RFC 3768 §6.4.3: the greater address is the one whose number is greater")
    func order() {
        let texts = ["9.255.255.255", "10.0.0.2", "10.0.0.10", "10.0.1.0", "200.0.0.0"]
        let addresses = texts.compactMap { IPv4Address($0) }
        #expect(addresses.shuffled().sorted() == addresses)
    }

    @Test(
        "which addresses are groups, which are the host's own",
        arguments: [
            ("223.255.255.255", false, false), ("224.0.0.0", true, false),
            ("239.255.255.255", true, false), ("240.0.0.0", false, false),
            ("126.255.255.255", false, false), ("127.0.0.1", false, true),
            ("127.255.255.255", false, true), ("128.0.0.0", false, false),
        ])
    func kinds(text: String, isMulticast: Bool, isLoopback: Bool) throws {
        let address = try #require(IPv4Address(text))
        #expect(address.isMulticast == isMulticast)
        #expect(address.isLoopback == isLoopback)
    }
}
