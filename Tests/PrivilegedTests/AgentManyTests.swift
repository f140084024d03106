import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import VRRP

/// As many virtual routers as an interface can have (a VRID is 1 to 255; RFC 9568 §5.2.3), in two
/// agents beside each other.
@Suite("vrrp-agent with 255 virtual routers", .enabled(if: geteuid() == 0, "needs root"))
struct AgentManyTests {
    private static let count = 255
    private static let interval = Duration.milliseconds(500)
    private static let backupPriority = 100
    /// Skew_Time of version 3 (RFC 9568 §6.1).
    private static let masterDown = interval * 3 + interval * (256 - backupPriority) / 256

    private func configuration(priority: Int) -> String {
        (1...Self.count).map { vrid in
            """
            vrrp_instance VI_\(vrid) {
                version 3
                interface eth0
                virtual_router_id \(vrid)
                priority \(priority)
                advert_int 0.5
                virtual_ipaddress {
                    10.0.100.\(vrid)
                }
            }
            """
        }.joined(separator: "\n")
    }

    @Test("all are advertised on time; when their master dies, all of them, and none too early")
    func takeover() throws {
        let stage = try Stage()
        let master = try AgentProcess(
            configuration(priority: 200), in: stage.first.namespace, test: "many-master")
        try waitUntil("one agent is master of all") {
            try stage.listen()
            return stage.adverts[0].count == Self.count
        }
        let backup = try AgentProcess(
            configuration(priority: Self.backupPriority), in: stage.second.namespace,
            test: "many-backup")
        try waitUntil("the other is backup of all") {
            try stage.listen()
            return entered("BACKUP", backup) == Self.count
        }

        // Some seconds of it, by the wire's own stamps.
        let begin = MonotonicClock.now
        let kept = (master: try waited(master.pid), backup: try waited(backup.pid))
        try waitUntil("there are seconds to look at") {
            try stage.listen()
            return (stage.adverts[0].values.compactMap(\.last).min() ?? .zero)
                > begin + Self.interval * 5
        }
        // What an agent was kept from a processor is not its.
        let late = try waited(master.pid) - kept.master
        expectTimely(stage.adverts[0], since: begin, late: late)
        if try waited(backup.pid) - kept.backup + late < Self.interval {
            #expect(stage.adverts[1].isEmpty, "nobody takes over from a master that is there")
        }

        master.signal(SIGKILL)
        try waitUntil("the other is master of all") {
            try stage.listen()
            return try (1...Self.count).allSatisfy { vrid in
                let vrid = UInt8(vrid)
                let last = try #require(stage.adverts[0][vrid]?.last)
                return stage.adverts[1][vrid]?.last ?? .zero > last
                    && stage.announced[1][vrid] ?? .zero > last
            }
        }
        for (vrid, times) in stage.adverts[1] {
            let last = try #require(stage.adverts[0][vrid]?.last)
            let silence = try #require(times.first { $0 > last }) - last
            // What the backup heard last was on the wire before; stamps are exact to some µs.
            #expect(
                silence >= Self.masterDown - .milliseconds(1),
                "VRID \(vrid): \(silence) after the master's last")
        }
        #expect(entered("MASTER", backup) == Self.count)
        let eth0 = try stage.second.device("eth0")
        #expect(
            try stage.second.socket.addresses(of: eth0).count { $0.address.prefixLength == 32 }
                == Self.count)
        #expect(try backup.end() == 0)
    }

    /// Each is advertised every interval, and never so late that a backup had to take over.
    ///
    /// - Parameter late: how long their agent was kept from a processor meanwhile.
    private func expectTimely(
        _ adverts: [UInt8: [MonotonicInstant]], since begin: MonotonicInstant, late: Duration
    ) {
        for (vrid, times) in adverts {
            let times = times.filter { $0 >= begin }
            let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
            let mean = (gaps.reduce(.zero, +)) / max(gaps.count, 1)
            #expect(
                mean >= Self.interval * 9 / 10 && mean <= Self.interval * 11 / 10 + late,
                "VRID \(vrid): every \(mean)")
            #expect(
                (gaps.max() ?? .zero) < Self.masterDown + late, "VRID \(vrid): after \(gaps)")
        }
    }

    /// How many instances have said that they enter that state.
    private func entered(_ state: String, _ agent: AgentProcess) -> Int {
        // `(VI_1) Entering BACKUP STATE (init)`
        Set(
            agent.log.split(separator: "\n").filter { $0.contains(" Entering \(state) STATE") }
                .map { $0.prefix { $0 != " " } }
        ).count
    }

    /// How long a process has waited for a processor (Documentation/scheduler/sched-stats.rst).
    private func waited(_ pid: Int32) throws -> Duration {
        let fields = try FileSystem.readText("/proc/\(pid)/schedstat").split(separator: " ")
        return .nanoseconds(try #require(Int64(fields[1])))
    }
}

/// Two nodes on a bridge, and who has said what on it.
private final class Stage {
    private let lan: TestNamespace
    let first: TestNamespace
    let second: TestNamespace
    private let capture: PacketCapture
    /// When a node has advertised, by VRID.
    private(set) var adverts: [[UInt8: [MonotonicInstant]]] = [[:], [:]]
    /// When a node has last announced a virtual router's address by gratuitous ARP, by VRID.
    private(set) var announced: [[UInt8: MonotonicInstant]] = [[:], [:]]
    private static let firstPort: Int32 = 101

    init() throws {
        lan = try TestNamespace()
        first = try TestNamespace()
        second = try TestNamespace()
        capture = try lan.namespace.run {
            try PacketCapture(filter: [FilterInstruction(0x06, 0, 0, .max)])
        }
        try lan.socket.perform(.add(Bridge(name: try name("lan"), index: 100)))
        try connect(first, 0)
        try connect(second, 1)
    }

    private func connect(_ node: borrowing TestNamespace, _ number: Int32) throws {
        try lan.socket.perform(
            .add(
                VethEnd(
                    name: try name("port\(number)"), index: Self.firstPort + number,
                    master: Device(index: 100)),
                peer: VethPeer(name: try name("eth0"), namespace: node.reference)))
        let eth0 = try node.device("eth0")
        try node.socket.perform(
            .set(eth0, .up), .add(address("10.0.0.\(number + 1)/16"), to: eth0))
        try node.namespace.run {
            try FileSystem.writeParameter("1", to: "/proc/sys/net/ipv6/conf/all/disable_ipv6")
        }
    }

    /// Takes in what has been said since the last time.
    func listen() throws {
        for frame in try capture.drain() {
            let node = Int(frame.interfaceIndex - Self.firstPort)
            guard adverts.indices.contains(node) else { continue }
            if let advert = ObservedAdvertisement(ethernetFrame: frame.bytes) {
                adverts[node][advert.vrid, default: []].append(frame.time)
            } else if let packet = ARPFrame(parsing: frame.bytes),
                packet.senderAddress == packet.targetAddress
            {
                announced[node][packet.senderAddress.octets[3]] = frame.time
            }
        }
    }
}
