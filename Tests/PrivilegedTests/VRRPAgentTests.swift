import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import VRRP

/// The program vrrp-agent at one end of a link, the test as its peer at the other.
@Suite("The program vrrp-agent", .enabled(if: geteuid() == 0, "needs root"))
struct VRRPAgentTests {
    private static let vip = IPv4Address(10, 10, 10, 10)

    /// The agent, running in a link's near end; ended with this value.
    private final class Agent {
        let link: TestLink
        let receiver: RawIPv4Socket
        let sender: RawIPv4Socket
        let folder: String
        let pid: Int32
        private var hasEnded = false

        init(_ settings: String, test: String) throws {
            let link = try TestLink()
            let device = try link.there.device("eth0").index
            receiver = try link.there.namespace.run {
                try RawIPv4Socket.receiving(
                    Advertisement.ipProtocol, from: device, group: Advertisement.group)
            }
            sender = try link.there.namespace.run {
                try RawIPv4Socket.sending(Advertisement.ipProtocol, by: device)
            }
            let folder = "/tmp/vrrp-agent-\(getpid())-\(test)"
            self.folder = folder
            try FileSystem.removeTree(folder)
            try FileSystem.makeFolders(folder)
            let text = """
                vrrp_instance VI_1 {
                    interface eth0
                    virtual_router_id 51
                    virtual_ipaddress {
                        10.10.10.10
                    }
                    \(settings)
                }

                """
            try FileSystem.write(Array(text.utf8), to: "\(folder)/keepalived.conf")
            let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
            let build = bundle.prefix(upTo: try #require(bundle.lastIndex(of: "/")))
            let log = OwnedDescriptor(
                try systemCall("make a log") { creat("\(folder)/log", 0o644) })
            let input = try OwnedDescriptor.null()
            let program = Program(
                path: "\(build)/vrrp-agent",
                arguments: [
                    "vrrp-agent", "-nD", "-f", "\(folder)/keepalived.conf", "-p",
                    "\(folder)/pid", "-r", "\(folder)/vrrp.pid",
                ], environment: [],
                descriptors: [input.rawValue, log.rawValue, log.rawValue])
            pid = try link.here.namespace.run { try program.start().pid }
            self.link = link
        }

        deinit {
            if !hasEnded {
                kill(pid, SIGKILL)
                waitpid(pid, nil, 0)
            }
            try? FileSystem.removeTree(folder)
        }

        /// The next advertisement, and when it was read.
        func advertisement() throws -> (Advertisement, MonotonicInstant) {
            let packet = try #require(try packet(from: receiver), "\(log)")
            let now = MonotonicClock.now
            return (try ReceivedAdvertisement(parsing: packet).wellFormed(), now)
        }

        /// Sends an advertisement as the peer.
        func advertise(_ priority: UInt8) throws {
            let packet = try Advertisement(
                vrid: 51, priority: priority, addresses: [.v4(vip)]
            ).ipv4Packet(from: IPv4Address(10, 10, 10, 2), identification: 1)
            try sender.send(packet, to: Advertisement.group)
        }

        func hasAddress() throws -> Bool {
            try link.here.socket.addresses(of: link.here.device("eth0")).contains {
                $0.address.address == .v4(vip)
            }
        }

        /// Its exit status as waitpid(2) gives it, awaited.
        func end() throws -> Int32 {
            var status: Int32 = 0
            try systemCall("wait for vrrp-agent") { waitpid(pid, &status, 0) }
            hasEnded = true
            return status
        }

        /// Waits until the log has that line, for 30 s at most.
        func awaitLine(_ line: String) throws {
            let deadline = MonotonicClock.now + .seconds(30)
            while !log.contains(line) {
                try #require(MonotonicClock.now < deadline, "\(log)")
                usleep(2000)
            }
        }

        var log: String { (try? FileSystem.readText("\(folder)/log")) ?? "" }
    }

    // RFC-CHECKLIST: 42, 51, 59
    @Test("becomes master after 3 intervals and the skew, advertises, and resigns on SIGTERM")
    func lifeOfAMaster() throws {
        let agent = try Agent("priority 254", test: "life")
        try agent.awaitLine("Startup complete")
        let started = MonotonicClock.now
        let (first, firstTime) = try agent.advertisement()
        #expect(first.priority == 254)
        #expect(first.addresses == [.v4(Self.vip)])
        let masterDown = Duration.seconds(3) + .seconds(1) * 2 / 256
        #expect(firstTime - started < masterDown + .seconds(1))
        let (second, secondTime) = try agent.advertisement()
        #expect(second == first)
        #expect(secondTime - firstTime > .milliseconds(500))
        #expect(try agent.hasAddress())

        kill(agent.pid, SIGTERM)
        var last = try agent.advertisement().0
        while last.priority != 0 { last = try agent.advertisement().0 }
        #expect(try agent.end() == 0)
        #expect(try !agent.hasAddress())
        #expect(agent.log.contains("(VI_1) sent 0 priority\n(VI_1) removing VIPs.\n"))
        #expect(!FileSystem.exists("\(agent.folder)/pid"))
    }

    // RFC-CHECKLIST: 52, 62
    @Test("takes over after the skew when the master resigns, and yields to a better one")
    func takeover() throws {
        let agent = try Agent("priority 100", test: "takeover")
        try agent.awaitLine("Startup complete")
        try agent.advertise(150)
        let resigned = MonotonicClock.now
        try agent.advertise(0)
        let (first, time) = try agent.advertisement()
        #expect(first.priority == 100)
        let skew = Duration.seconds(1) * 156 / 256
        #expect(time - resigned >= skew)
        #expect(time - resigned < skew + .seconds(1))
        try agent.awaitLine("Sending gratuitous ARP on eth0 for 10.10.10.10")
        #expect(try agent.hasAddress())

        try agent.advertise(150)
        try agent.awaitLine(
            "(VI_1) Master received advert from 10.10.10.2 with higher priority 150, ours 100\n"
                + "(VI_1) Entering BACKUP STATE\n(VI_1) removing VIPs.")
        let deadline = MonotonicClock.now + .seconds(30)
        while try agent.hasAddress() {
            try #require(MonotonicClock.now < deadline)
            usleep(2000)
        }
    }

    @Test("stops announcing the addresses as soon as a better router has spoken")
    func announcementCutShort() throws {
        // Long enough for the answer to its first advertisement to arrive in the middle.
        let rounds = 50_000
        let agent = try Agent(
            "priority 254\ngarp_master_repeat \(rounds)", test: "cut-short")
        _ = try agent.advertisement()
        try agent.advertise(255)
        try agent.awaitLine(
            "(VI_1) Master received advert from 10.10.10.2 with higher priority 255, ours 254\n"
                + "(VI_1) Entering BACKUP STATE\n(VI_1) removing VIPs.")
        let announcements = agent.log.split(separator: "\n").count {
            $0 == "Sending gratuitous ARP on eth0 for 10.10.10.10"
        }
        #expect(announcements < rounds)
    }

    @Test("an address that somebody removes is put back; a link that goes is a FAULT")
    func interference() throws {
        let agent = try Agent("priority 254", test: "interference")
        _ = try agent.advertisement()
        try agent.awaitLine("Sending gratuitous ARP on eth0 for 10.10.10.10")
        let device = try agent.link.here.device("eth0")
        try agent.link.here.socket.perform(
            .remove(InterfaceAddress(.v4(Self.vip), prefixLength: 32), from: device))
        try agent.awaitLine(
            "Netlink reflector reports IP 10.10.10.10 removed from eth0\n"
                + "(VI_1) a VIP was removed by hand - putting it back\n")
        #expect(try agent.advertisement().0.priority == 254)
        #expect(try agent.hasAddress())

        try agent.link.here.socket.perform(.set(device, .down))
        try agent.awaitLine("Netlink reports eth0 down\n(VI_1) Entering FAULT STATE\n")
        try agent.link.here.socket.perform(.set(device, .up))
        try agent.awaitLine("Netlink reports eth0 up\n(VI_1) Entering BACKUP STATE\n")
    }
}
