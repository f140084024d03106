import LinuxSystem
import NetworkTypes
import Testing
import VRRP

// What is sent to a running daemon that no router would send, or not to this one: the recorded
// frames of the VRRP module's fixtures, and more of that kind, made from them.

/// A crafted advertisement, and what receives it.
struct CraftedFrame: Sendable {
    /// What the receiver is configured with.
    enum Suite: String, Sendable {
        case plain = "v2-noauth"
        case password = "v2-pass"
        case header = "v2-ah"
        case version3 = "v3"
        case ipv6 = "v3-ipv6"
        case unicast = "v3-unicast"
        case unicastChecked = "v3-unicast-checked"
    }

    /// What was recorded of keepalived 2.2.7.
    struct Record: Sendable {
        var isAccepted: Bool
        /// Its line about the frame, if any.
        var line: String?
        /// The statistics counter that moved, if any.
        var counter: String?
    }

    var suite: Suite
    var name: String
    /// From the Ethernet header on.
    var octets: [UInt8]
    var record: Record?

    var description: String { "\(suite.rawValue): \(name)" }

    static let all = recorded + made

    static let recorded: [CraftedFrame] = {
        let text =
            (try? FileSystem.readText("\(Labctl.repository)/Tests/VRRPTests/Fixtures/received.tsv"))
            ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            let fields = line.split(separator: "\t").map(String.init)
            guard let suite = Suite(rawValue: fields[0]) else { return nil }
            func unlessNone(_ field: String) -> String? { field == "-" ? nil : field }
            return CraftedFrame(
                suite: suite, name: fields[1], octets: octets(fields[5]),
                record: Record(
                    isAccepted: fields[2] == "accepted", line: unlessNone(fields[3]),
                    counter: unlessNone(fields[4])))
        }
    }()

    private static func octets(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }

    private static func named(_ suite: Suite, _ name: String) -> CraftedFrame {
        // There is one: a frame that is missing is missed in the count of them, too.
        recorded.first { $0.suite == suite && $0.name == name }
            ?? CraftedFrame(suite: suite, name: name, octets: [UInt8](repeating: 0, count: 64))
    }

    /// The frame with something changed, and its checksums right again unless that is the change.
    private func with(
        _ name: String, repaired: Bool = true, _ change: (inout [UInt8]) -> Void
    ) -> CraftedFrame {
        var other = CraftedFrame(suite: suite, name: name, octets: octets)
        change(&other.octets)
        if repaired { other.repair() }
        return other
    }
}

// MARK: More frames

/// Where what is in a frame without IP options.
private enum Place {
    static let destination = 0..<6
    static let trafficClass = 15
    static let totalLength = 16..<18
    static let flags = 20
    static let timeToLive = 22
    static let headerChecksum = 24
    static let source = 26..<30
    static let target = 30..<34
    static let hopLimit = 21
    static let message = 34
    static let message6 = 54
    // In the message.
    static let kind = 0
    static let priority = 2
    static let count = 3
    /// Version 2: Auth Type; version 3: the reserved nibble and the interval's high one.
    static let authentication = 4
    static let interval = 5
    static let checksum = 6
    static let addresses = 8
    static let password = 12
}

extension CraftedFrame {
    fileprivate static let made = plain + password + header + version3 + ipv6 + unicast

    private static let plain: [CraftedFrame] = {
        let base = named(.plain, "valid lower prio (50)")
        let message = Place.message
        return [
            base.with("priority 0") { $0[message + Place.priority] = 0 },
            base.with("equal priority, higher source") { $0[message + Place.priority] = 100 },
            base.with("auth octets without auth type") {
                $0.replaceSubrange(
                    (message + Place.password)..<(message + 20), with: Array("password".utf8))
            },
            base.with("count 2 with 1 vip") { $0[message + Place.count] = 2 },
            base.with("version 1") { $0[message + Place.kind] = 0x11 },
            base.with("version 4") { $0[message + Place.kind] = 0x41 },
            base.with("interval 0") { $0[message + Place.interval] = 0 },
            base.with("source of another subnet") {
                $0.replaceSubrange(Place.source, with: [192, 0, 2, 9])
            },
            base.with("the receiver's own source") {
                $0.replaceSubrange(Place.source, with: GoldenStage.routerAddress.octets)
            },
            base.with("another class of traffic") { $0[Place.trafficClass] = 0 },
            base.with("a fragment") { $0[Place.flags] = 0x20 },
            base.with("to all hosts") {
                $0.replaceSubrange(Place.destination, with: [0x01, 0x00, 0x5e, 0, 0, 1])
                $0.replaceSubrange(Place.target, with: [224, 0, 0, 1])
            },
            base.with("to the group in a frame for us") {
                $0.replaceSubrange(Place.destination, with: GoldenStage.mac.octets)
            },
            base.with("wrong header checksum", repaired: false) {
                $0[Place.headerChecksum] ^= 0xff
            },
            base.with("cut short", repaired: false) { $0.removeLast(12) },
            base.with("ttl 1") { $0[Place.timeToLive] = 1 },
        ]
    }()

    private static let password: [CraftedFrame] = [
        named(.password, "longer password same first 8").with("wrong password") {
            $0.replaceSubrange(
                (Place.message + Place.password)..<(Place.message + 20),
                with: Array("passwort".utf8))
        }
    ]

    private static let header: [CraftedFrame] = [
        // The holding one's number.
        craftedHeader("replayed number", sequenceNumber: CraftedFrame.holdingNumber),
        craftedHeader("another's index", sequenceNumber: 200, change: { $0[39] ^= 1 }),
    ]

    private static func craftedHeader(
        _ name: String, sequenceNumber: UInt32, change: (inout [UInt8]) -> Void = { _ in }
    ) -> CraftedFrame {
        var octets = Suite.header.frame(priority: 200, sequenceNumber: sequenceNumber)
        change(&octets)
        return CraftedFrame(suite: .header, name: name, octets: octets)
    }

    private static let version3: [CraftedFrame] = {
        let base = named(.version3, "valid")
        let message = Place.message
        return [
            base.with("priority 0") { $0[message + Place.priority] = 0 },
            base.with("the reserved nibble") { $0[message + Place.authentication] |= 0xf0 },
            base.with("interval 0") { $0[message + Place.interval] = 0 },
            base.with("count 0") {
                $0[message + Place.count] = 0
                $0.removeLast(4)
                $0[Place.totalLength.lowerBound + 1] -= 4
            },
            base.with("count 2 with 1 vip") { $0[message + Place.count] = 2 },
            base.with("type 2") { $0[message + Place.kind] = 0x32 },
            base.with("ttl 254") { $0[Place.timeToLive] = 254 },
            base.with("checksum 0", repaired: false) {
                $0.replaceSubrange((message + Place.checksum)..<(message + 8), with: [0, 0])
            },
        ]
    }()

    private static let ipv6: [CraftedFrame] = {
        let base = CraftedFrame(
            suite: .ipv6, name: "valid", octets: Suite.ipv6.frame(priority: 50))
        let message = Place.message6
        return [
            base,
            base.with("hop limit 254") { $0[Place.hopLimit] = 254 },
            base.with("bad checksum", repaired: false) { $0[message + Place.checksum] ^= 0xff },
            base.with("another address") { $0[message + Place.addresses + 15] = 0x11 },
            base.with("priority 0") { $0[message + Place.priority] = 0 },
            base.with("interval 0") { $0[message + Place.interval] = 0 },
            base.with("version 2") { $0[message + Place.kind] = 0x21 },
        ]
    }()

    private static let unicast: [CraftedFrame] = [Suite.unicast, .unicastChecked].flatMap { suite in
        let base = CraftedFrame(
            suite: suite, name: "from the peer", octets: suite.frame(priority: 50))
        return [
            base,
            base.with("from the peer, ttl 64") { $0[Place.timeToLive] = 64 },
            base.with("not from a peer") {
                $0.replaceSubrange(Place.source, with: [10, 10, 10, 4])
            },
        ]
    }
}

// MARK: Checksums, and what is right

extension CraftedFrame {
    /// Makes the checksums right again.
    private mutating func repair() {
        let isIPv4 = octets[12...13] == [0x08, 0x00]
        if isIPv4 {
            set(0, at: Place.headerChecksum)
            set(
                InternetChecksum(octets[14..<Place.message]).value, at: Place.headerChecksum)
        }
        let start = isIPv4 ? Place.message : Place.message6
        set(0, at: start + Place.checksum)
        var sum = InternetChecksum(octets[start...])
        let addresses = isIPv4 ? octets[26..<34] : octets[22..<54]
        // Version 2 knows no pseudo-header over IPv4 (RFC 3768 §5.3.8); RFC 8200 §8.1 does always.
        if !isIPv4 || octets[start] >> 4 == 3 {
            sum.add(addresses)
            sum.add([0, Advertisement.ipProtocol, 0, UInt8(octets.count - start)])
        }
        set(sum.value, at: start + Place.checksum)
    }

    private mutating func set(_ value: UInt16, at index: Int) {
        octets[index] = UInt8(value >> 8)
        octets[index + 1] = UInt8(value & 255)
    }

    /// The sequence number of the frame that holds a receiver.
    static let holdingNumber: UInt32 = 1
}

extension CraftedFrame.Suite {
    /// The station that crafted frames come from.
    static let stationMAC = MACAddress(rawValue: 0x0200_0000_0003)
    private static let station = IPv4Address(10, 10, 10, 3)

    private var isUnicast: Bool { self == .unicast || self == .unicastChecked }

    /// An advertisement of a master that the receiver understands.
    func frame(priority: UInt8, sequenceNumber: UInt32 = CraftedFrame.holdingNumber) -> [UInt8] {
        let authentication: Advertisement.Authentication =
            switch self {
            case .password: .password(AuthenticationPassword(truncating: "password"))
            case .header: .header(AuthenticationPassword(truncating: "password"))
            case .plain, .version3, .ipv6, .unicast, .unicastChecked: .none
            }
        let isVersion2 = self == .plain || self == .password || self == .header
        let address: IPAddress =
            self == .ipv6
            ? .v6(IPv6Address(high: 0xfe80 << 48, low: 0x10)) : .v4(IPv4Address(10, 10, 10, 10))
        let advertisement = Advertisement(
            version: isVersion2 ? 2 : 3, vrid: 51, priority: priority, addresses: [address],
            authentication: authentication)
        let source = Self.stationMAC
        // What can be encoded is known here.
        if self == .ipv6 {
            let packet = try? advertisement.ipv6Packet(
                from: IPv6Address(high: 0xfe80 << 48, low: 3))
            return StationFrame.ethernet(packet ?? [0], from: source, to: GoldenStage.group6)
        }
        let packet = try? advertisement.ipv4Packet(
            from: Self.station, to: isUnicast ? GoldenStage.routerAddress : Advertisement.group,
            identification: 1, sequenceNumber: sequenceNumber)
        return StationFrame.ethernet(
            packet ?? [0], from: source, to: isUnicast ? GoldenStage.mac : GoldenStage.group)
    }

    /// The receiver's configuration: what the frames were recorded with, except that it announces
    /// itself once, which nobody listens to here.
    var configuration: String {
        let special =
            switch self {
            case .plain: ""
            case .password: "authentication {\n auth_type PASS\n auth_pass password\n }"
            case .header: "authentication {\n auth_type AH\n auth_pass password\n }"
            case .version3, .ipv6: "version 3"
            case .unicast: Self.withPeer
            case .unicastChecked: Self.withPeer + "\ncheck_unicast_src"
            }
        return """
            global_defs {
                router_id rx
            }
            vrrp_instance VI_1 {
                state BACKUP
                nopreempt
                interface eth0
                virtual_router_id 51
                priority 100
                advert_int 1
                garp_master_repeat 1
                garp_master_delay 0
                \(special)
                virtual_ipaddress {
                    \(self == .ipv6 ? "fe80::10" : "10.10.10.10")
                }
            }
            """
    }

    private static let withPeer =
        "version 3\nunicast_src_ip 10.10.10.1\nunicast_peer {\n10.10.10.3\n}"
}
