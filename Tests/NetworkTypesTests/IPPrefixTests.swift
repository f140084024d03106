import NetworkTypes
import Testing

@Suite("networks, and addresses on interfaces")
struct IPPrefixTests {
    private func prefix(_ text: String) throws -> IPPrefix {
        try #require(IPPrefix(text), "\(text)")
    }
    private func address(_ text: String) throws -> IPAddress {
        try #require(IPAddress(text), "\(text)")
    }

    @Test(
        "a base and a length, printed in canonical form",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"),
            ("192.0.2.1/32", "192.0.2.1/32"), ("10.0.0.128/25", "10.0.0.128/25"),
            ("2001:DB8:0::/48", "2001:db8::/48"), ("::/0", "::/0"), ("::1/128", "::1/128"),
            ("2001:db8:0:0:8000::/65", "2001:db8:0:0:8000::/65"), ("10.0.0.0/08", "10.0.0.0/8"),
        ])
    func parsing(text: String, canonical: String) throws {
        #expect(try prefix(text).description == canonical)
    }

    @Test(
        "nothing else: bits after the prefix, lengths the family does not have, netmasks",
        arguments: [
            "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/", "10.0.0.0",
            "/8", "10.0.0.0/255.0.0.0", "10.0.0.0/ 8", "10.0.0.0/8/8", "2001:db8::1/64",
            "2001:db8::/129", "10.0.0.0/0008", "10.0.0.0/٨", "lan/24", "",
        ])
    func refusal(text: String) {
        #expect(IPPrefix(text) == nil)
    }

    @Test(
        "ip(8): an interface's address keeps its host bits; without a length it is a host's",
        arguments: [
            ("10.10.10.1/24", "10.10.10.1/24", "10.10.10.0/24"),
            ("10.10.10.10", "10.10.10.10/32", "10.10.10.10/32"),
            ("fd00:10::1/64", "fd00:10::1/64", "fd00:10::/64"),
            ("fd00:10::1", "fd00:10::1/128", "fd00:10::1/128"),
            ("203.0.113.7/31", "203.0.113.7/31", "203.0.113.6/31"),
            ("203.0.113.7/0", "203.0.113.7/0", "0.0.0.0/0"),
        ])
    func interfaceAddress(text: String, canonical: String, network: String) throws {
        let written = try #require(InterfaceAddress(text))
        #expect(written.description == canonical)
        #expect(written.network.description == network)
    }

    @Test(
        "an interface's address with a length that is none",
        arguments: ["1.2.3.4/33", "::1/x", "/"])
    func badInterfaceAddress(text: String) {
        #expect(InterfaceAddress(text) == nil)
    }

    @Test(
        "what is in a network",
        arguments: [
            ("10.0.0.0/24", "10.0.0.255", true), ("10.0.0.0/24", "10.0.1.0", false),
            ("10.0.0.128/25", "10.0.0.127", false), ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false), ("192.0.2.1/32", "192.0.2.1", true),
            ("192.0.2.1/32", "192.0.2.0", false), ("fe80::/10", "febf::1", true),
            ("2001:db8::/64", "2001:db8::ffff:0:0:1", true),
            ("2001:db8::/64", "2001:db8:0:1::", false),
            ("2001:db8::/65", "2001:db8::8000:0:0:0", false),
        ])
    func containment(network: String, inside: String, isInside: Bool) throws {
        #expect(try prefix(network).contains(address(inside)) == isInside)
    }

    @Test(
        "networks that share an address, whichever is asked",
        arguments: [
            ("10.0.0.0/24", "10.0.0.0/24", true), ("10.0.0.0/24", "10.0.0.128/25", true),
            ("10.0.0.0/24", "10.0.1.0/24", false), ("10.0.0.0/25", "10.0.0.128/25", false),
            ("0.0.0.0/0", "192.0.2.1/32", true), ("0.0.0.0/0", "::/0", false),
            ("2001:db8::/48", "2001:db8::/64", true), ("2001:db8::/64", "2001:db8:0:1::/64", false),
        ])
    func overlaps(one: String, other: String, overlap: Bool) throws {
        #expect(try prefix(one).overlaps(prefix(other)) == overlap)
        #expect(try prefix(other).overlaps(prefix(one)) == overlap)
    }

    @Test(
        "the address with that number; none past the end",
        arguments: [
            ("10.0.0.0/24", 0, "10.0.0.0"), ("10.0.0.0/24", 1, "10.0.0.1"),
            ("10.0.0.0/24", 255, "10.0.0.255"), ("10.0.0.0/24", 256, nil),
            ("10.0.0.0/24", .max, nil), ("255.255.255.0/24", 256, nil),
            ("0.0.0.0/0", 0xffff_ffff, "255.255.255.255"), ("0.0.0.0/0", 0x1_0000_0000, nil),
            ("192.0.2.1/32", 0, "192.0.2.1"), ("192.0.2.1/32", 1, nil),
            ("2001:db8::/64", 1, "2001:db8::1"),
            ("2001:db8::/64", .max, "2001:db8::ffff:ffff:ffff:ffff"),
            ("2001:db8::/63", .max, "2001:db8::ffff:ffff:ffff:ffff"), ("::1/128", 1, nil),
        ] as [(String, UInt64, String?)])
    func numbered(network: String, index: UInt64, expected: String?) throws {
        #expect(try prefix(network).address(at: index)?.description == expected)
    }

    @Test("counting carries from the low half of an IPv6 address into the high one")
    func carry() throws {
        let base = try address("2001:db8::ffff:ffff:ffff:0")
        let network = IPPrefix(containing: base, length: 32)
        #expect(network.description == "2001:db8::/32")
        #expect(network.address(at: .max)?.description == "2001:db8::ffff:ffff:ffff:ffff")
        let upper = try prefix("2001:db8:0:0:8000::/65")
        #expect(upper.address(at: 1 << 63) == nil)
        #expect(upper.address(at: 1 << 63 - 1)?.description == "2001:db8::ffff:ffff:ffff:ffff")
    }

    @Test(
        "RFC 919 §7: all host bits set; RFC 3021: none on a /31, and none for a host or IPv6",
        arguments: [
            ("10.0.0.0/24", "10.0.0.255"), ("10.0.0.0/8", "10.255.255.255"),
            ("0.0.0.0/0", "255.255.255.255"), ("192.0.2.4/30", "192.0.2.7"),
            ("192.0.2.4/31", nil), ("192.0.2.4/32", nil), ("2001:db8::/64", nil),
        ])
    func broadcast(network: String, expected: String?) throws {
        #expect(try prefix(network).broadcast?.description == expected)
    }

    @Test("the family decides: IPv4 before IPv6, octets of either count")
    func family() throws {
        #expect(try address("10.0.0.1").family == .v4)
        #expect(try address("::").family == .v6)
        #expect(try address("::").bitWidth == 128)
        #expect(IPAddress(octets: [10, 0, 0, 1]) == (try address("10.0.0.1")))
        #expect(IPAddress(octets: [UInt8](repeating: 0, count: 16)) == (try address("::")))
        #expect(IPAddress(octets: [1, 2, 3]) == nil)
        #expect(try address("255.255.255.255") < address("::"))
        #expect(try address("ff02::12").isMulticast && address("224.0.0.18").isMulticast)
    }
}
