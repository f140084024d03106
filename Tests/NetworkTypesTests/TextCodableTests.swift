import Foundation
import NetworkTypes
import Testing

@Suite("in JSON, addresses are the texts people write")
struct TextCodableTests {
    private struct Everything: Codable, Equatable {
        var address: IPAddress
        var v4: IPv4Address
        var v6: IPv6Address
        var onInterface: InterfaceAddress
        var network: IPPrefix
        var mac: MACAddress
        var name: InterfaceName
        var time: MonotonicInstant
    }

    private let json = """
        {"address":"10.0.0.1","mac":"02:00:00:00:00:01","name":"eth0","network":"10.0.0.0/24",\
        "onInterface":"10.0.0.1/24","time":42,"v4":"192.0.2.1","v6":"2001:db8::1"}
        """

    @Test("decoded from their texts, encoded to the same")
    func roundTrip() throws {
        let decoded = try JSONDecoder().decode(Everything.self, from: Data(json.utf8))
        #expect(decoded.time == MonotonicInstant(nanoseconds: 42))
        #expect(decoded.onInterface.prefixLength == 24)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        #expect(String(decoding: try encoder.encode(decoded), as: UTF8.self) == json)
    }

    @Test(
        "a text that is none is refused with what it should be",
        arguments: [
            ("10.0.0.0/24", "10.0.0.1/24", "network prefix"),
            ("\"10.0.0.1\"", "\"10.0.0\"", "IP address"),
            ("02:00:00:00:00:01", "02:00", "Ethernet address"), ("eth0", "eth:0", "interface name"),
        ])
    func refusal(good: String, bad: String, what: String) {
        let mistaken = json.replacingOccurrences(of: good, with: bad)
        #expect {
            try JSONDecoder().decode(Everything.self, from: Data(mistaken.utf8))
        } throws: { error in
            "\(error)".contains("is no \(what)")
        }
    }
}
