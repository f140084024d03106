import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

/// The machine of the golden vectors (README.md of the fixtures): 10.10.10.1/24, fd00:10::1/64 and
/// fe80::ff:fe00:1 on eth0; and at the other end of its link a station without a network stack,
/// which says and hears frames and nothing else.
final class GoldenStage {
    let router: TestNamespace
    private let outside: TestNamespace
    private let capture: PacketCapture
    private let sender: FrameSender
    private let station: Int32

    static let routerAddress = IPv4Address(10, 10, 10, 1)
    static let mac = MACAddress(rawValue: 0x0200_0000_0001)
    static let group = MACAddress(rawValue: 0x0100_5e00_0012)
    static let group6 = MACAddress(rawValue: 0x3333_0000_0012)

    /// - Parameter stationMAC: of the far end; any, if nil.
    init(stationMAC: MACAddress? = nil) throws {
        router = try TestNamespace()
        outside = try TestNamespace()
        try Self.set("accept_dad", "0", in: router)
        try Self.set("disable_ipv6", "1", in: outside)
        try router.socket.perform(
            .add(
                VethEnd(name: try name("eth0"), address: Self.mac),
                peer: VethPeer(
                    name: try name("watch"), address: stationMAC, namespace: outside.reference)))
        (capture, sender) = try outside.namespace.run {
            (
                try PacketCapture(filter: [FilterInstruction(0x06, 0, 0, .max)]),
                try FrameSender()
            )
        }
        let watch = try outside.device("watch")
        station = watch.index
        try outside.socket.perform(.set(watch, .up))
        let eth0 = try router.device("eth0")
        try router.socket.perform(
            .set(eth0, .up), .add(address("10.10.10.1/24"), to: eth0),
            .add(address("fd00:10::1/64"), to: eth0))
        // The link-local address comes with the carrier.
        try waitUntil("eth0 has a link-local address") {
            try router.socket.addresses().contains { $0.scope == .link }
        }
    }

    private static func set(
        _ parameter: String, _ value: String, in namespace: borrowing TestNamespace
    ) throws {
        try namespace.namespace.run {
            for name in ["all", "default"] {
                try FileSystem.writeParameter(
                    value, to: "/proc/sys/net/ipv6/conf/\(name)/\(parameter)")
            }
        }
    }

    /// Makes stations known that are not there to be asked.
    func introduce(_ addresses: [String], at mac: MACAddress) throws {
        try router.namespace.run {
            for address in addresses {
                let command = "ip neigh replace \(address) lladdr \(mac) dev eth0 nud permanent"
                try #require(system(command) == 0, "\(command)")
            }
        }
    }

    /// What has arrived at the far end since the last call.
    func received() throws -> [PacketCapture.Frame] { try capture.drain() }

    /// Sends a frame from the far end.
    func send(_ frame: [UInt8]) throws { try sender.send(frame, by: station) }
}
