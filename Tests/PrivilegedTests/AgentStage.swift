import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import VRRP

/// A router with two interfaces, and around it stations without a network stack, which say and hear
/// frames and nothing else.
///
/// `eth0` has 10.0.0.1/24 and 2001:db8::1/64, `eth1` 10.0.1.1/24 and 2001:db8:1::1/64; packets are
/// forwarded between them. The stations are 10.0.0.9 and 2001:db8::9 on one, 10.0.1.9 and
/// 2001:db8:1::9 on the other, and the router knows them without asking.
final class AgentStage {
    let router: TestNamespace
    let outside: TestNamespace
    /// At the other end of `eth0`.
    let lan: AgentStation
    /// At the other end of `eth1`.
    let wan: AgentStation

    /// The router's address on `eth0`.
    static let mac = MACAddress(rawValue: 0x0200_0000_0001)

    init() throws {
        router = try TestNamespace()
        outside = try TestNamespace()
        try outside.namespace.run {
            for name in ["all", "default"] {
                try FileSystem.writeParameter(
                    "1", to: "/proc/sys/net/ipv6/conf/\(name)/disable_ipv6")
            }
        }
        try router.namespace.run {
            for name in ["all", "default"] {
                try FileSystem.writeParameter("0", to: "/proc/sys/net/ipv6/conf/\(name)/accept_dad")
            }
            try FileSystem.writeParameter("1", to: "/proc/sys/net/ipv6/conf/all/forwarding")
            try FileSystem.writeParameter("1", to: "/proc/sys/net/ipv4/ip_forward")
        }
        for (number, (inner, outer)) in [("eth0", "lan"), ("eth1", "wan")].enumerated() {
            let low = UInt64(number)
            try router.socket.perform(
                .add(
                    VethEnd(
                        name: try name(inner), address: MACAddress(rawValue: 0x0200_0000_0001 + low)
                    ),
                    peer: VethPeer(
                        name: try name(outer),
                        address: MACAddress(rawValue: 0x0200_0000_0901 + low),
                        namespace: outside.reference)))
            let device = try router.device(inner)
            try outside.socket.perform(.set(outside.device(outer), .up))
            try router.socket.perform(
                .set(device, .up), .add(address("10.0.\(number).1/24"), to: device),
                .add(address("2001:db8:\(number)::1/64"), to: device))
        }
        lan = try AgentStation(in: outside, "lan", network: 0)
        wan = try AgentStation(in: outside, "wan", network: 1)
        for (device, station) in [("eth0", lan), ("eth1", wan)] {
            for address in [station.address.description, station.address6.description] {
                try run(
                    "ip neigh add \(address) lladdr \(station.mac) dev \(device) nud permanent")
            }
        }
        // Link-local addresses come with the carrier.
        try waitUntil("every link is up") {
            try router.socket.addresses().count { $0.scope == .link } == 2
        }
    }

    /// Runs a command in the router's namespace, and says what it printed.
    @discardableResult
    func run(_ command: String) throws -> String {
        try router.namespace.run {
            let pipe = try #require(popen("\(command) 2>&1", "r"))
            let output = String(
                decoding: try FileSystem.readAll(fileno(pipe), name: command), as: UTF8.self)
            try #require(pclose(pipe) == 0, "\(command): \(output)")
            return output
        }
    }

    /// Removes the link between `eth0` and the LAN, and makes it again with the same numbers.
    func remakeLAN() throws {
        let device = try router.device("eth0")
        try router.socket.perform(.delete(device))
        try waitUntil("the other end is gone") {
            try outside.socket.link(named: try name("lan")) == nil
        }
        try router.socket.perform(
            .add(
                VethEnd(name: try name("eth0"), index: device.index, address: Self.mac),
                peer: VethPeer(
                    name: try name("lan"), index: lan.index, address: lan.mac,
                    namespace: outside.reference)))
        try outside.socket.perform(.set(outside.device("lan"), .up))
        try router.socket.perform(
            .set(device, .up), .add(address("10.0.0.1/24"), to: device))
    }

    /// Whether an interface has an address.
    func has(_ address: String, on device: String = "eth0") throws -> Bool {
        guard let link = try router.socket.link(named: try name(device)) else { return false }
        return try router.socket.addresses(of: link.device).contains {
            $0.address.address == IPAddress(address)
        }
    }
}

/// Waits for a condition.
func waitUntil(
    _ what: String, within patience: Duration = .seconds(30), _ holds: () throws -> Bool
) throws {
    let deadline = MonotonicClock.now + patience
    while !(try holds()) {
        try #require(MonotonicClock.now < deadline, "it never came true that \(what)")
        usleep(1000)
    }
}

/// A station of an ``AgentStage``.
final class AgentStation {
    let mac: MACAddress
    let address: IPv4Address
    let address6: IPv6Address
    /// All that it has heard.
    private(set) var heard: [PacketCapture.Frame] = []
    private let capture: PacketCapture
    private let sender: FrameSender
    fileprivate let index: Int32

    fileprivate init(in outside: borrowing TestNamespace, _ device: String, network: UInt8) throws {
        let link = try #require(try outside.socket.link(named: try name(device)))
        mac = try #require(link.address)
        index = link.index
        address = IPv4Address(10, 0, network, 9)
        address6 = IPv6Address(high: 0x2001_0db8_0000_0000 | UInt64(network) << 16, low: 9)
        capture = try outside.namespace.run {
            try PacketCapture(filter: [FilterInstruction(0x06, 0, 0, .max)])
        }
        sender = try outside.namespace.run { try FrameSender() }
    }

    func send(_ frame: [UInt8]) throws { try sender.send(frame, by: index) }

    /// Sends an IP packet.
    func send(_ packet: [UInt8], to destination: MACAddress) throws {
        try send(StationFrame.ethernet(packet, from: mac, to: destination))
    }

    /// Sends an advertisement of version 3 as another router on this network.
    func advertise(_ advertisement: Advertisement) throws {
        if case .v6 = advertisement.addresses.first {
            let source = IPv6Address(high: 0xfe80 << 48, low: 9)
            return try send(
                advertisement.ipv6Packet(from: source),
                to: MACAddress(rawValue: 0x3333_0000_0012))
        }
        try send(
            advertisement.ipv4Packet(from: address, identification: 1),
            to: MACAddress(rawValue: 0x0100_5e00_0012))
    }

    /// What has arrived since the last call.
    func received() throws -> [PacketCapture.Frame] {
        let frames = try capture.drain().filter { $0.interfaceIndex == index }
        heard += frames
        return frames
    }

    /// Waits for a frame of which something can be told.
    func awaitFrame<Result>(_ what: String, _ read: ([UInt8]) -> Result?) throws -> Result {
        var found: Result?
        try waitUntil("the station hears \(what)") {
            for frame in try received() where found == nil { found = read(frame.bytes) }
            return found != nil
        }
        return try #require(found)
    }

    /// Waits for an advertisement.
    func awaitAdvertisement(
        _ what: String = "an advertisement",
        where isWanted: (ObservedAdvertisement) -> Bool = { _ in true }
    ) throws -> ObservedAdvertisement {
        try awaitFrame(what) { frame in
            ObservedAdvertisement(ethernetFrame: frame).flatMap { isWanted($0) ? $0 : nil }
        }
    }

    /// Every advertisement heard so far, with its time.
    func advertisements() throws -> [(time: MonotonicInstant, advertisement: ObservedAdvertisement)]
    {
        _ = try received()
        return heard.compactMap { frame in
            ObservedAdvertisement(ethernetFrame: frame.bytes).map { (frame.time, $0) }
        }
    }
}

/// Frames that stations send.
enum StationFrame {
    static func ethernet(
        _ packet: [UInt8], from source: MACAddress, to destination: MACAddress
    ) -> [UInt8] {
        destination.octets + source.octets + (packet[0] >> 4 == 4 ? [0x08, 0x00] : [0x86, 0xdd])
            + packet
    }

    /// An echo request (RFC 792, RFC 4443 §4.1).
    static func echo(
        _ sequence: UInt16, from source: IPAddress, to destination: IPAddress
    ) -> [UInt8] {
        let rest: [UInt8] = [0x1a, 0xb0, UInt8(sequence >> 8), UInt8(sequence & 255)]
        guard source.family == .v4 else {
            return icmpv6([128, 0], rest, from: source, to: destination, hopLimit: 64)
        }
        let sum = InternetChecksum([8, 0, 0, 0] + rest).value
        let message = [8, 0, UInt8(sum >> 8), UInt8(sum & 255)] + rest
        var header: [UInt8] = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0]
        header += source.octets + destination.octets
        let headerSum = InternetChecksum(header).value
        header[10] = UInt8(headerSum >> 8)
        header[11] = UInt8(headerSum & 255)
        return header + message
    }

    /// A neighbour solicitation (RFC 4861 §4.3) to the solicited-node group.
    static func solicitation(
        for target: IPv6Address, from source: IPv6Address, at mac: MACAddress
    ) -> [UInt8] {
        let tail = Array(target.octets.suffix(3))
        let group = IPAddress(
            octets: [0xff, 2] + [UInt8](repeating: 0, count: 9) + [1, 0xff] + tail)
        let packet = icmpv6(
            [135, 0], [0, 0, 0, 0] + target.octets + [1, 1] + mac.octets, from: .v6(source),
            to: group ?? .v6(target), hopLimit: 255)
        return ethernet(
            packet, from: mac, to: MACAddress(octets: [0x33, 0x33, 0xff] + tail))
    }

    static func arpRequest(
        for target: IPv4Address, from source: IPv4Address, at mac: MACAddress
    ) -> [UInt8] {
        MACAddress.broadcast.octets + mac.octets + [0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]
            + mac.octets + source.octets + [0, 0, 0, 0, 0, 0] + target.octets
    }

    private static func icmpv6(
        _ type: [UInt8], _ body: [UInt8], from source: IPAddress, to destination: IPAddress,
        hopLimit: UInt8
    ) -> [UInt8] {
        let addresses = source.octets + destination.octets
        let length = UInt8(4 + body.count)
        // RFC 8200 §8.1.
        let pseudoHeader = addresses + [0, 0, 0, length, 0, 0, 0, 58]
        let sum = InternetChecksum(pseudoHeader + type + [0, 0] + body).value
        return [0x60, 0, 0, 0, 0, length, 58, hopLimit] + addresses + type
            + [UInt8(sum >> 8), UInt8(sum & 255)] + body
    }
}
