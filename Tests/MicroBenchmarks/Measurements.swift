import KeepalivedConf
import LabModel
import NetworkTypes
import VRRP
import VRRPSimulation
import Wire

import struct Foundation.Data
import class Foundation.JSONDecoder
import struct Foundation.URL

private let here = IPv4Address(10, 10, 10, 1)
private let start = MonotonicInstant(nanoseconds: 1_000_000_000)

private func advertisement(addresses: Int) -> Advertisement {
    Advertisement(
        version: 3, vrid: 51, priority: 200, interval: .milliseconds(10),
        addresses: (0..<addresses).map { .v4(IPv4Address(10, 10, 11, UInt8($0 + 1))) })
}

/// Packets there and back.
func measureCodec(_ meter: inout Meter) throws {
    for count in [1, 255 - 1] {
        let said = advertisement(addresses: count)
        let what = "advertisement of \(count) address\(count == 1 ? "" : "es")"
        try meter.measure("codec: encode an \(what)") {
            try said.ipv4Packet(from: here, identification: 1)
        }
        let packet = try said.ipv4Packet(from: here, identification: 1)
        let expectation = ReceivedAdvertisement.Expectation(said)
        try meter.measure("codec: parse and check an \(what)") {
            try ReceivedAdvertisement(parsing: packet).validated(against: expectation)
        }
        let last = try ReceivedAdvertisement(parsing: packet)
        meter.measure("codec: see that an \(what) is the last one again") {
            last.isRepeated(byIPv4Packet: packet, lengthBytes: packet.count)
        }
    }
    let mac = MACAddress(rawValue: 0x0200_0000_0001)
    let frame = ARPFrame(
        ethernetSource: mac, ethernetDestination: .broadcast, operation: .request,
        senderMAC: mac, senderAddress: here, targetMAC: mac, targetAddress: here)
    meter.measure("codec: encode a gratuitous ARP") { frame.octets }
    let octets = frame.octets
    meter.measure("codec: parse a gratuitous ARP") { ARPFrame(parsing: octets) }
}

/// A virtual router that goes on as it is.
func measureStateMachine(_ meter: inout Meter) throws {
    func router(_ priority: UInt8) -> VirtualRouter {
        VirtualRouter(
            .init(
                name: "VI_1", version: 3, vrid: 51, priority: priority,
                advertisementInterval: .milliseconds(10),
                addresses: [.v4(IPv4Address(10, 10, 11, 1))]),
            sourceAddress: .v4(here))
    }
    var backup = router(100)
    _ = backup.handle(.startup, now: start)
    let said = advertisement(addresses: 1)
    var now = start
    meter.measure("state machine: a backup hears its master") {
        now = now + .milliseconds(10)
        return backup.handle(.advertisement(said, from: .v4(IPv4Address(10, 10, 10, 2))), now: now)
    }
    var master = router(255)
    _ = master.handle(.startup, now: start)
    meter.measure("state machine: a master's timer") {
        master.deadline.map { master.handle(.timer, now: $0) }
    }
}

/// Files that people write.
func measureTexts(_ meter: inout Meter, _ repository: String) throws {
    let conf = try text("\(repository)/Tests/KeepalivedConfTests/Fixtures/01-seed1-master.conf")
    meter.measure("parser: a keepalived.conf of one instance") {
        Configuration.parse(conf, file: "keepalived.conf")
    }
    let instances = (1...255).map { number in
        """
        vrrp_instance VI_\(number) {
            state BACKUP
            interface eth0
            virtual_router_id \(number)
            priority 100
            advert_int 1
            virtual_ipaddress {
                10.10.11.\(number)
            }
        }
        """
    }.joined(separator: "\n")
    meter.measure("parser: a keepalived.conf of 255, an instance", operations: 255) {
        Configuration.parse(instances, file: "keepalived.conf")
    }
    let folder = "\(repository)/Labs/httpd-ha"
    let yaml = try text("\(folder)/lab.yaml")
    var files: [String: FileLookup] = [:]
    func lookUp(_ path: String) -> FileLookup {
        if let known = files[path] { return known }
        let found = (try? bytes(path)).map { FileLookup.contents($0) } ?? .missing
        files[path] = found
        return found
    }
    meter.measure("lab file: Labs/httpd-ha") {
        Lab.decode(yaml: yaml, file: "\(folder)/lab.yaml", readFile: lookUp)
    }
}

/// A recorded run.
func measureTimeline(_ meter: inout Meter, _ repository: String) throws {
    let folder = "\(repository)/Tests/LabReportTests/Recorded/httpd-ha"
    let record = try JSONDecoder().decode(
        RunRecord.self, from: Data(try bytes("\(folder)/run.json")))
    let lines = try bytes("\(folder)/events.jsonl").split(separator: 0x0a).map { Array($0) }
    let decoder = JSONLineDecoder()
    let events = try lines.map { try decoder.decode(TimelineEvent.self, from: $0) }
    try meter.measure("timeline: read an event", operations: lines.count) {
        for line in lines { blackHole(try decoder.decode(TimelineEvent.self, from: line)) }
    }
    meter.measure("timeline: write an event", operations: events.count) {
        for event in events {
            var line = JSONLine()
            line.append(event)
            blackHole(line.bytes)
        }
    }
    meter.measure("verdict machine: an event of Labs/httpd-ha", operations: events.count) {
        RunReplay(record, events: events)
    }
}

/// Virtual routers on a network that breaks.
func measureSimulation(_ meter: inout Meter) {
    let options = SimulationOptions(routers: 5...5, virtualRouters: 2...2, duration: .seconds(60))
    let count = SimulationRun(seed: 1, options: options).statistics.protocolEvents
    meter.measure("simulation: a protocol event, five routers", operations: count) {
        SimulationRun(seed: 1, options: options)
    }
}

/// Frames through the userspace wire's rules.
func measureWire(_ meter: inout Meter) {
    var impairment = Impairment()
    impairment.delay = .milliseconds(10)
    impairment.loss = .random(percent: 1)
    let frame = [UInt8](repeating: 0, count: 1514)
    for (name, selector) in [
        ("any frame", FrameSelector.any), ("VRRP", FrameSelector(.vrrp)),
    ] {
        var lane = WireLane(
            link: "a", direction: .inward,
            rules: [WireRule(impairment, of: selector, seed: 1)])
        var now = start
        meter.measure("wire: a frame past a rule for \(name)") {
            now = now + .microseconds(10)
            let passage = lane.pass(frame.span, at: now)
            for copy in passage.copies { if let ticket = copy.ticket { lane.depart(ticket) } }
            return passage
        }
    }
}

private func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

private func text(_ path: String) throws -> String {
    String(decoding: try bytes(path), as: UTF8.self)
}
