import CLinux

/// Requests as one system call carries them, made in advance for a moment that has no time to
/// lose.
public struct RequestBatch: Sendable {
    let requests: [Request]
    /// The messages one after the other, each padded to where the next may begin, without sequence
    /// numbers.
    let bytes: [UInt8]
    /// Where in `bytes` each begins.
    let starts: [Int]

    /// - Returns: nil for more requests than one system call carries.
    public init?(_ requests: [Request]) {
        guard requests.count <= RouteSocket.maximumRequestsPerSend else { return nil }
        self.init(requests[...])
    }

    /// - Precondition: no more requests than one system call carries.
    init(_ requests: ArraySlice<Request>) {
        self.init(Array(requests), messages: requests.map(\.message))
    }

    private init(_ requests: [Request], messages: [[UInt8]]) {
        var bytes: [UInt8] = []
        var starts: [Int] = []
        for message in messages {
            starts.append(bytes.count)
            bytes += message
            bytes += [UInt8](repeating: 0, count: -bytes.count & 3)
        }
        bytes.withUnsafeMutableBytes { bytes in
            for start in starts {
                var header = bytes.loadUnaligned(fromByteOffset: start, as: nlmsghdr.self)
                header.nlmsg_flags |= UInt16(NLM_F_REQUEST | NLM_F_ACK)
                bytes.storeBytes(of: header, toByteOffset: start, as: nlmsghdr.self)
            }
        }
        self.requests = requests
        self.bytes = bytes
        self.starts = starts
    }

    /// A message that asks for nothing but its acknowledgement (`NLMSG_NOOP`).
    static let nothing = RequestBatch(
        [],
        messages: [
            withUnsafeBytes(
                of: nlmsghdr(
                    nlmsg_len: UInt32(MemoryLayout<nlmsghdr>.size),
                    nlmsg_type: UInt16(NLMSG_NOOP), nlmsg_flags: 0, nlmsg_seq: 0, nlmsg_pid: 0),
                Array.init)
        ])
}
