import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import VRRP

/// What a router with virtual MACs does with frames, first as backup and then as master.
///
/// Two virtual routers a family: one that does not accept packets to its addresses, one that does.
private struct VirtualMACLife: Sendable {
    /// A frame that the station on the LAN sends.
    enum Probe: CaseIterable {
        /// Who has the address? By ARP, and by neighbour discovery.
        case arp, solicitation
        /// An echo request to the address that is not accepted, to its virtual MAC.
        case echo, echo6
        /// The same to the interface's own MAC.
        case strayEcho, strayEcho6
        /// An echo request to the address that is accepted, to its virtual MAC.
        case acceptedEcho, acceptedEcho6
        /// One to a station behind the router, to the virtual MAC.
        case transit, transit6
    }

    /// The frames that came of a probe, without advertisements.
    struct Outcome {
        var onLAN: [[UInt8]] = []
        var onWAN: [[UInt8]] = []
        var isSilent: Bool { onLAN.isEmpty && onWAN.isEmpty }
    }

    var asBackup: [Probe: Outcome] = [:]
    var asMaster: [Probe: Outcome] = [:]
    /// All that the station on the LAN heard.
    var heard: [[UInt8]] = []
    /// The router's IPv6 addresses while it was master.
    var addresses = ""
    var log = ""

    static let vip = IPv4Address(10, 0, 0, 100)
    static let acceptedVIP = IPv4Address(10, 0, 0, 101)
    static let prefix: UInt64 = 0x2001_0db8_0000_0000
    static let vip6 = IPv6Address(high: prefix, low: 0x100)
    static let fence = IPv6Address(high: prefix, low: 0x77)
    static let acceptedVIP6 = IPv6Address(high: prefix, low: 0x101)
    static func mac(_ vrid: UInt64) -> MACAddress { MACAddress(rawValue: 0x5e00_0100 + vrid) }
    static func mac6(_ vrid: UInt64) -> MACAddress { MACAddress(rawValue: 0x5e00_0200 + vrid) }

    private static let configuration = """
        global_defs {
            vrrp_version 3
            log_unknown_vrids
        }
        vrrp_instance V4 {
            interface eth0
            virtual_router_id 51
            use_vmac
            no_accept
            virtual_ipaddress {
                10.0.0.100
            }
        }
        vrrp_instance V6 {
            interface eth0
            virtual_router_id 52
            use_vmac
            no_accept
            virtual_ipaddress {
                fe80::52
                2001:db8::100
            }
        }
        vrrp_instance A4 {
            interface eth0
            virtual_router_id 53
            use_vmac
            virtual_ipaddress {
                10.0.0.101
            }
        }
        vrrp_instance A6 {
            interface eth0
            virtual_router_id 54
            use_vmac
            virtual_ipaddress {
                fe80::54
                2001:db8::101
            }
        }
        """

    static let recorded = Result { try VirtualMACLife() }

    private init() throws {
        let stage = try AgentStage()
        // Frames to groups reach macvlans later than others reach their base: what comes after them
        // all must go to a macvlan too.
        try stage.run(
            "ip link add fence link eth0 type macvlan mode private"
                + " && sysctl -qw net.ipv4.conf.fence.arp_ignore=1"
                + " && ip link set fence addrgenmode none up"
                + " && ip addr add \(Self.fence)/128 dev fence nodad")
        let agent = try AgentProcess(
            Self.configuration, in: stage.router.namespace, test: "virtual-mac")
        try agent.awaitLine("Startup complete")
        var sequence: UInt16 = 0
        func probeAll(_ before: () throws -> Void) throws -> [Probe: Outcome] {
            var outcomes: [Probe: Outcome] = [:]
            for probe in Probe.allCases {
                try before()
                outcomes[probe] = try Self.outcome(of: probe, in: stage, &sequence)
            }
            return outcomes
        }
        asBackup = try probeAll { try Self.advertise(200, by: stage.lan) }
        let foreign = Advertisement(
            version: 3, vrid: 99, priority: 255, addresses: [.v4(Self.vip)])
        try stage.lan.advertise(foreign)
        try Self.awaitForeign(2, agent)
        try #require(!agent.log.contains("Entering MASTER STATE"), "\(agent.log)")
        try Self.advertise(0, by: stage.lan)
        for vrid in [51, 52, 53, 54] as [UInt8] {
            _ = try stage.lan.awaitAdvertisement("\(vrid)") { $0.vrid == vrid }
        }
        try waitUntil("every address is there") {
            try stage.has("10.0.0.100", on: "vrrp.51") && stage.has("10.0.0.101", on: "vrrp.53")
                && stage.has("2001:db8::100", on: "vrrp.52")
                && stage.has("2001:db8::101", on: "vrrp.54")
        }
        asMaster = try probeAll {}
        try stage.lan.advertise(foreign)
        addresses = try stage.run("ip -6 addr show")
        // The next one of each: it goes on undisturbed.
        for vrid in [51, 52, 53, 54] as [UInt8] {
            _ = try stage.lan.awaitAdvertisement("\(vrid)") { $0.vrid == vrid }
        }
        try Self.awaitForeign(4, agent)
        log = agent.log
        heard = stage.lan.heard.map(\.bytes)
    }

    /// Waits until the agent has heard of the foreign router so often: each macvlan of
    /// IPv4 has a socket.
    private static func awaitForeign(_ count: Int, _ agent: AgentProcess) throws {
        try waitUntil("VRID 99 is heard of") {
            agent.log.split(separator: "\n").count { $0.contains("Unknown VRID(99)") } >= count
        }
    }

    /// As the other router of all four virtual ones.
    private static func advertise(_ priority: UInt8, by station: AgentStation) throws {
        let lists: [(UInt8, [IPAddress])] = [
            (51, [.v4(vip)]), (53, [.v4(acceptedVIP)]),
            (52, [.v6(IPv6Address(high: 0xfe80 << 48, low: 0x52)), .v6(vip6)]),
            (54, [.v6(IPv6Address(high: 0xfe80 << 48, low: 0x54)), .v6(acceptedVIP6)]),
        ]
        for (vrid, addresses) in lists {
            try station.advertise(
                Advertisement(version: 3, vrid: vrid, priority: priority, addresses: addresses))
        }
    }

    /// Sends a probe and says what came of it.
    private static func outcome(
        of probe: Probe, in stage: AgentStage, _ sequence: inout UInt16
    ) throws -> Outcome {
        let (lan, wan) = (stage.lan, stage.wan)
        _ = try lan.received()
        _ = try wan.received()
        sequence += 2
        let number = sequence
        func echo(_ target: IPAddress, to mac: MACAddress) throws {
            let source: IPAddress = target.family == .v4 ? .v4(lan.address) : .v6(lan.address6)
            try lan.send(StationFrame.echo(number, from: source, to: target), to: mac)
        }
        switch probe {
        case .arp:
            try lan.send(StationFrame.arpRequest(for: vip, from: lan.address, at: lan.mac))
        case .solicitation:
            try lan.send(StationFrame.solicitation(for: vip6, from: lan.address6, at: lan.mac))
        case .echo: try echo(.v4(vip), to: mac(51))
        case .echo6: try echo(.v6(vip6), to: mac6(52))
        case .strayEcho: try echo(.v4(vip), to: AgentStage.mac)
        case .strayEcho6: try echo(.v6(vip6), to: AgentStage.mac)
        case .acceptedEcho: try echo(.v4(acceptedVIP), to: mac(53))
        case .acceptedEcho6: try echo(.v6(acceptedVIP6), to: mac6(54))
        case .transit: try echo(.v4(wan.address), to: mac(51))
        case .transit6: try echo(.v6(wan.address6), to: mac6(52))
        }
        // The answers to these come after all that came of the probe.
        var outcome = Outcome()
        let own = IPAddress.v4(IPv4Address(10, 0, 0, 1))
        let fences: [([UInt8], ([UInt8]) -> Bool)] = [
            (
                StationFrame.solicitation(for: Self.fence, from: lan.address6, at: lan.mac),
                { $0.count >= 78 && $0[54] == 136 && IPAddress(octets: $0[62..<78]) == .v6(fence) }
            ),
            (
                StationFrame.ethernet(
                    StationFrame.echo(number + 1, from: .v4(lan.address), to: own), from: lan.mac,
                    to: AgentStage.mac),
                { isEcho($0, number + 1) }
            ),
        ]
        for (frame, isAnswer) in fences {
            try lan.send(frame)
            try waitUntil("the router answers") {
                let frames = try lan.received().map(\.bytes)
                outcome.onLAN += frames.filter { !isOwnAffair($0) && !isAnswer($0) }
                return frames.contains(where: isAnswer)
            }
        }
        outcome.onWAN = try wan.received().map(\.bytes).filter { !isOwnAffair($0) }
        return outcome
    }

    private static func isEcho(_ frame: [UInt8], _ sequence: UInt16) -> Bool {
        frame.suffix(2) == [UInt8(sequence >> 8), UInt8(sequence & 255)]
            && frame.dropLast(2).suffix(2) == [0x1a, 0xb0]
    }

    /// Whether a frame is what a router says unasked: an advertisement, or to a group.
    private static func isOwnAffair(_ frame: [UInt8]) -> Bool {
        ObservedAdvertisement(ethernetFrame: frame) != nil || frame[0] & 1 == 1
    }
}

@Suite("A router with virtual MACs", .enabled(if: geteuid() == 0, "needs root"))
struct VirtualMACTests {
    private func life() throws -> VirtualMACLife { try VirtualMACLife.recorded.get() }

    private func source(_ frame: [UInt8]) -> MACAddress { MACAddress(octets: frame[6..<12]) }

    // RFC-CHECKLIST: 4, 5, 6, 22
    @Test("§7.3: advertisements come from the virtual MAC, over IPv6 from the link-local address")
    func advertisements() throws {
        let frames = try life().heard
        for (vrid, mac) in [
            (51, VirtualMACLife.mac(51)), (52, VirtualMACLife.mac6(52)),
            (53, VirtualMACLife.mac(53)), (54, VirtualMACLife.mac6(54)),
        ] {
            let sources = frames.filter {
                ObservedAdvertisement(ethernetFrame: $0).map { Int($0.vrid) == vrid } ?? false
            }.map(source)
            #expect(sources.count >= 2)
            #expect(Set(sources) == [mac])
        }
        let own = try #require(IPAddress("fe80::ff:fe00:1"))
        for frame in frames {
            guard let advertisement = ObservedAdvertisement(ethernetFrame: frame),
                advertisement.addresses.first?.family == .v6
            else { continue }
            #expect(IPAddress(octets: frame[22..<38]) == own)
            #expect(IPAddress(octets: frame[38..<54]) == .v6(Advertisement.group6))
            #expect(frame[20] == 112)
            #expect(frame[21] == 255)
        }
    }

    // RFC-CHECKLIST: 27
    @Test("§7.1: what is said of a VRID that is not configured is logged and ignored")
    func foreign() throws {
        let log = try life().log
        // By both macvlans of IPv4, as backup and as master.
        #expect(log.split(separator: "\n").count { $0.contains("Unknown VRID(99)") } == 4)
        #expect(log.split(separator: "\n").count { $0.contains("Entering MASTER STATE") } == 4)
        let masters = try #require(log.split(separator: "Entering MASTER STATE").last)
        #expect(!masters.contains("BACKUP"))
    }

    // RFC-CHECKLIST: 48, 49, 50
    @Test("§6.4.2: a backup answers nobody who asks for its addresses, and takes no frame for them")
    func backup() throws {
        let outcomes = try life().asBackup
        for probe in [
            VirtualMACLife.Probe.arp, .solicitation, .echo, .echo6, .acceptedEcho, .acceptedEcho6,
            .transit, .transit6,
        ] {
            let outcome = try #require(outcomes[probe])
            #expect(outcome.isSilent, "\(probe): \(outcome)")
        }
    }

    // RFC-CHECKLIST: 56, 65
    @Test("§6.4.3, §8.1.2: a master answers ARP once, with the virtual MAC")
    func arp() throws {
        let answers = try #require(life().asMaster[.arp]).onLAN
        let reply = try #require(answers.first.flatMap { ARPFrame(parsing: $0) })
        #expect(answers.count == 1)
        #expect(reply.operation == .reply)
        #expect(reply.senderAddress == VirtualMACLife.vip)
        #expect(reply.senderMAC == VirtualMACLife.mac(51))
        #expect(reply.ethernetSource == VirtualMACLife.mac(51))
    }

    // RFC-CHECKLIST: 45, 56
    @Test("§6.1, §6.4.3: neighbours are answered without Accept_Mode, by a router, from its MAC")
    func neighbours() throws {
        let answers = try #require(life().asMaster[.solicitation]).onLAN
        let frame = try #require(answers.first)
        #expect(answers.count == 1)
        #expect(source(frame) == VirtualMACLife.mac6(52))
        // RFC 4861 §4.4: type 136, flags R, S and O, the target and its link-layer address.
        #expect(frame[54] == 136)
        #expect(frame[58] & 0xc0 == 0xc0)
        #expect(IPAddress(octets: frame[62..<78]) == .v6(VirtualMACLife.vip6))
        #expect(Array(frame[78..<80]) == [2, 1])
        #expect(MACAddress(octets: frame[80..<86]) == VirtualMACLife.mac6(52))
    }

    // RFC-CHECKLIST: 57
    @Test("§6.4.3: a master forwards what is sent to the virtual MAC, once")
    func forwarding() throws {
        for probe in [VirtualMACLife.Probe.transit, .transit6] {
            let outcome = try #require(life().asMaster[probe])
            #expect(outcome.onWAN.count == 1, "\(probe): \(outcome)")
            #expect(outcome.onWAN.first.map(source) == MACAddress(rawValue: 0x0200_0000_0002))
        }
    }

    // RFC-CHECKLIST: 44, 58, 70
    @Test("§6.4.3, §8.3.1: packets to an address are answered in Accept_Mode, or else go nowhere")
    func acceptance() throws {
        let outcomes = try life().asMaster
        for probe in [VirtualMACLife.Probe.echo, .echo6, .strayEcho, .strayEcho6] {
            let outcome = try #require(outcomes[probe])
            #expect(outcome.isSilent, "\(probe): \(outcome)")
        }
        for probe in [VirtualMACLife.Probe.acceptedEcho, .acceptedEcho6] {
            let outcome = try #require(outcomes[probe])
            #expect(outcome.onLAN.count == 1, "\(probe): \(outcome)")
            #expect(outcome.onWAN.isEmpty)
        }
    }

    // RFC-CHECKLIST: 66, 68
    @Test("§7.4, §8.2.2: no address is made of a virtual MAC, and none is looked for on the link")
    func duplicates() throws {
        let life = try life()
        // Modified EUI-64 of 00-00-5e-00-02-VRID.
        #expect(!life.addresses.contains("200:5eff:fe00:2"))
        for vip in [VirtualMACLife.vip6, VirtualMACLife.acceptedVIP6] {
            #expect(life.addresses.contains("\(vip)/128 scope global nodad"), "\(life.addresses)")
        }
        for frame in life.heard where frame.count >= 78 && frame[12...13] == [0x86, 0xdd] {
            // A solicitation from the unspecified address asks for duplicates (RFC 4862 §5.4.2).
            let isSearch = frame[54] == 135 && frame[22..<38].allSatisfy { $0 == 0 }
            #expect(!isSearch, "\(frame)")
        }
    }
}
