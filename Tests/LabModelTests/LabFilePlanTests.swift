import NetworkTypes
import Testing

@testable import LabModel

@Suite("lab file: what is left out is assigned, the same every time")
struct LabFileAssignmentTests {
    private func addresses(_ lab: Lab) -> [[String]] {
        lab.nodes.flatMap { node in node.interfaces.map { $0.addresses.map(\.description) } }
    }

    @Test("the lowest free address of each family, given ones skipped, in the order of the file")
    func lowestFree() throws {
        let lab = try lab(
            """
            name: t
            networks: { lan: { subnets: [ 10.0.0.0/29, "2001:db8::/64" ] } }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
              b: { interfaces: { eth0: { network: lan, address: 10.0.0.2 } } }
              c: { interfaces: { eth0: { network: lan, address: "2001:db8::2" } } }
              d: { interfaces: { eth0: { network: lan, addresses: [ 10.0.0.6, "2001:db8::d" ] } } }
              e: { interfaces: { eth0: { network: lan } } }
              f: { interfaces: { eth0: { network: lan, addresses: [] } } }
              g: { interfaces: { eth0: { network: lan, address: "fe80::9" } } }
            """)
        #expect(
            addresses(lab) == [
                ["10.0.0.1/29", "2001:db8::1/64"],
                ["10.0.0.2/29", "2001:db8::3/64"],
                ["2001:db8::2/64", "10.0.0.3/29"],
                ["10.0.0.6/29", "2001:db8::d/64"],
                ["10.0.0.4/29", "2001:db8::4/64"],
                [],
                ["fe80::9/64", "10.0.0.5/29", "2001:db8::5/64"],
            ])
    }

    @Test("RFC 3021, RFC 6164: both addresses of a /31 and of a /127 are hosts'")
    func pointToPointSubnets() throws {
        let lab = try lab(
            """
            name: t
            networks: { lan: { subnets: [ 10.0.0.0/31, "2001:db8::/127" ] } }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
              b: { interfaces: { eth0: { network: lan } } }
            """)
        #expect(
            addresses(lab) == [
                ["10.0.0.0/31", "2001:db8::/127"], ["10.0.0.1/31", "2001:db8::1/127"],
            ]
        )
    }

    @Test("a network without a subnet assigns nothing")
    func noSubnet() throws {
        let lab = try lab(
            """
            name: t
            networks: { lan: }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
              b: { interfaces: { eth0: { network: lan, address: 10.0.0.1/8 } } }
            """)
        #expect(addresses(lab) == [[], ["10.0.0.1/8"]])
    }

    @Test("MAC addresses follow from lab, node and interface, and from nothing else")
    func macs() throws {
        let yaml = """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lan }, eth1: { network: lan } } }
              b: { interfaces: { eth0: { network: lan } } }
            """
        let macs = try lab(yaml).nodes.flatMap { $0.interfaces.map(\.mac) }
        #expect(Set(macs).count == 3)
        for mac in macs { #expect(mac.octets[0] == 0x02) }
        // Pinned: another hash would change every recorded run.
        #expect(macs[0].description == "02:93:a1:d4:2d:6c")
        let more = yaml.replacing("nodes:\n", with: "nodes:\n  first: { environment: {} }\n")
        #expect(try lab(more).nodes.dropFirst().flatMap { $0.interfaces.map(\.mac) } == macs)
        let other = yaml.replacing("name: t", with: "name: u")
        #expect(
            Set(try lab(other).nodes.flatMap { $0.interfaces.map(\.mac) }).isDisjoint(with: macs))
    }

    @Test("a derived MAC address gives way to a given one")
    func macCollision() throws {
        var free = MACDerivation(lab: "t", taken: [])
        let first = free.next(for: ["a", "eth0"])
        var occupied = MACDerivation(lab: "t", taken: [first])
        let second = occupied.next(for: ["a", "eth0"])
        #expect(second != first)
        #expect(!second.isMulticast)
        #expect(occupied.next(for: ["a", "eth0"]) != second)
    }

    @Test("FNV-1a: the published vectors")
    func hash() {
        #expect(FNV1a.hash("") == 0xcbf2_9ce4_8422_2325)
        #expect(FNV1a.hash("a") == 0xaf63_dc4c_8601_ec8c)
        #expect(FNV1a.hash("foobar") == 0x8594_4171_f739_67e8)
    }
}

@Suite("lab file: the deployment plan")
struct LabFilePlanTests {
    private static let yaml = """
        name: t
        networks:
          lan: { subnet: 10.0.0.0/24, mtu: 9000 }
          dmz: { subnets: [ "2001:db8::/64" ] }
        nodes:
          master:
            interfaces: { ens33: { network: lan }, eth1: { network: dmz, mtu: 1400 } }
            gateway: 10.0.5.5
            routes: [ { to: 10.0.5.5/32, dev: ens33 } ]
          loadbalancer-one: { interfaces: { ens33: { network: lan }, p0: } }
          loadbalancer-two: { interfaces: { ens33: { network: lan }, p0: } }
          alone: {}
        links: [ { endpoints: [ "loadbalancer-one:p0", "loadbalancer-two:p0" ], mtu: 1300 } ]
        """

    @Test("bridges: networks by their names, then links; indices from 2, unique addresses")
    func bridges() throws {
        let plan = try DeploymentPlan(lab(Self.yaml))
        #expect(plan.bridges.map(\.name.text) == ["lan", "dmz", "p2p1"])
        #expect(plan.bridges.map(\.index) == [2, 3, 4])
        #expect(plan.bridges.map(\.isPointToPoint) == [false, false, true])
        #expect(plan.bridges.map(\.mtuBytes) == [9000, nil, 1300])
        let macs =
            plan.bridges.map(\.mac) + plan.ports.map(\.mac) + plan.ports.map(\.interfaceMAC)
        #expect(Set(macs).count == 3 + 6 + 6)
    }

    @Test("ports: readable names of at most 15 bytes, indices on both sides, the network's MTU")
    func ports() throws {
        let plan = try DeploymentPlan(lab(Self.yaml))
        let names = plan.ports.map(\.name.text)
        #expect(Array(names.prefix(2)) == ["master.ens33", "master.eth1"])
        for name in names.dropFirst(2) {
            #expect(name.hasPrefix("loadbalanc~"))
            #expect(name.utf8.count == 15)
        }
        #expect(Set(names).count == 6)
        #expect(plan.ports.map(\.index) == [5, 6, 7, 8, 9, 10])
        #expect(plan.ports.map(\.interfaceIndex) == [2, 3, 2, 3, 2, 3])
        #expect(plan.ports.map(\.bridge.text) == ["lan", "dmz", "lan", "p2p1", "lan", "p2p1"])
        #expect(plan.ports.map(\.mtuBytes) == [9000, 1400, 9000, 1300, 9000, 1300])
        let ens33 = try #require(InterfaceName("ens33"))
        #expect(plan.port(of: "master", interface: ens33)?.name.text == "master.ens33")
        #expect(plan.interface(ens33, of: "master") == plan.ports.first?.nodeInterface)
        #expect(plan.interface(ens33, of: "alone") == nil)
    }

    @Test("the same lab has the same plan")
    func deterministic() throws {
        #expect(try DeploymentPlan(lab(Self.yaml)) == DeploymentPlan(lab(Self.yaml)))
    }

    @Test("networks keep their names; what would collide with them gets another")
    func collisions() throws {
        let plan = try DeploymentPlan(
            lab(
                """
                name: t
                networks: { a.eth0: , p2p1: , lan: { subnet: 10.0.0.0/24 } }
                nodes:
                  a: { interfaces: { eth0: { network: lan } } }
                  b:
                links: [ { endpoints: [ "a:eth1", "b:eth1" ] } ]
                """))
        #expect(plan.bridges.prefix(3).map(\.name.text) == ["a.eth0", "p2p1", "lan"])
        #expect(plan.bridges[3].name.text.hasPrefix("p2p1~"))
        #expect(plan.ports[0].name.text.hasPrefix("a.eth0~"))
        let names = plan.bridges.map(\.name) + plan.ports.map(\.name)
        #expect(Set(names).count == names.count)
    }

    @Test("a thousand long names stay apart, and none is longer than 15 bytes")
    func manyNames() {
        var names = FabricNames()
        let all = (0..<3000).map { names.name("a-node-with-a-long-name-\($0).eth0").text }
        #expect(Set(all).count == 3000)
        #expect(all.allSatisfy { $0.utf8.count <= 15 })
        // A name is cut between characters.
        #expect(names.name("ääääääää.eth0").text.hasPrefix("äääää~"))
    }

    @Test("addresses go to their interface's index; routes on the link come before gateways")
    func nodes() throws {
        let plan = try DeploymentPlan(lab(Self.yaml))
        let master = plan.nodes[0]
        #expect(master.addresses.map(\.address.description) == ["10.0.0.1/24", "2001:db8::1/64"])
        #expect(master.addresses.map(\.interfaceIndex) == [2, 3])
        #expect(
            master.routes.map { $0.destination?.description ?? "default" } == [
                "10.0.5.5/32", "default",
            ])
    }

    @Test("/etc/hosts: localhost, the node itself, then the others with their first addresses")
    func hosts() throws {
        let plan = try DeploymentPlan(lab(Self.yaml))
        #expect(
            plan.hostsFiles.text(for: "loadbalancer-one") == """
                127.0.0.1 localhost
                ::1 localhost ip6-localhost ip6-loopback
                10.0.0.2 loadbalancer-one
                10.0.0.1 master
                2001:db8::1 master
                10.0.0.3 loadbalancer-two

                """)
        #expect(plan.hostsFiles.text(for: "alone").contains("127.0.1.1 alone\n"))
        #expect(!plan.hostsFiles.text(for: "master").contains("alone"))
    }

    @Test("a lab from elsewhere: too many ports, or a plug without a socket, is refused")
    func refused() throws {
        let lan = try #require(InterfaceName("lan"))
        let eth0 = try #require(InterfaceName("eth0"))
        func lab(interfaces: Int, attachment: Interface.Attachment) -> Lab {
            Lab(
                name: "t", networks: [Network(name: lan)],
                nodes: (0..<interfaces).map { number in
                    Node(
                        name: "n\(number)",
                        interfaces: [
                            Interface(
                                name: eth0, attachment: attachment,
                                mac: MACAddress(rawValue: UInt64(0x0200_0000_0000 + number)))
                        ])
                })
        }
        func message(_ lab: Lab) -> String? {
            do throws(Diagnostic) {
                _ = try DeploymentPlan(lab)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(message(lab(interfaces: 1023, attachment: .network(lan))) == nil)
        #expect(
            message(lab(interfaces: 1024, attachment: .network(lan)))
                == "t: bridge lan would have 1024 ports; Linux allows 1023")
        #expect(
            message(lab(interfaces: 1, attachment: .network(eth0)))
                == "t: interface n0:eth0 is on no network of the lab: eth0")
        #expect(
            message(lab(interfaces: 1, attachment: .link(0)))
                == "t: interface n0:eth0 is on no link of the lab: 0")
    }
}
