import NetworkTypes
import Testing

@testable import LabModel

@Suite("generated labs: what the topology says, and every host has a way to every other")
struct GeneratedLabTests {
    private func generated(_ topology: GeneratedLab.Topology) throws -> Lab {
        let yaml = try GeneratedLab(topology, name: "generated").yaml
        let decoding = decode(yaml)
        #expect(decoding.diagnostics.map(\.description) == [])
        return try #require(decoding.lab)
    }

    /// The nodes that a packet visits on its way, by the routes that the nodes have.
    private func path(
        from node: Node, to target: IPAddress, in lab: Lab, _ neighbours: [IPAddress: String]
    ) -> [String] {
        var path = [node.name]
        var here = node
        while path.count <= lab.nodes.count {
            if here.interfaces.contains(where: { $0.addresses.contains { $0.address == target } }) {
                return path
            }
            let networks = here.interfaces.flatMap(\.addresses).map(\.network)
            var next: String?
            if networks.contains(where: { $0.contains(target) }) {
                next = neighbours[target]
            } else {
                let route = here.routes.filter { $0.destination?.contains(target) ?? true }.max {
                    ($0.destination?.length ?? 0) < ($1.destination?.length ?? 0)
                }
                next = route?.gateway.flatMap { neighbours[$0] }
            }
            guard let next, let node = lab.node(next) else { return path + ["nowhere"] }
            path.append(next)
            here = node
        }
        return path + ["round and round"]
    }

    @Test(
        "shapes",
        arguments: [
            (.single(hosts: 1), 1), (.single(hosts: 7), 7),
            (.linear(routers: 1, hosts: 2), 3), (.linear(routers: 9, hosts: 1), 18),
            (.linear(routers: 5, hosts: 3), 20), (.tree(depth: 1, fanout: 3), 4),
            (.tree(depth: 3, fanout: 2), 15), (.tree(depth: 2, fanout: 5), 31),
            (.leafSpine(spines: 1, leaves: 1, hosts: 1), 3),
            (.leafSpine(spines: 3, leaves: 5, hosts: 2), 18),
        ] as [(GeneratedLab.Topology, Int)])
    func reachability(_ topology: GeneratedLab.Topology, nodeCount: Int) throws {
        let lab = try generated(topology)
        #expect(lab.nodes.count == nodeCount)
        let hosts = lab.nodes.filter { $0.name.contains("host") }
        let owners = Dictionary(
            lab.nodes.flatMap { node in
                node.interfaces.flatMap(\.addresses).map { ($0.address, node.name) }
            }, uniquingKeysWith: { first, _ in first })
        for host in hosts {
            for other in hosts {
                let target = try #require(other.interfaces.first?.addresses.first?.address)
                #expect(path(from: host, to: target, in: lab, owners).last == other.name)
            }
        }
        #expect(lab.scenarios.count == (hosts.count > 1 ? 1 : 0))
    }

    @Test("a row's routers know what is behind them by few blocks")
    func blocks() {
        #expect(GeneratedLab.blocks(0..<0) == [])
        #expect(GeneratedLab.blocks(0..<1).map(\.description) == ["10.0.0.0/22"])
        #expect(
            GeneratedLab.blocks(3..<8).map(\.description) == ["10.0.12.0/22", "10.0.16.0/20"])
        #expect(GeneratedLab.blocks(0..<1 << 14).map(\.description) == ["10.0.0.0/8"])
        #expect(GeneratedLab.blocks(1..<9999).count <= 28)
    }

    @Test(
        "numbers that make no lab",
        arguments: [
            (.single(hosts: 0), "hosts is 1 to 1022, not 0"),
            (.linear(routers: 0, hosts: 1), "routers is 1 to 9999, not 0"),
            (.tree(depth: 14, fanout: 1), "depth is 1 to 13, not 14"),
            (.leafSpine(spines: 2, leaves: 1, hosts: 1023), "hosts is 0 to 1022, not 1023"),
            (
                .linear(routers: 5000, hosts: 1),
                "that would be 10000 nodes or more; a generated lab has at most 9999"
            ),
            (
                .tree(depth: 13, fanout: 1000),
                "that would be 1001001 nodes or more; a generated lab has at most 9999"
            ),
        ] as [(GeneratedLab.Topology, String)])
    func problems(_ topology: GeneratedLab.Topology, expected: String) {
        #expect(throws: GeneratedLab.Problem(description: expected)) {
            try GeneratedLab(topology, name: "x")
        }
    }
}

@Suite("lab file: an entry with a count stands for several nodes")
struct NodeCountTests {
    @Test("names are numbered, addresses follow one another, everything else is the same")
    func members() throws {
        let lab = try lab(
            """
            name: t
            networks: { lan: { subnets: [ 10.0.0.0/24, "2001:db8::/64" ] } }
            nodes:
              router: { interfaces: { eth0: { network: lan, address: 10.0.0.1 } } }
              host:
                count: 3
                gateway: 10.0.0.1
                interfaces: { eth0: { network: lan, addresses: [ 10.0.0.100/24, "2001:db8::ffff" ] } }
                services: { web: { kind: http } }
              r2: { count: 1 }
            scenarios:
              s: { steps: [ { kill: host3 }, { stop: host1/web } ] }
            """)
        #expect(lab.nodes.map(\.name) == ["router", "host1", "host2", "host3", "r21"])
        #expect(
            lab.nodes[1...3].map { $0.interfaces[0].addresses.map(\.description) } == [
                ["10.0.0.100/24", "2001:db8::ffff/64"], ["10.0.0.101/24", "2001:db8::1:0/64"],
                ["10.0.0.102/24", "2001:db8::1:1/64"],
            ])
        #expect(Set(lab.nodes[1...3].map { $0.interfaces[0].mac }).count == 3)
        #expect(lab.nodes[1...3].allSatisfy { $0.services == lab.nodes[1].services })
        #expect(lab.nodes[1...3].allSatisfy { $0.routes == lab.nodes[1].routes })
    }
}

extension Mistake {
    /// What is wrong about `count`.
    static let counts = [
        Mistake(
            "a count that is none says nothing about what refers to its nodes",
            """
            name: t
            nodes:
              a: { count: 0 }
              b: { count: many }
            scenarios: { s: { steps: [ { kill: a7 } ] } }
            """,
            """
            lab.yaml:3:15: 'count' of node a must be a number from 1 to 9999, not '0'
            lab.yaml:4:15: 'count' of node b must be a number from 1 to 9999, not 'many'
            """),
        Mistake(
            "names, MAC addresses and addresses that several nodes cannot have",
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/29 } }
            nodes:
              a-name-of-thirty-two-characters1: { count: 2 }
              b:
                count: 20
                interfaces: { eth0: { network: lan, address: 10.0.0.4, mac: "02:00:00:00:00:01" } }
              c: { count: 2, interfaces: { eth0: { network: lan, addresses: [255.255.255.255] } } }
              host: { interfaces: {} }
            """,
            """
            lab.yaml:4:3: node name 'a-name-of-thirty-two-characters12' must be 1 to 32 letters, \
            digits and inner '-', with a letter among them
            lab.yaml:7:50: address 10.0.0.7 of b4:eth0 is the broadcast address of 10.0.0.0/29
            lab.yaml:7:65: interface eth0 of node b cannot have a MAC address that is given, since \
            'count' makes 20 of it; leave 'mac' out
            lab.yaml:8:66: address 255.255.255.255 of c1:eth0 is outside network lan, 10.0.0.0/29
            lab.yaml:8:66: there is no address for c2: those of node c begin with 255.255.255.255
            lab.yaml:9:3: a node cannot be called 'host'
            """),
    ]
}
