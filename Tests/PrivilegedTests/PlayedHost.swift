import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

/// Whether this kernel's packet filter can do what labs need to get out.
let hasNAT: Bool = {
    guard geteuid() == 0 else { return false }
    let run = try? Labctl.tool(
        "/usr/bin/unshare", "--net", "/usr/sbin/nft",
        "add table ip t; add chain ip t c { type nat hook postrouting priority 100; }; "
            + "add rule ip t c ct state new masquerade")
    return run?.status == 0
}()

/// Two network namespaces: one that plays the host of labs, and one that plays the world, with a
/// cable between them, `eth0` at both ends. The machine's own network is left alone.
final class PlayedHost {
    let host: TestNamespace
    let world: TestNamespace

    init() throws {
        let host = try TestNamespace()
        let world = try TestNamespace()
        try host.socket.perform([
            try .set(.loopback, .up),
            try .add(
                VethEnd(name: try name("eth0")),
                peer: VethPeer(name: try name("eth0"), namespace: world.reference)),
        ])
        let (near, far) = (try host.device("eth0"), try world.device("eth0"))
        try world.socket.perform([
            try .set(.loopback, .up), try .add(address("192.0.2.2/24"), to: far),
            try .set(far, .up),
            // Whoever wants to get into a lab would be sent to the host.
            try .add(
                Netlink.Route(
                    to: try #require(IPPrefix("10.0.0.0/8")),
                    via: IPAddress("192.0.2.1"))),
        ])
        try host.socket.perform([
            try .add(address("192.0.2.1/24"), to: near),
            try .add(
                Netlink.Route(
                    to: try #require(IPPrefix("0.0.0.0/0")),
                    via: IPAddress("192.0.2.2"))),
        ])
        self.host = host
        self.world = world
        try forward(false)
    }

    /// Whether this host forwards packets.
    var forwards: Bool {
        get throws { try host.namespace.run { try FileSystem.readText(Self.parameter) == "1\n" } }
    }

    func forward(_ isOn: Bool) throws {
        try host.namespace.run {
            try FileSystem.writeParameter(isOn ? "1" : "0", to: Self.parameter)
        }
    }

    private static let parameter = "/proc/sys/net/ipv4/ip_forward"

    /// Runs `labctl` on this host.
    func labctl(_ arguments: String...) throws -> LabctlRun {
        try host.namespace.run { try Labctl.start(arguments) }.finish()
    }

    /// Runs a command somewhere out there.
    func inWorld(_ path: String, _ arguments: String...) throws -> LabctlRun {
        try world.namespace.run {
            try RunningProgram(path, arguments, folder: "/", input: "", environment: [])
        }.finish()
    }

    /// The devices and tables of the packet filter that are on this host, but for its own.
    var leftOvers: [String] {
        get throws {
            let devices = try host.socket.links().map(\.name)
            let tables = try host.namespace.run {
                try RunningProgram(
                    "/usr/sbin/nft", ["list", "tables"], folder: "/", input: "", environment: [])
            }.finish().output.split(separator: "\n").map(String.init)
            return devices.filter { !["lo", "eth0"].contains($0) } + tables
        }
    }
}
