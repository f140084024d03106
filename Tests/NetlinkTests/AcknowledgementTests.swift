import SystemPackage
import Testing

@testable import Netlink

@Suite("Acknowledgements are read from the kernel's bytes")
struct AcknowledgementTests {
    /// What `ip link add x0 type nosuch` got as its answer.
    private static let unknownKind = Captured.bytes(
        """
        3c000000020000030700000049520000a1ffffff3800000010000506070000000000000018000100
        556e6b6e6f776e20646576696365207479706500
        """)
    /// The same with the whole request back (no NETLINK_CAP_ACK).
    private static let unknownKindUncapped = Captured.bytes(
        """
        64000000020000020700000049520000a1ffffff3800000010000506070000000000000000000000
        0000000000000000000000000700030078300000100012800b0001006e6f73756368000018000100
        556e6b6e6f776e20646576696365207479706500
        """)
    private static let performed = Captured.bytes(
        "240000000200000108000000495200000000000020000000100005000800000000000000")

    @Test("an error has the kernel's number and its own words, capped or not")
    func error() throws {
        for bytes in [Self.unknownKind, Self.unknownKindUncapped] {
            let message = try #require(NetlinkMessage.messages(in: bytes).first)
            #expect(message.sequence == 7)
            let answer = try #require(Acknowledgement(message))
            #expect(answer.code == Errno.notSupportedOnSocket.rawValue)
            #expect(answer.kernelMessage == "Unknown device type")
        }
    }

    @Test("a number that cannot be negated is an error like any other")
    func leastNumber() throws {
        for (type, flags) in [("0200", "0001"), ("0300", "0200")] {
            let bytes = Captured.bytes(
                "24000000\(type)\(flags)0800000049520000" + "00000080"
                    + "20000000100005000800000000000000")
            let message = try #require(NetlinkMessage.messages(in: bytes).first)
            #expect(try #require(Acknowledgement(message)).code != 0)
        }
    }

    @Test("a performed request has neither")
    func performed() throws {
        let message = try #require(NetlinkMessage.messages(in: Self.performed).first)
        #expect(message.sequence == 8)
        let answer = try #require(Acknowledgement(message))
        #expect(answer.code == 0)
        #expect(answer.kernelMessage == nil)
    }

    @Test("that a request was performed is read off the datagram, and nothing else is")
    func datagram() {
        func sequence(_ bytes: [UInt8]) -> UInt32? {
            bytes.withUnsafeBytes { NetlinkMessage.sequenceOfPerformed($0) }
        }
        #expect(sequence(Self.performed) == 8)
        #expect(sequence(Self.unknownKind) == nil)
        #expect(sequence(Captured.address) == nil)
        #expect(sequence(Array(Self.performed.dropLast(4))) == nil, "cut short")
        #expect(sequence(Self.performed + Self.performed) == nil, "not the only one")
        #expect(sequence([]) == nil)
    }

    @Test("a notification is none")
    func notification() throws {
        let message = try #require(NetlinkMessage.messages(in: Captured.address).first)
        #expect(Acknowledgement(message) == nil)
    }

    @Test("an error is described as command, reason and the kernel's words")
    func description() {
        var error = NetlinkError(
            operation: "ip link add br0 type bridge", code: .fileExists,
            kernelMessage: "Name already in use")
        #expect(
            "\(error)" == "ip link add br0 type bridge: file exists (Name already in use)")
        error.kernelMessage = nil
        #expect("\(error)" == "ip link add br0 type bridge: file exists")
    }
}
