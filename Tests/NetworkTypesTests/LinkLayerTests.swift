import NetworkTypes
import Testing

@Suite("Ethernet addresses and names of interfaces")
struct LinkLayerTests {
    @Test(
        "six octets as ip(8) prints them",
        arguments: [
            ("02:00:00:00:00:01", "02:00:00:00:00:01"), ("00:00:5E:00:01:33", "00:00:5e:00:01:33"),
            ("2:0:0:0:0:1", "02:00:00:00:00:01"), ("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"),
        ])
    func mac(text: String, canonical: String) throws {
        let address = try #require(MACAddress(text))
        #expect(address.description == canonical)
        #expect(MACAddress(octets: address.octets) == address)
        #expect(MACAddress(rawValue: address.rawValue) == address)
    }

    @Test(
        "nothing else",
        arguments: [
            "", "02:00:00:00:00", "02:00:00:00:00:01:02", "02-00-00-00-00-01", "020000000001",
            "02:00:00:00:00:0g", "02:00:00:00:00:001", "02:00:00:00:00:", ":02:00:00:00:00",
            "+2:00:00:00:00:01", " 02:00:00:00:00:01", "02:00:00:00:00:01 ",
        ])
    func malformedMAC(text: String) {
        #expect(MACAddress(text) == nil)
    }

    @Test("the group bit is the lowest of the first octet (IEEE 802)")
    func groupBit() throws {
        #expect(try #require(MACAddress("01:00:5e:00:00:12")).isMulticast)
        #expect(try #require(MACAddress("33:33:00:00:00:12")).isMulticast)
        #expect(MACAddress.broadcast.isMulticast)
        #expect(try !#require(MACAddress("fe:ff:ff:ff:ff:ff")).isMulticast)
        #expect(MACAddress(rawValue: 0xffff_0200_0000_0001).octets == [2, 0, 0, 0, 0, 1])
    }

    @Test(
        "dev_valid_name: 1 to 15 bytes without '/', ':' and white space",
        arguments: [
            ("lo", true), ("eth0", true), ("abcdefghijklmno", true), ("abcdefghijklmnop", false),
            ("äöüäöüä", true), ("äöüäöüäö", false), ("", false), (".", false), ("..", false),
            ("...", true), ("a.b", true), ("eth0.100", true), ("eth0:1", false), ("a/b", false),
            ("a b", false), ("a\tb", false), ("a\nb", false), ("a\u{b}b", false), ("a\rb", false),
            ("a\u{0}b", false), ("-", true), ("a%b", true),
        ])
    func interfaceName(text: String, isValid: Bool) {
        #expect(InterfaceName(text)?.text == (isValid ? text : nil))
    }

    @Test("names sort as texts")
    func order() {
        let names = ["eth0", "eth1", "eth10", "lo"].compactMap { InterfaceName($0) }
        #expect(names.reversed().sorted() == names)
    }
}
