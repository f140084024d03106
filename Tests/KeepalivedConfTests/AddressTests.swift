import KeepalivedConf
import NetworkTypes
import Testing

@Suite("virtual_ipaddress")
struct AddressTests {
    @Test("a bare address has the whole width, global scope and the instance's interface")
    func bareAddress() throws {
        let address = try #require(try parse(instance("")).only.virtualAddresses.first)
        #expect(address.address == InterfaceAddress("192.0.2.1/32"))
        #expect(address.interface == InterfaceName("eth0"))
        #expect(address.scope == .global)
        #expect(address.label == nil && address.broadcast == nil && address.isTracked)
        #expect(address.position == SourcePosition(file: "k.conf", line: 6, column: 1))
    }

    @Test("every option, in any order")
    func options() throws {
        let parsed = parse(
            instance(
                "",
                addresses: "192.0.2.9/24 label eth1:v scope link no_track brd 192.0.2.255 dev eth1")
        )
        let address = try #require(try parsed.only.virtualAddresses.first)
        #expect(parsed.diagnostics.isEmpty)
        #expect(address.address == InterfaceAddress("192.0.2.9/24"))
        #expect(address.interface == InterfaceName("eth1"))
        #expect(address.label == "eth1:v")
        #expect(address.scope == .link)
        #expect(address.broadcast == IPv4Address("192.0.2.255"))
        #expect(!address.isTracked)
    }

    @Test(
        "broadcast + and - set and clear the host's bits",
        arguments: [
            ("192.0.2.9/24 brd +", "192.0.2.255"), ("192.0.2.9/24 brd -", "192.0.2.0"),
            ("192.0.2.9/28 broadcast +", "192.0.2.15"), ("192.0.2.9/0 brd +", "255.255.255.255"),
            ("192.0.2.9 brd 192.0.2.9", "192.0.2.9"),
        ])
    func broadcast(line: String, expected: String) throws {
        let address = try #require(
            try parse(instance("", addresses: line)).only.virtualAddresses.first)
        #expect(address.broadcast == IPv4Address(expected))
    }

    @Test("a network of one or two addresses has no broadcast address, one with a peer neither")
    func noBroadcast() throws {
        let parsed = parse(
            instance(
                "",
                addresses: "192.0.2.1/31 brd +\n192.0.2.2 peer 192.0.2.3 brd 192.0.2.255"))
        #expect(try parsed.only.virtualAddresses.map(\.broadcast) == [nil, nil])
        #expect(
            parsed.diagnostics.map(\.message) == [
                "Address prefix length 31 too long for broadcast",
                "Cannot specify broadcast and peer addresses - ignoring broadcast address",
            ])
    }

    @Test("flags, peer and lifetime; IPv6 without duplicate address detection unless asked for")
    func flags() throws {
        let parsed = parse(
            instance(
                "",
                addresses: "192.0.2.1 home noprefixroute autojoin mngtmpaddr use_vmac\n"
                    + "192.0.2.2 peer 192.0.2.9 preferred_lft 60"))
        let addresses = try parsed.only.virtualAddresses
        #expect(parsed.diagnostics.isEmpty)
        #expect(
            addresses[0].flags == [
                .home, .noPrefixRoute, .autojoin, .manageTemporaryAddresses,
            ])
        #expect(addresses[0].usesVMAC && addresses[0].preferredLifetime == nil)
        #expect(addresses[1].peer == InterfaceAddress("192.0.2.9/32"))
        #expect(addresses[1].preferredLifetime == .seconds(60))
        let six = try parse(
            instance("", addresses: "fe80::1\nfd00::1/64 -nodad\nfd00::2 preferred_lft forever")
        ).only.virtualAddresses
        #expect(six.map(\.flags) == [.nodad, [], .nodad])
        #expect(six.map(\.preferredLifetime) == [.zero, nil, nil])
    }

    @Test("scopes by name and number; another is ignored")
    func scopes() throws {
        let parsed = parse(
            instance(
                "",
                addresses: "192.0.2.1 scope host\n192.0.2.2 scope 7\n192.0.2.3 scope everywhere"))
        #expect(try parsed.only.virtualAddresses.map(\.scope.rawValue) == [254, 7, 0])
        #expect(
            parsed.complaints == [
                "k.conf:8:17: warning: Invalid scope 'everywhere' specified for 192.0.2.3 -"
                    + " ignoring"
            ])
    }

    @Test(
        "what keepalived leaves out is an error",
        arguments: [
            ("192.0.2.300", "VRRP parsed invalid IP 192.0.2.300. skipping IP...", 1),
            ("192.0.2.1 dev", "No dev parameter specified for 192.0.2.1", 11),
            (
                "192.0.2.1 brd x",
                "VRRP is trying to assign invalid broadcast x. skipping VIP...", 15
            ),
            (
                "192.0.2.1 label averyverylonglabel",
                "Address label averyverylonglabel is longer than maximum length 15 - removing"
                    + " address", 17
            ),
        ])
    func lostAddress(line: String, message: String, column: Int) throws {
        let parsed = parse(instance("", addresses: "192.0.2.9\n\(line)"))
        #expect(try parsed.only.virtualAddresses.count == 1)
        let diagnostic = try #require(parsed.diagnostics.first)
        #expect(diagnostic.kind == .lossOfConfiguration && diagnostic.severity == .error)
        #expect(diagnostic.message == message)
        #expect(
            diagnostic.position == SourcePosition(file: "k.conf", line: 7, column: column))
    }

    @Test("of two addresses on a line the second is lost; another unknown word is a warning")
    func secondAddressOnLine() throws {
        let parsed = parse(instance("", addresses: "192.0.2.1 192.0.2.2/24 foo"))
        #expect(try parsed.only.virtualAddresses.count == 1)
        #expect(parsed.diagnostics.map(\.severity) == [.error, .warning])
        #expect(parsed.diagnostics.map(\.position.column) == [11, 24])
    }

    @Test("a prefix length that is none is the whole width")
    func prefixLength() throws {
        let parsed = parse(instance("", addresses: "192.0.2.1/33\n192.0.2.2/\n192.0.2.3/0"))
        #expect(try parsed.only.virtualAddresses.map(\.address.prefixLength) == [32, 32, 0])
        #expect(parsed.diagnostics.count == 2)
        #expect(
            parsed.diagnostics[0].message
                == "Invalid address prefix len 33 for address 192.0.2.1/33 - using 32")
    }

    // RFC-CHECKLIST: 20
    @Test("the first address says the family; one of the other is lost, but for excluded ones")
    func families() throws {
        let parsed = parse(
            instance(
                "virtual_ipaddress_excluded {\n2001:db8::9/64\n}",
                addresses: "192.0.2.1\n2001:db8::1"))
        let only = try parsed.only
        #expect(only.family == .v4 && only.virtualAddresses.count == 1)
        #expect(only.excludedAddresses.map(\.address) == [InterfaceAddress("2001:db8::9/64")])
        #expect(parsed.diagnostics.map(\.position.line) == [9])
        #expect(parsed.diagnostics.map(\.kind) == [.lossOfConfiguration])
    }

    @Test("more blocks add up, in order; the 256th address is set, but not advertised")
    func manyAddresses() throws {
        let blocks = parse(
            instance("virtual_ipaddress {\n192.0.2.7\n}", addresses: "192.0.2.1"))
        #expect(
            try blocks.only.virtualAddresses.map { "\($0.address.address)" } == [
                "192.0.2.7", "192.0.2.1",
            ])
        let many = (0..<256).map { "10.0.0.\($0)" }.joined(separator: "\n")
        let parsed = parse(instance("", addresses: many))
        #expect(try parsed.only.virtualAddresses.count == 255)
        #expect(try parsed.only.excludedAddresses.count == 1)
        #expect(parsed.diagnostics.map(\.position.line) == [261])
    }
}
