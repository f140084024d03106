import NetworkTypes
import Testing

@testable import LabModel

@Suite("networks that are the host's: macvlans of its interfaces")
struct HostInterfaceTests {
    private func lab() throws -> Lab {
        try LabModelTests.lab(
            """
            name: t
            networks:
              out:
                subnets: [ 10.0.0.0/24, "2001:db8::/64" ]
                mtu: 1400
                external: { type: macvlan, parent: enp1s0 }
              lan: { subnet: 10.1.0.0/24 }
            nodes:
              a:
                interfaces:
                  eth0: { network: lan }
                  eth1: { network: out, address: 10.0.0.10 }
                  eth2: {}
              b:
                interfaces: { eth0: { network: out, address: 10.0.0.11, mtu: 1300 }, eth1: {} }
              c: { count: 2, interfaces: { eth0: { network: out, address: 10.0.0.20 } } }
            links: [ { endpoints: [ "a:eth2", "b:eth1" ] } ]
            """)
    }

    @Test("it has no bridge, and its interfaces no port; all keep the indices of their order")
    func plan() throws {
        let lab = try lab()
        #expect(lab.parents.map(\.text) == ["enp1s0"])
        let plan = try DeploymentPlan(lab)
        #expect(plan.bridges.map(\.name.text) == ["lan", "p2p1"])
        #expect(plan.ports.map(\.endpoint) == ["a:eth0", "a:eth2", "b:eth1"])
        #expect(plan.ports.map(\.interfaceIndex) == [2, 4, 3])
        #expect(plan.ports.map(\.bridge.text) == ["lan", "p2p1", "p2p1"])
        #expect(
            plan.hostPorts.map(\.interface.endpoint.description) == [
                "a:eth1", "b:eth0", "c1:eth0", "c2:eth0",
            ])
        #expect(plan.hostPorts.map(\.interface.index) == [3, 2, 2, 2])
        #expect(plan.hostPorts.map(\.mtuBytes) == [1400, 1300, 1400, 1400])
        #expect(plan.hostPorts.allSatisfy { $0.parent.text == "enp1s0" })
        let macs = lab.nodes.flatMap { $0.interfaces.map(\.mac) }
        #expect(Set(macs) == Set(plan.interfaces.map(\.mac)) && plan.interfaces.count == 7)
        let second = try #require(InterfaceName("eth1"))
        #expect(plan.interface(second, of: "a")?.index == 3)
        #expect(plan.interface(second, of: "b")?.index == 3)
    }

    @Test("nobody there gets an address that is not written")
    func addresses() throws {
        let written = try lab().nodes.map { node in
            node.interfaces.flatMap { $0.addresses.map(\.description) }
        }
        #expect(
            written == [
                ["10.1.0.1/24", "10.0.0.10/24"], ["10.0.0.11/24"], ["10.0.0.20/24"],
                ["10.0.0.21/24"],
            ])
    }

    @Test("what needs a switch is refused, what is done to the interface is not")
    func faults() throws {
        let lab = try lab()
        func problem(_ words: Fault) -> String? { words.problem(in: lab) }
        let (inside, outside) = try (endpoint("a:eth0"), endpoint("a:eth1"))
        let network = try #require(InterfaceName("out"))
        for fault: Fault in [
            .linkDown(outside), .linkUp(outside), .flap(outside, Flap()), .heal(outside),
            .plug(outside, nil), .blackhole(inside, .both), .unplug(inside), .heal(nil),
            .imposter(network, Imposture.ending),
        ] {
            #expect(problem(fault) == nil, "\(fault)")
        }
        for fault: Fault in [
            .blackhole(outside, .in), .unplug(outside), .plug(inside, network),
            .partition([["a"], ["b"]]), .cut(from: ["c1"], to: ["a", "c2"]),
        ] {
            #expect(problem(fault)?.contains("the host's enp1s0") == true, "\(fault)")
        }
        // Who shares a group is not parted.
        #expect(problem(.partition([["a", "b"], ["b", "a"]])) == nil)
    }

    @Test("two nodes cannot have one Ethernet address there, so virtual ones are refused")
    func configurations() throws {
        let lab = try LabModelTests.lab(
            """
            name: t
            networks: { out: { subnet: 10.0.0.0/24, external: { type: macvlan, parent: eth7 } } }
            nodes:
              a:
                interfaces: { eth0: { network: out, address: 10.0.0.1 } }
                files: { /etc/keepalived/keepalived.conf: { text: "" } }
                services: { keepalived: { kind: vrrp-agent } }
            """)
        let configuration = try #require(lab.vrrpConfigurations.first)
        #expect(configuration.hostInterfaces.map { "\($0.key) \($0.value)" } == ["eth0 eth7"])
    }

    private func endpoint(_ text: String) throws -> Endpoint {
        try #require(Endpoint.parse(text))
    }
}

extension DeploymentPlan.Port {
    fileprivate var endpoint: String { "\(node):\(interface)" }
}
