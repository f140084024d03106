public import NetworkTypes

/// Which frames a rule is about: those of which everything that is given is true.
///
/// Looks behind VLAN tags, IPv6 extension headers and authentication headers. A frame that ends
/// before what would have to be looked at is not selected. In JSON:
/// `{"protocol":"udp","port":53,"from":"02:00:00:00:00:01","to":"02:00:00:00:00:02"}`.
public struct FrameSelector: Codable, Equatable, Sendable {
    /// What a frame carries.
    public enum FrameProtocol: String, Codable, Equatable, Sendable, CaseIterable {
        /// EtherType 0x0800.
        case ipv4
        /// EtherType 0x86dd.
        case ipv6
        /// EtherType 0x0806, gratuitous ARP included.
        case arp
        /// Neighbour discovery: ICMPv6 types 133 to 137 (RFC 4861 §4).
        case nd
        /// ICMP, and ICMPv6 with neighbour discovery in it.
        case icmp
        /// IP protocol 112 over IPv4 and IPv6, also behind an authentication header.
        case vrrp
        /// Protocol 17, over either.
        case udp
        /// Protocol 6, over either.
        case tcp
    }

    /// What the frames carry; nil: anything.
    public var `protocol`: FrameProtocol?
    /// The source or destination port, of UDP or TCP; nil: any. Fragments but the first have none.
    public var port: UInt16?
    /// The source Ethernet address; nil: any.
    public var from: MACAddress?
    /// The destination Ethernet address; nil: any.
    public var to: MACAddress?

    public init(
        _ protocol: FrameProtocol? = nil, port: UInt16? = nil, from: MACAddress? = nil,
        to: MACAddress? = nil
    ) {
        self.protocol = `protocol`
        self.port = port
        self.from = from
        self.to = to
    }

    /// Every frame.
    public static let any = FrameSelector()

    /// What is wrong with it; nothing when it can be done.
    public var problems: [String] {
        guard let port else { return [] }
        switch `protocol` {
        case .udp, .tcp:
            return port == 0 ? ["port 0: ports are 1 to 65535"] : []
        case .ipv4, .ipv6, .arp, .nd, .icmp, .vrrp, nil:
            return ["port \(port) of \(`protocol`?.rawValue ?? "any frame"): give udp or tcp too"]
        }
    }

    /// Whether a frame is one of them.
    ///
    /// - Parameter frame: from its Ethernet header on.
    public func selects(_ frame: Span<UInt8>) -> Bool {
        if self == .any { return true }
        guard let headers = FrameHeaders(frame) else { return false }
        return selects(headers, of: frame)
    }

    func selects(_ headers: FrameHeaders, of frame: Span<UInt8>) -> Bool {
        if let from, from.rawValue != headers.source { return false }
        if let to, to.rawValue != headers.destination { return false }
        switch `protocol` {
        case nil: return true
        case .ipv4: return headers.etherType == FrameHeaders.ipv4
        case .ipv6: return headers.etherType == FrameHeaders.ipv6
        case .arp: return headers.etherType == FrameHeaders.arp
        case .vrrp: return headers.ipProtocol == 112
        case .icmp: return headers.ipProtocol == (headers.etherType == FrameHeaders.ipv6 ? 58 : 1)
        case .nd:
            guard headers.etherType == FrameHeaders.ipv6, headers.ipProtocol == 58,
                let payload = headers.payload, payload < frame.count
            else { return false }
            return (133...137).contains(frame[payload])
        case .udp: return headers.ipProtocol == 17 && hasPort(headers, of: frame)
        case .tcp: return headers.ipProtocol == 6 && hasPort(headers, of: frame)
        }
    }

    /// UDP and TCP begin with the source port and the destination port.
    private func hasPort(_ headers: FrameHeaders, of frame: Span<UInt8>) -> Bool {
        guard let port else { return true }
        guard let payload = headers.payload, payload + 4 <= frame.count else { return false }
        let wanted = UInt64(port)
        return frame.number(at: payload, octets: 2) == wanted
            || frame.number(at: payload + 2, octets: 2) == wanted
    }
}
