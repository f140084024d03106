import CLibMNL
import CLinux

/// One message out of what a netlink socket delivered, its header checked against the bytes there
/// are.
package struct NetlinkMessage {
    /// What it is about (`RTM_NEWLINK`, `NLMSG_ERROR`...).
    var type: UInt16
    /// `NLM_F_*`.
    var flags: UInt16
    /// The number of the request it answers; 0 for a notification.
    var sequence: UInt32
    /// What follows the header.
    package var payload: [UInt8]

    /// The messages in one datagram, as far as they are whole.
    package static func messages(in datagram: [UInt8]) -> [NetlinkMessage] {
        datagram.withUnsafeBytes { bytes in
            var found: [NetlinkMessage] = []
            var rest = CInt(clamping: bytes.count)
            var next = bytes.baseAddress?.assumingMemoryBound(to: nlmsghdr.self)
            // mnl_nlmsg_ok takes a length above 2³¹ for a negative one, which fits everywhere.
            while let header = next, mnl_nlmsg_ok(header, rest),
                header.pointee.nlmsg_len <= UInt32(rest)
            {
                let payload = UnsafeRawBufferPointer(
                    start: mnl_nlmsg_get_payload(header),
                    count: mnl_nlmsg_get_payload_len(header))
                found.append(
                    NetlinkMessage(
                        type: header.pointee.nlmsg_type, flags: header.pointee.nlmsg_flags,
                        sequence: header.pointee.nlmsg_seq, payload: [UInt8](payload)))
                next = UnsafePointer(mnl_nlmsg_next(header, &rest))
            }
            return found
        }
    }

    /// The number of the request that a datagram says was performed, and says nothing else; nil for
    /// any other.
    package static func sequenceOfPerformed(_ datagram: UnsafeRawBufferPointer) -> UInt32? {
        let size = MemoryLayout<nlmsghdr>.size
        guard datagram.count >= size + MemoryLayout<CInt>.size else { return nil }
        let header = datagram.loadUnaligned(as: nlmsghdr.self)
        let code = datagram.loadUnaligned(fromByteOffset: size, as: CInt.self)
        guard CInt(header.nlmsg_type) == NLMSG_ERROR, code == 0,
            Int(header.nlmsg_len) == datagram.count
        else { return nil }
        return header.nlmsg_seq
    }

    /// The fixed header that the payload starts with; nil when it is cut short.
    func header<Header: BitwiseCopyable>(as type: Header.Type) -> Header? {
        payload.withUnsafeBytes { bytes in
            bytes.count < MemoryLayout<Header>.size ? nil : bytes.loadUnaligned(as: type)
        }
    }

    /// The attributes after a fixed header of that type.
    func attributes<Header>(after header: Header.Type) -> Attributes {
        let aligned = (MemoryLayout<Header>.size + 3) & ~3
        return Attributes(in: payload.dropFirst(aligned))
    }
}

/// The attributes of a message or of a nested attribute, by type; the last of a type counts, as in
/// the kernel.
struct Attributes {
    private var values: [UInt16: [UInt8]] = [:]

    /// Reads the attributes that `bytes` start with, up to the first that is not whole.
    init(in bytes: ArraySlice<UInt8>) {
        // A copy starts where the kernel's would, on a boundary that every attribute fits.
        [UInt8](bytes).withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            var next = start.assumingMemoryBound(to: nlattr.self)
            // The length left gets negative when the padding of the last attribute is missing.
            while mnl_attr_ok(next, CInt(clamping: bytes.count - (UnsafeRawPointer(next) - start)))
            {
                values[mnl_attr_get_type(next)] = [UInt8](
                    UnsafeRawBufferPointer(
                        start: mnl_attr_get_payload(next),
                        count: Int(mnl_attr_get_payload_len(next))))
                next = UnsafePointer(mnl_attr_next(next))
            }
        }
    }

    /// The bytes of that attribute; nil without it.
    func bytes(_ type: Int) -> [UInt8]? { values[UInt16(truncatingIfNeeded: type)] }

    /// The number in that attribute; nil without it, or when it has another size.
    func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Int, as: Number.Type = Number.self
    ) -> Number? {
        guard let bytes = bytes(type), bytes.count == MemoryLayout<Number>.size else { return nil }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
    }

    /// The text in that attribute up to its NUL; nil without it.
    func text(_ type: Int) -> String? {
        bytes(type).map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The attributes inside that attribute; none without it.
    func nested(_ type: Int) -> Attributes { Attributes(in: (bytes(type) ?? [])[...]) }
}

/// How the kernel answered a request (`NLMSG_ERROR`, or the `NLMSG_DONE` at the end of a dump).
package struct Acknowledgement {
    /// The error number; 0 when the request was performed.
    package var code: CInt
    /// What the kernel said about it.
    package var kernelMessage: String?

    /// Nil for a message of another type.
    package init?(_ message: NetlinkMessage) {
        var attributes = message.payload.dropFirst(MemoryLayout<CInt>.size)
        switch CInt(message.type) {
        case NLMSG_ERROR:
            // After the number comes the header of the request, and its payload unless it is
            // capped.
            guard let error = message.header(as: nlmsgerr.self) else { return nil }
            let isCapped = CInt(message.flags) & NLM_F_CAPPED != 0
            let request =
                isCapped ? MemoryLayout<nlmsghdr>.size : (Int(error.msg.nlmsg_len) + 3) & ~3
            attributes = attributes.dropFirst(request)
            code = Self.number(error.error)
        case NLMSG_DONE:
            // An old kernel may end a dump without a number.
            code = Self.number(message.header(as: CInt.self) ?? 0)
        default:
            return nil
        }
        guard CInt(message.flags) & NLM_F_ACK_TLVS != 0 else { return }
        kernelMessage = Attributes(in: attributes).text(Int(NLMSGERR_ATTR_MSG.rawValue))
    }

    /// The error number that was sent negated. Of the least integer, which no kernel sends, there
    /// is no such thing.
    private static func number(_ sent: CInt) -> CInt { sent == .min ? .max : -sent }
}
