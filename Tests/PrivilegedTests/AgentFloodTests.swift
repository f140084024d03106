import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import VRRP

/// The running agent under what no router would send, as fast as a machine can send it; and with
/// more of everything than any network has.
@Suite("vrrp-agent under a load", .enabled(if: geteuid() == 0, "needs root"))
struct AgentFloodTests {
    private static let interval = Duration.milliseconds(100)

    private func configuration(_ addresses: String, excluded: String = "") -> String {
        """
        vrrp_instance VI_1 {
            version 3
            interface eth0
            virtual_router_id 51
            priority 100
            advert_int 0.1
            virtual_ipaddress {
                \(addresses)
            }
            \(excluded.isEmpty ? "" : "virtual_ipaddress_excluded {\n\(excluded)\n}")
        }
        """
    }

    /// Packets that a master has to discard, each wrong in one way, or none of its business.
    private func hostile(from source: IPv4Address) throws -> [[UInt8]] {
        func packet(
            version: Int = 3, vrid: UInt8 = 51, addresses: Int = 1, timeToLive: UInt8 = 255,
            _ authentication: Advertisement.Authentication = .none,
            _ change: (inout [UInt8]) -> Void = { _ in }
        ) throws -> [UInt8] {
            let said = Advertisement(
                version: version, vrid: vrid, priority: 255,
                interval: version == 2 ? .seconds(1) : .milliseconds(10),
                addresses: (0..<addresses).map {
                    .v4(IPv4Address(10, 0, UInt8($0 / 250), UInt8(100 + $0 % 150)))
                }, authentication: authentication)
            var packet = try said.ipv4Packet(
                from: source, identification: 1, timeToLive: timeToLive)
            change(&packet)
            return packet
        }
        let password = AuthenticationPassword(truncating: Array("password".utf8))
        return [
            try packet { $0[26] ^= 0xff },  // The checksum.
            try packet { $0.removeLast(4) },  // Shorter than it says it is; dropped by the kernel.
            try packet { $0[23] = 2 },  // An address too few.
            try packet(timeToLive: 254),
            try packet(version: 2),
            try packet(version: 2, .password(password)),
            try packet(version: 2, .header(password)),
            try packet { $0[20] = 0x41 },  // Version 4.
            try packet { $0[20] = 0x32 },  // Type 2.
            try packet(vrid: 52),
            try packet(addresses: 0),
            try packet(addresses: 255),
            try packet { $0[6] = 0x20 },  // A fragment of which no other ever comes.
        ].map { packet in
            // The header's checksum is right, or the kernel would let nothing through.
            var packet = packet
            packet.replaceSubrange(10..<12, with: [0, 0])
            let sum = InternetChecksum(packet.prefix(20)).value
            packet.replaceSubrange(10..<12, with: [UInt8(sum >> 8), UInt8(sum & 255)])
            return packet
        }
    }

    /// The time a process has had a CPU, and the time it has waited for one (proc(5) does not say
    /// so: Documentation/scheduler/sched-stats.rst).
    private func schedule(of pid: Int32) throws -> (used: Duration, waited: Duration) {
        let fields = try FileSystem.readText("/proc/\(pid)/schedstat").split(separator: " ")
        let used = try #require(Int64(fields[0]))
        let waited = try #require(Int64(fields[1]))
        return (.nanoseconds(used), .nanoseconds(waited))
    }

    /// The longest time between two advertisements from one moment on.
    private func longestGap(
        _ station: AgentStation, since begin: MonotonicInstant
    ) throws -> (count: Int, longest: Duration) {
        let times = try station.advertisements().map(\.time).filter { $0 >= begin }
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        return (times.count, gaps.max() ?? .zero)
    }

    @Test("a flood of all kinds of false ones: a master stays, on time, and counts them")
    func flood() throws {
        let stage = try AgentStage()
        let agent = try AgentProcess(
            configuration("10.0.0.100"), in: stage.router.namespace, test: "load")
        try agent.awaitLine("(VI_1) Entering MASTER STATE")
        _ = try stage.lan.awaitAdvertisement()
        let packets = try hostile(from: stage.lan.address)
        let group = MACAddress(rawValue: 0x0100_5e00_0012)
        let memory = try agent.residentKilobytes()
        let before = try schedule(of: agent.pid)
        let begin = MonotonicClock.now
        // 100 000 a second, or what the machine can do.
        for round in 0..<1000 {
            for number in 0..<100 {
                try stage.lan.send(packets[(round * 100 + number) % packets.count], to: group)
            }
            while MonotonicClock.now < begin + .milliseconds(round) { usleep(100) }
        }
        let flooded = MonotonicClock.now - begin
        // What waits in the socket is taken, and it goes on.
        let heard = try longestGap(stage.lan, since: begin).count
        try waitUntil("the agent advertises on") {
            try longestGap(stage.lan, since: begin).count > heard + 3
        }
        let after = try schedule(of: agent.pid)
        let gap = try longestGap(stage.lan, since: begin).longest
        // A backup beside it would wait for three; what the agent was kept from a CPU is not its.
        let waited = after.waited - before.waited
        #expect(gap < Self.interval * 3 + waited, "\(gap), waited for a CPU \(waited)")
        let perDatagram = (after.used - before.used) / 100_000
        #expect(perDatagram < .microseconds(60), "\(perDatagram) of CPU a datagram in \(flooded)")
        #expect(try agent.residentKilobytes() - memory < 2048)
        #expect(agent.log.split(separator: "\n").count { $0.contains("Entering") } == 2)
        let counters = try counters(of: agent)
        for name in ["Length", "TTL", "Invalid Type", "Address List"] {
            #expect(counters[name] ?? 0 > 0, "\(name) of \(counters)")
        }
        #expect(counters["Became master"] == 1 && counters["Released master"] == 0)
        #expect(try agent.end() == 0)
    }

    /// What it has counted, by the counters' names; those of one name added up.
    private func counters(of agent: AgentProcess) throws -> [String: Int] {
        agent.signal(SIGUSR2)
        let path = "\(agent.folder)/keepalived.stats"
        try waitUntil("it has written its statistics") {
            ((try? FileSystem.readText(path)) ?? "").split(separator: "\n").count >= 19
        }
        var counters: [String: Int] = [:]
        for line in try FileSystem.readText(path).split(separator: "\n") {
            let parts = line.split(separator: ":")
            guard parts.count == 2, let number = Int(parts[1].drop { $0 == " " }) else { continue }
            counters[String(parts[0].drop { $0 == " " }), default: 0] += number
        }
        return counters
    }

    @Test("1000 addresses on one virtual router: all come, one advertisement, all go")
    func addresses() throws {
        let stage = try AgentStage()
        // An advertisement has room for 255 (RFC 9568 §5.2.5).
        let excluded = (0..<980).map { "10.1.\($0 / 250).\($0 % 250 + 1)" }
        let said = (0..<20).map { "10.0.0.\(100 + $0)" }
        let agent = try AgentProcess(
            configuration(
                said.joined(separator: "\n"), excluded: excluded.joined(separator: "\n")),
            in: stage.router.namespace, test: "addresses")
        func count() throws -> Int {
            guard let link = try stage.router.socket.link(named: try name("eth0")) else { return 0 }
            return try stage.router.socket.addresses(of: link.device).count {
                $0.address.prefixLength == 32
            }
        }
        try agent.awaitLine("(VI_1) Entering MASTER STATE")
        try waitUntil("they are there") { try count() == 1000 }
        let heard = try stage.lan.awaitAdvertisement { $0.vrid == 51 }
        #expect(heard.addresses.count == 20)
        // Announcing them all keeps it from no advertisement.
        let begin = MonotonicClock.now
        let before = try schedule(of: agent.pid)
        try waitUntil("it has advertised for two seconds") {
            _ = try stage.lan.received()
            return MonotonicClock.now > begin + .seconds(2)
        }
        let waited = try schedule(of: agent.pid).waited - before.waited
        let gap = try longestGap(stage.lan, since: begin).longest
        #expect(gap < Self.interval * 3 + waited, "\(gap), waited for a CPU \(waited)")
        // A better one: all of them go.
        try stage.lan.advertise(
            Advertisement(
                version: 3, vrid: 51, priority: 255, interval: .seconds(10),
                addresses: heard.addresses))
        try agent.awaitLine("(VI_1) Entering BACKUP STATE")
        try waitUntil("they are gone") { try count() == 0 }
        #expect(try agent.end() == 0)
    }
}
