/// What the headers of an Ethernet frame say, as far as they are there: nothing is read beyond the
/// frame's end, and what cannot be read is nil.
struct FrameHeaders: Equatable {
    /// The Ethernet addresses, the first octet highest in 48 bits.
    var destination: UInt64
    var source: UInt64
    /// The first EtherType that is no VLAN tag's; below 1536 the length of an IEEE 802.3 frame.
    var etherType: UInt16
    /// IPv4's protocol, or IPv6's last next header, behind extension headers and authentication
    /// headers.
    var ipProtocol: UInt8?
    /// Where what `ipProtocol` names begins; nil in a fragment other than the first, and where the
    /// frame ends before.
    var payload: Int?

    /// Where what the EtherType names begins.
    var network: Int

    /// Where headers are said to go on for ever.
    private static let maximumExtensionHeaders = 16
    private static let maximumTags = 4

    static let ipv4: UInt16 = 0x0800
    static let ipv6: UInt16 = 0x86dd
    static let arp: UInt16 = 0x0806

    /// Nil where the frame has no whole Ethernet header.
    init?(_ frame: Span<UInt8>) {
        guard frame.count >= 14 else { return nil }
        destination = frame.number(at: 0, octets: 6)
        source = frame.number(at: 6, octets: 6)
        var offset = 12
        network = 14
        etherType = UInt16(frame.number(at: offset, octets: 2))
        var tags = 0
        // IEEE 802.1Q, 802.1ad, and what some switches used before 802.1ad.
        while etherType == 0x8100 || etherType == 0x88a8 || etherType == 0x9100 {
            tags += 1
            offset += 4
            guard tags <= Self.maximumTags, offset + 2 <= frame.count else {
                // A tag and nothing behind it: nothing that a selector knows.
                etherType = 0
                return
            }
            etherType = UInt16(frame.number(at: offset, octets: 2))
        }
        network = offset + 2
        switch etherType {
        case Self.ipv4: readIPv4(frame, at: network)
        case Self.ipv6: readIPv6(frame, at: network)
        default: break
        }
    }

    /// Where the IP header of a frame begins; nil where it has none.
    static func networkStart(of frame: Span<UInt8>) -> Int? {
        guard let headers = FrameHeaders(frame), headers.ipProtocol != nil else { return nil }
        return headers.network
    }

    private mutating func readIPv4(_ frame: Span<UInt8>, at start: Int) {
        guard start + 20 <= frame.count, frame[start] >> 4 == 4 else { return }
        let length = Int(frame[start] & 0xf) * 4
        guard length >= 20 else { return }
        ipProtocol = frame[start + 9]
        let isFirstFragment = frame.number(at: start + 6, octets: 2) & 0x1fff == 0
        readExtensions(frame, at: isFirstFragment ? start + length : nil)
    }

    private mutating func readIPv6(_ frame: Span<UInt8>, at start: Int) {
        guard start + 40 <= frame.count, frame[start] >> 4 == 6 else { return }
        ipProtocol = frame[start + 6]
        readExtensions(frame, at: start + 40)
    }

    /// Goes through the headers before the payload. IPv4 knows the authentication header alone.
    private mutating func readExtensions(_ frame: Span<UInt8>, at start: Int?) {
        guard var offset = start else { return }
        for _ in 0..<Self.maximumExtensionHeaders {
            guard let kind = ipProtocol, Self.isExtension(kind, of: etherType) else {
                payload = offset <= frame.count ? offset : nil
                return
            }
            // Every one of them has its length in its first 8 octets.
            guard offset + 8 <= frame.count else { return }
            ipProtocol = frame[offset]
            switch kind {
            case 44:  // Fragment, RFC 8200 §4.5: the offset in the upper 13 bits.
                guard frame.number(at: offset + 2, octets: 2) & 0xfff8 == 0 else { return }
                offset += 8
            case 51:  // Authentication, RFC 4302 §2.2: in units of 4 octets, less 2.
                offset += (Int(frame[offset + 1]) + 2) * 4
            default:  // RFC 8200 §4: in units of 8 octets, without the first.
                offset += (Int(frame[offset + 1]) + 1) * 8
            }
        }
    }

    /// Hop-by-hop options, routing, fragment, authentication, destination options, mobility, HIP
    /// and Shim6 (IANA, IPv6 Extension Header Types; ESP hides what follows).
    private static func isExtension(_ kind: UInt8, of etherType: UInt16) -> Bool {
        switch kind {
        case 51: true
        case 0, 43, 44, 60, 135, 139, 140: etherType == ipv6
        default: false
        }
    }
}

extension Span<UInt8> {
    /// The octets from `offset` on as a number, the first highest.
    ///
    /// - Precondition: they are there.
    func number(at offset: Int, octets count: Int) -> UInt64 {
        var value: UInt64 = 0
        for place in offset..<offset + count { value = value << 8 | UInt64(self[place]) }
        return value
    }
}
