import Glibc
import LinuxSystem
import Testing

@Suite(
    "Building a lab: links and the names of namespaces", .serialized,
    .enabled(if: buildsLabs, "needs root"))
struct LabBuildLinkTests {
    private static let cable = """
        nodes: { left: {}, right: {} }
        links:
          - endpoints: [ "left:eth0", "right:eth0" ]

        """
    private static let foreign: [UInt8] = [0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee]

    @Test("a point-to-point link carries every frame both ways and learns nothing")
    func cable() throws {
        let lab = try LabUnderTest("lb-cable", Self.cable)
        try lab.up()
        let status = try lab.status()
        let left = try LabStation(on: status.node("left"), "eth0", index: 2)
        let right = try LabStation(on: status.node("right"), "eth0", index: 2)
        // To nobody, to a group, tagged, and to what 802.1Q keeps for neighbours: LLDP.
        let targets: [(name: String, address: [UInt8], type: [UInt8])] = [
            ("unicast", Self.foreign, LabStation.experimental),
            ("multicast", [0x01, 0x00, 0x5e, 0, 0, 18], LabStation.experimental),
            ("tagged", Self.foreign, [0x81, 0, 0, 7] + LabStation.experimental),
            ("LLDP", [0x01, 0x80, 0xc2, 0, 0, 0x0e], [0x88, 0xcc]),
        ]
        for (sender, receiver) in [(left, right), (right, left)] {
            for target in targets {
                let frame = target.address + sender.address + target.type + Array(0..<60)
                try sender.send(frame)
                // The kernel takes a tag out of the frame it shows, so what is compared is the end.
                let got = try receiver.await("a \(target.name) frame arrives") {
                    $0.starts(with: target.address + sender.address)
                        && $0.suffix(60) == frame.suffix(60)
                }
                #expect(got.count == frame.count || target.name == "tagged")
            }
        }
        // A switch that had learnt where `foreign` is would not send this back over the link.
        try left.send(right.address + Self.foreign + LabStation.experimental + Array(0..<60))
        _ = try right.await("a frame of a foreign station arrives") {
            $0.starts(with: right.address + Self.foreign)
        }
        try left.send(Self.foreign + left.address + LabStation.experimental + Array(0..<60))
        _ = try right.await("a frame to that station arrives all the same") {
            $0.starts(with: Self.foreign + left.address)
        }
        try lab.down()
    }

    @Test("a network is a switch: it learns, and a station hears nothing that is not for it")
    func switchLearns() throws {
        let lab = try LabUnderTest(
            "lb-switch",
            """
            networks: { lan: { subnet: 10.78.0.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
              b: { interfaces: { eth0: { network: lan } } }
              c: { interfaces: { eth0: { network: lan } } }

            """)
        try lab.up()
        let status = try lab.status()
        let stations = try ["a", "b", "c"].map {
            try LabStation(on: status.node($0), "eth0", index: 2)
        }
        let (a, b, c) = (stations[0], stations[1], stations[2])
        let broadcast = [UInt8](repeating: 0xff, count: 6)
        let payload = LabStation.experimental + [UInt8](0..<60)
        try b.send(broadcast + b.address + payload)
        for station in [a, c] {
            _ = try station.await("a broadcast reaches all") {
                $0.starts(with: broadcast + b.address + LabStation.experimental)
            }
        }
        try a.send(b.address + a.address + payload)
        _ = try b.await("a frame to b reaches b") { $0.starts(with: b.address + a.address) }
        // Sent after it on the same port, so that what came before it has come.
        try a.send(broadcast + a.address + payload)
        var heard: [[UInt8]] = []
        try eventually("c hears the broadcast") {
            heard += try c.received().map(\.bytes)
            return heard.contains { $0.starts(with: broadcast + a.address + payload) }
        }
        #expect(!heard.contains { $0.starts(with: b.address + a.address) })
        try lab.down()
    }

    @Test("two labs whose nodes would have one name in /run/netns are refused, and both stay whole")
    func namesCollide() throws {
        let nodes = "nodes: { b-c: {}, c: {} }\n"
        let first = try LabUnderTest("lbn", nodes)
        try first.up()
        let second = try LabUnderTest("lbn-b", nodes)
        let run = try Labctl.run("up", second.folder)
        #expect(run.status == 5)
        #expect(run.errors.contains("\(labPrefix)lbn-b-c is taken"), "\(run.errors)")
        #expect(!FileSystem.exists("\(runFolder)/\(labPrefix)lbn-b"))
        #expect(
            try Labctl.tool("/bin/ip", "netns", "exec", "\(labPrefix)lbn-b-c", "true").status == 0)
        try first.down()
        try second.up()
        try second.down()
    }

    @Test("a node may not take the name of somebody else's namespace")
    func nameOfAnother() throws {
        #expect(try Labctl.tool("/bin/ip", "netns", "add", "\(labPrefix)lbo-a").status == 0)
        defer { _ = try? Labctl.tool("/bin/ip", "netns", "delete", "\(labPrefix)lbo-a") }
        let lab = try LabUnderTest("lbo", "nodes: { a: {} }\n")
        let run = try Labctl.run("up", lab.folder)
        #expect(run.status == 5)
        #expect(run.errors.contains("\(labPrefix)lbo-a is taken"), "\(run.errors)")
        #expect(
            try Labctl.tool("/bin/ip", "netns", "exec", "\(labPrefix)lbo-a", "true").status == 0)
        try expectNothingLeftExceptNames(of: "\(labPrefix)lbo")
    }

    private func expectNothingLeftExceptNames(of lab: String) throws {
        #expect(!FileSystem.exists("\(runFolder)/\(lab)"))
        #expect(try processes(of: lab).isEmpty)
    }
}
