import LabModel
import NetworkTypes
import Testing

@testable import LabReport

@Suite("A lab drawn")
struct TopologyTests {
    private let live = Topology(
        Fixture.lab,
        activities: [
            "master": .init(
                state: .running,
                routers: [.init(instance: "VI_1", role: "MASTER", held: [Fixture.vip])]),
            "backup": .init(state: .killed, routers: []),
        ])

    @Test("as text: each segment with what is plugged into it")
    func text() {
        #expect(
            Topology(Fixture.lab).text == """
                lan  10.10.10.0/24
                 |-- master  eth0 10.10.10.1/24
                 |-- backup  eth0 10.10.10.2/24
                 `-- client  eth0 10.10.10.3/24
                """)
    }

    @Test("as text, of a lab that is up: with roles, held addresses and who is gone")
    func liveText() {
        #expect(
            live.text == """
                lan  10.10.10.0/24
                 |-- master  eth0 10.10.10.1/24  VI_1 MASTER  10.10.10.10
                 |-- backup  eth0 10.10.10.2/24  killed
                 `-- client  eth0 10.10.10.3/24
                """)
    }

    @Test("for Graphviz: names in quotation marks, the master bold")
    func dot() {
        #expect(
            live.dot.contains(
                #"node0 [shape=box, label="master\nVI_1 MASTER\n10.10.10.10", style=bold];"#))
        #expect(live.dot.contains(#"segment0 -- node1 [label="eth0 10.10.10.2/24"];"#))
    }

    @Test("for Mermaid: an edge for each interface")
    func mermaid() {
        #expect(live.mermaid.hasPrefix("graph TB\n"))
        #expect(live.mermaid.contains(#"segment0 ---|"eth0 10.10.10.3/24"| node2"#))
    }

    @Test("a link between two nodes is one edge, and no ellipse")
    func link() {
        let eth1 = InterfaceName("eth1")!
        var lab = Fixture.lab
        lab.links = [
            Link(endpoints: [
                Endpoint(node: "master", interface: eth1),
                Endpoint(node: "backup", interface: eth1),
            ])
        ]
        for index in 0...1 {
            lab.nodes[index].interfaces.append(
                Interface(
                    name: eth1, attachment: .link(0), mac: MACAddress("02:00:00:00:01:00")!))
        }
        let dot = Topology(lab).dot
        #expect(dot.contains(#"node0 -- node1 [label="eth1 -- eth1"];"#))
        #expect(!dot.contains("segment1"))
        #expect(Topology(lab).svg.contains(#"class="link""#))
    }

    @Test("as SVG: well-formed, the role in the box's class, nothing that is markup in a name")
    func svg() {
        var lab = Fixture.lab
        lab.name = "a<b"
        let svg = Topology(lab, activities: ["master": live.nodes[0].activity!]).svg
        #expect(svg.contains("topology of lab a&lt;b"))
        #expect(svg.contains(#"class="node master""#))
        #expect(svg.contains(#"class="node up""#))
        for tag in ["svg", "text", "style"] {
            let opened = svg.split(separator: "<\(tag)", omittingEmptySubsequences: false).count
            let closed = svg.split(separator: "</\(tag)>", omittingEmptySubsequences: false).count
            #expect(opened == closed, "\(tag)")
        }
    }

    @Test("what is broken or stands still is drawn in every form")
    func faults() throws {
        var live = live
        live.nodes[0].activity?.isFrozen = true
        let port = try #require(Endpoint.parse("master:eth0"))
        let broken = Topology(
            Fixture.lab, activities: ["master": try #require(live.nodes[0].activity)],
            faults: [.blackhole(port, .in), .partition([["master"], ["backup"]])])
        for drawing in [broken.text, broken.dot, broken.mermaid, broken.svg] {
            #expect(drawing.contains("(blackhole in)"), "\(drawing)")
            #expect(drawing.contains("(partition master | backup)"), "\(drawing)")
            #expect(drawing.contains("frozen"), "\(drawing)")
        }
        #expect(!Topology(Fixture.lab).text.contains("("))
        let cut = Topology(
            Fixture.lab, faults: [.flap(port, Flap()), .cut(from: ["backup"], to: ["master"])])
        #expect(cut.text.contains("(flapping, period 2s duty 50%)"), "\(cut.text)")
        #expect(cut.text.contains("(cut backup to master)"), "\(cut.text)")
    }

    @Test("what is outside is said of the network that leads there")
    func outside() throws {
        var lab = Fixture.lab
        let parent = try #require(InterfaceName("enp1s0"))
        lab.networks[0].external = .macvlan(.init(parent: parent))
        #expect(Topology(lab).text.contains("the host's enp1s0"))
        lab.networks[0].external = .nat(.init())
        #expect(Topology(lab).text.contains("NAT"))
    }

    @Test("who is plugged in elsewhere is drawn there; who is unplugged, where he belongs")
    func places() throws {
        let port = try #require(Endpoint.parse("master:eth0"))
        var lab = Fixture.lab
        lab.networks.append(Network(name: try #require(InterfaceName("dmz"))))
        let dmz = try #require(InterfaceName("dmz"))
        #expect(
            Topology(lab, faults: [.plug(port, dmz)]).text == """
                lan  10.10.10.0/24
                 |-- backup  eth0 10.10.10.2/24
                 `-- client  eth0 10.10.10.3/24
                dmz
                 `-- master  eth0 10.10.10.1/24 (plugged into dmz)
                """)
        let unplugged = Topology(lab, faults: [.unplug(port)])
        #expect(unplugged.text.contains("|-- master  eth0 10.10.10.1/24 (unplugged)"))
        let eth1 = InterfaceName("eth1")!
        lab.links = [
            Link(endpoints: [
                Endpoint(node: "master", interface: eth1),
                Endpoint(node: "backup", interface: eth1),
            ])
        ]
        for index in 0...1 {
            lab.nodes[index].interfaces.append(
                Interface(
                    name: eth1, attachment: .link(0), mac: MACAddress("02:00:00:00:01:00")!))
        }
        let end = Endpoint(node: "backup", interface: eth1)
        let dot = Topology(lab, faults: [.plug(end, dmz)]).dot
        #expect(dot.contains("segment2 [shape=ellipse"), "half a link is no line: \(dot)")
        #expect(dot.contains("segment2 -- node0") && dot.contains("segment1 -- node1"))
    }
}
