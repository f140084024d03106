import CLinux
import Glibc
package import LabModel
package import LinuxSystem
package import NetworkTypes
import VRRP

/// Options of linux/in.h, in6.h and icmpv6.h; the C library hides some of these.
private enum SocketOption {
    static let ipv4Errors: CInt = 11  // IP_RECVERR
    static let icmpv6Filter: CInt = 1  // ICMPV6_FILTER
    static let multicastInterface: CInt = 17  // IPV6_MULTICAST_IF
    static let multicastHops: CInt = 18  // IPV6_MULTICAST_HOPS
    static let ipv6Errors: CInt = 25  // IPV6_RECVERR
}

/// Opens a socket that does not block and tells of ICMP errors.
private func openSocket(
    _ family: CInt, _ type: __socket_type, _ ipProtocol: CInt
) throws(SystemError) -> OwnedDescriptor {
    let socket = OwnedDescriptor(
        try systemCall("open a socket") {
            Glibc.socket(
                family, CInt(type.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK,
                ipProtocol)
        })
    var on: CInt = 1
    if family == AF_INET {
        setsockopt(socket.rawValue, CInt(IPPROTO_IP), SocketOption.ipv4Errors, &on, 4)
    } else if family == AF_INET6 {
        setsockopt(socket.rawValue, CInt(IPPROTO_IPV6), SocketOption.ipv6Errors, &on, 4)
    }
    return socket
}

/// Opens a socket that talks to one address only.
private func connectSocket(
    _ type: __socket_type, _ ipProtocol: CInt, to address: IPAddress, port: UInt16
) throws(SystemError) -> OwnedDescriptor {
    let socket = try openSocket(
        address.family == .v4 ? AF_INET : AF_INET6, type, ipProtocol)
    if let reason = SocketEndpoint(address, port: port).connect(socket.rawValue) {
        throw SystemError("connect to \(address)", reason)
    }
    return socket
}

/// A number's bytes, as they travel.
private func octets(_ number: UInt32) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { [UInt8]($0) }
}

/// The number whose bytes these are.
private func number(_ octets: ArraySlice<UInt8>) -> UInt32 {
    octets.reduce(0) { $0 << 8 | UInt32($1) }
}

/// A datagram that has to come back as it is.
package struct UDPQuestion: DatagramQuestion {
    private static let mark = Array("labctl".utf8)
    private let server: TransportAddress
    package let destination: SocketEndpoint? = nil

    package init(_ server: TransportAddress) { self.server = server }

    package func open() throws -> OwnedDescriptor {
        try connectSocket(SOCK_DGRAM, 0, to: server.address, port: server.port)
    }

    package func message(_ number: UInt32) -> [UInt8] { Self.mark + octets(number) }

    package func heard(_ datagram: ArraySlice<UInt8>) -> Heard {
        guard datagram.count == Self.mark.count + 4, datagram.starts(with: Self.mark) else {
            return .nothing
        }
        return .request(number(datagram.suffix(4)))
    }
}

/// ICMP's echo request (RFC 792; RFC 4443 §4.1).
package struct PingQuestion: DatagramQuestion {
    private let address: IPAddress
    private let identifier: UInt16
    package let destination: SocketEndpoint? = nil

    package init(_ address: IPAddress, identifier: UInt16) {
        self.address = address
        self.identifier = identifier
    }

    private var types: (request: UInt8, reply: UInt8) {
        address.family == .v4 ? (8, 0) : (128, 129)
    }

    package func open() throws -> OwnedDescriptor {
        try connectSocket(
            SOCK_RAW, CInt(address.family == .v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6), to: address,
            port: 0)
    }

    package func message(_ number: UInt32) -> [UInt8] {
        let sequence = octets(number).suffix(2)
        var message = [types.request, 0, 0, 0]
        message += [UInt8(identifier >> 8), UInt8(identifier & 0xff)] + sequence + octets(number)
        guard address.family == .v4 else { return message }  // The kernel's, for IPv6.
        let checksum = Self.checksum(message)
        message[2] = UInt8(checksum >> 8)
        message[3] = UInt8(checksum & 0xff)
        return message
    }

    package func heard(_ datagram: ArraySlice<UInt8>) -> Heard {
        var rest = datagram
        if address.family == .v4 {
            // A raw IPv4 socket is given the header as well.
            guard let first = rest.first else { return .nothing }
            rest = rest.dropFirst(Int(first & 0x0f) * 4)
        }
        let bytes = Array(rest)
        guard bytes.count == 12, bytes[0] == types.reply,
            bytes[4] == UInt8(identifier >> 8), bytes[5] == UInt8(identifier & 0xff)
        else { return .nothing }
        return .request(number(bytes[8..<12]))
    }

    /// The Internet checksum (RFC 1071) of an even number of bytes.
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(sum)
    }
}

/// Who has an IPv4 address? (RFC 826) The kernel of the node is not asked: it may know already.
package struct ARPQuestion: DatagramQuestion {
    var target: IPv4Address
    var source: IPv4Address
    var mac: MACAddress
    var interfaceIndex: Int32
    package let destination: SocketEndpoint? = nil

    package init(
        target: IPv4Address, source: IPv4Address, mac: MACAddress, interfaceIndex: Int32
    ) {
        self.target = target
        self.source = source
        self.mac = mac
        self.interfaceIndex = interfaceIndex
    }

    package func open() throws -> OwnedDescriptor {
        let socket = try openSocket(AF_PACKET, SOCK_RAW, 0)
        let number = socket.rawValue
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = UInt16(CLINUX_ETH_P_ARP).bigEndian
        address.sll_ifindex = interfaceIndex
        try systemCall("bind a packet socket") {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
                }
            }
        }
        return socket
    }

    package func message(_ number: UInt32) -> [UInt8] {
        ARPFrame(
            ethernetSource: mac, ethernetDestination: .broadcast, operation: .request,
            senderMAC: mac, senderAddress: source, targetMAC: MACAddress(rawValue: 0),
            targetAddress: target
        ).octets
    }

    package func heard(_ datagram: ArraySlice<UInt8>) -> Heard {
        guard let frame = ARPFrame(parsing: datagram), frame.operation == .reply,
            frame.senderAddress == target, frame.targetAddress == source
        else { return .nothing }
        return .newest
    }
}

/// Who has an IPv6 address? (RFC 4861 §4.3)
package struct NeighbourQuestion: DatagramQuestion {
    var target: IPv6Address
    var mac: MACAddress
    var interfaceIndex: Int32

    private static let solicitation: UInt8 = 135
    private static let advertisement: UInt8 = 136

    package init(target: IPv6Address, mac: MACAddress, interfaceIndex: Int32) {
        self.target = target
        self.mac = mac
        self.interfaceIndex = interfaceIndex
    }

    /// The target's solicited-node group (RFC 4291 §2.7.1).
    var group: IPv6Address {
        IPv6Address(high: 0xff02_0000_0000_0000, low: 0x1_ff00_0000 | target.low & 0xff_ffff)
    }

    package var destination: SocketEndpoint? { SocketEndpoint(.v6(group), port: 0) }

    package func open() throws -> OwnedDescriptor {
        let socket = try openSocket(AF_INET6, SOCK_RAW, CInt(IPPROTO_ICMPV6))
        let number = socket.rawValue
        func set(_ level: CInt, _ option: CInt, _ value: CInt) throws(SystemError) {
            var value = value
            try systemCall("set up a socket") { setsockopt(number, level, option, &value, 4) }
        }
        let ipv6 = CInt(IPPROTO_IPV6)
        try set(ipv6, SocketOption.multicastInterface, interfaceIndex)
        // Else it came through a router (§7.1.1).
        try set(ipv6, SocketOption.multicastHops, 255)
        // A bit for every type that is kept out (RFC 3542 §3.2).
        var filter = [UInt32](repeating: .max, count: 8)
        filter[Int(Self.advertisement) / 32] &= ~(1 << (UInt32(Self.advertisement) % 32))
        try systemCall("set up a socket") {
            setsockopt(number, CInt(IPPROTO_ICMPV6), SocketOption.icmpv6Filter, &filter, 32)
        }
        return socket
    }

    package func message(_ number: UInt32) -> [UInt8] {
        // With the source's link-layer address, to which the answer goes (§4.6.1).
        [Self.solicitation, 0, 0, 0, 0, 0, 0, 0] + target.octets + [1, 1] + mac.octets
    }

    package func heard(_ datagram: ArraySlice<UInt8>) -> Heard {
        let bytes = Array(datagram)
        guard bytes.count >= 24, bytes[0] == Self.advertisement, bytes[4] & 0x40 != 0,
            bytes[8..<24].elementsEqual(target.octets)
        else { return .nothing }  // Without the flag it answers nobody.
        return .newest
    }
}

extension Fabric {
    /// How a node asks who has an address: by the interface in whose subnet it is; nil where there
    /// is none.
    func resolution(of address: IPAddress, from node: String) -> (any DatagramQuestion)? {
        guard let nodePlan = plan.nodes.first(where: { $0.name == node }) else { return nil }
        for own in nodePlan.addresses
        where own.address.address.family == address.family && own.address.network.contains(address)
        {
            guard let port = plan.interface(own.interface, of: node) else { continue }
            switch (address, own.address.address) {
            case (.v4(let target), .v4(let source)):
                return ARPQuestion(
                    target: target, source: source, mac: port.mac, interfaceIndex: port.index)
            case (.v6(let target), .v6):
                return NeighbourQuestion(
                    target: target, mac: port.mac, interfaceIndex: port.index)
            case (.v4, .v6), (.v6, .v4): continue
            }
        }
        return nil
    }
}
