import CLinux
import NetworkTypes
import Testing

@testable import Netlink

@Suite("Requests that are made ready are what is sent of them one by one")
struct RequestBatchTests {
    private static let device = Device(index: 2)

    private func requests(_ count: Int) throws -> [Request] {
        try (1...count).map { number in
            let address = IPAddress.v4(IPv4Address(192, 0, 2, UInt8(number)))
            return try .add(InterfaceAddress(address, prefixLength: 24), to: Self.device)
        }
    }

    private func header(of batch: RequestBatch, at start: Int) -> nlmsghdr {
        batch.bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: start, as: nlmsghdr.self)
        }
    }

    @Test("each begins on a boundary, as long as it says, and wants to be acknowledged")
    func layout() throws {
        let batch = try #require(RequestBatch(try requests(3)))
        #expect(batch.starts.count == 3)
        var end = 0
        for (start, request) in zip(batch.starts, batch.requests) {
            #expect(start == end && start.isMultiple(of: 4))
            let header = header(of: batch, at: start)
            #expect(Int(header.nlmsg_len) == request.message.count)
            let wanted = UInt16(NLM_F_REQUEST | NLM_F_ACK)
            #expect(header.nlmsg_flags & wanted == wanted)
            // But for the header's flags it is the request's message.
            let payload = start + MemoryLayout<nlmsghdr>.size..<start + request.message.count
            #expect(
                batch.bytes[payload].elementsEqual(
                    request.message[MemoryLayout<nlmsghdr>.size...]))
            end = start + (request.message.count + 3) & ~3
        }
        #expect(batch.bytes.count == end)
    }

    @Test("there is none of more than one system call carries")
    func limit() throws {
        #expect(RequestBatch(try requests(RouteSocket.maximumRequestsPerSend)) != nil)
        #expect(RequestBatch(try requests(RouteSocket.maximumRequestsPerSend + 1)) == nil)
    }

    @Test("what asks for nothing is a header and no more")
    func nothing() {
        let header = header(of: .nothing, at: 0)
        #expect(RequestBatch.nothing.bytes.count == MemoryLayout<nlmsghdr>.size)
        #expect(CInt(header.nlmsg_type) == NLMSG_NOOP)
        #expect(CInt(header.nlmsg_flags) == NLM_F_REQUEST | NLM_F_ACK)
    }
}
