import LabModel
import NetworkTypes
import Testing

@testable import LabKit

@Suite("Questions that are one datagram: what is sent, and what is an answer to it")
struct DatagramQuestionTests {
    @Test("UDP: what comes back as it was sent answers the request of its number")
    func udp() throws {
        let question = UDPQuestion(try #require(TransportAddress.parse("192.0.2.1:7")))
        let sent = question.message(0x0102_0304)
        #expect(sent == Array("labctl".utf8) + [1, 2, 3, 4])
        #expect(question.heard(sent[...]) == .request(0x0102_0304))
        #expect(question.heard(sent.dropLast()) == .nothing)
        #expect(question.heard((sent + [0])[...]) == .nothing)
        #expect(question.heard(Array("nobody1234".utf8)[...]) == .nothing)
    }

    @Test("RFC 792: an echo request, with the checksum of RFC 1071, and the reply to it")
    func ping() throws {
        let question = PingQuestion(try #require(IPAddress("192.0.2.1")), identifier: 0x1234)
        let sent = question.message(0x0001_0002)
        #expect(sent == [8, 0, 0xe5, 0xc6, 0x12, 0x34, 0, 2, 0, 1, 0, 2])
        // A raw IPv4 socket is given the header too: here one of 20 octets, and one with options.
        var reply = sent
        reply[0] = 0
        for words in [5, 7] as [UInt8] {
            let header = [0x40 | words] + [UInt8](repeating: 0, count: Int(words) * 4 - 1)
            #expect(question.heard((header + reply)[...]) == .request(0x0001_0002))
            #expect(question.heard((header + sent)[...]) == .nothing, "a request is no reply")
        }
        let other = PingQuestion(try #require(IPAddress("192.0.2.1")), identifier: 0x1235)
        let header = [0x45] + [UInt8](repeating: 0, count: 19)
        #expect(other.heard((header + reply)[...]) == .nothing, "it is somebody else's")
        #expect(question.heard([]) == .nothing)
        #expect(question.heard([0x4f, 0]) == .nothing)
    }

    @Test("RFC 4443 §4.1: over IPv6 the kernel sets the checksum, and the header stays with it")
    func ping6() throws {
        let question = PingQuestion(try #require(IPAddress("2001:db8::1")), identifier: 7)
        let sent = question.message(9)
        #expect(sent == [128, 0, 0, 0, 0, 7, 0, 9, 0, 0, 0, 9])
        #expect(question.heard(([129] + sent.dropFirst())[...]) == .request(9))
    }

    @Test("RFC 826: who has an address, by broadcast; only a reply to the sender answers")
    func arp() throws {
        let mac = try #require(MACAddress("02:00:00:00:00:01"))
        let question = ARPQuestion(
            target: try #require(IPv4Address("192.0.2.9")),
            source: try #require(IPv4Address("192.0.2.1")), mac: mac, interfaceIndex: 2)
        let sent = question.message(1)
        #expect(Array(sent.prefix(14)) == [UInt8](repeating: 0xff, count: 6) + mac.octets + [8, 6])
        #expect(
            sent.suffix(20)
                == (mac.octets + [192, 0, 2, 1] + [0, 0, 0, 0, 0, 0, 192, 0, 2, 9])[...])
        #expect(question.heard(sent[...]) == .nothing)
        let other: [UInt8] = [2, 0, 0, 0, 0, 9]
        let reply =
            mac.octets + other + [8, 6, 0, 1, 8, 0, 6, 4, 0, 2] + other + [192, 0, 2, 9]
            + mac.octets + [192, 0, 2, 1]
        #expect(question.heard(reply[...]) == .newest)
        var toSomebodyElse = reply
        toSomebodyElse[41] = 2
        #expect(question.heard(toSomebodyElse[...]) == .nothing)
    }

    @Test(
        "RFC 4861 §4.3, §4.4: a solicitation to the target's group; only a solicited answer counts")
    func neighbour() throws {
        let mac = try #require(MACAddress("02:00:00:00:00:01"))
        let target = try #require(IPv6Address("2001:db8::1:203"))
        let question = NeighbourQuestion(target: target, mac: mac, interfaceIndex: 2)
        #expect(
            question.message(1)
                == [135, 0, 0, 0, 0, 0, 0, 0] + target.octets + [1, 1] + mac.octets)
        #expect(question.group == IPv6Address("ff02::1:ff01:203"))
        let answer: [UInt8] = [136, 0, 0, 0, 0x60, 0, 0, 0] + target.octets
        #expect(question.heard(answer[...]) == .newest)
        var unsolicited = answer
        unsolicited[4] = 0x20
        #expect(question.heard(unsolicited[...]) == .nothing)
        #expect(question.heard(answer.dropLast()) == .nothing)
    }
}
