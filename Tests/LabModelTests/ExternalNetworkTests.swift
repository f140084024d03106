import NetworkTypes
import Testing

@testable import LabModel

@Suite("networks that get out by NAT: routes, name servers and the cable to the host")
struct ExternalNetworkTests {
    private func lab(_ external: String, _ more: String = "") throws -> Lab {
        try LabModelTests.lab(
            """
            name: t
            networks:
              lan: { subnets: [ 10.0.0.0/24, "2001:db8::/64" ], external: \(external) }
              inner: { subnet: 10.1.0.0/24 }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
              b: { interfaces: { eth0: { network: lan } }, gateway: 10.0.0.9 }
              c: { interfaces: { eth0: { network: inner } } }
              d:
                interfaces: { eth0: { network: inner }, eth1: { network: lan } }
                files: { /etc/resolv.conf: { text: mine } }
              e: { interfaces: { eth0: { network: lan, addresses: [] } } }
            \(more)
            """)
    }

    @Test("who is on it and has no default route gets one, to the lab's own station")
    func routes() throws {
        let lab = try lab("nat")
        #expect(lab.networks[0].external == .nat(.init()))
        #expect(lab.networks[0].gateway?.first?.description == "10.0.0.254/24")
        let gateways = lab.nodes.map { node in
            node.routes.filter { $0.destination == nil }.compactMap { $0.gateway?.description }
        }
        #expect(gateways == [["10.0.0.254"], ["10.0.0.9"], [], ["10.0.0.254"], []])
    }

    @Test("its words: the type alone, or with name servers and the say about forwarding")
    func words() throws {
        #expect(
            try lab("{ type: nat, dns: [ 192.0.2.53 ], ip-forward: enable }").networks[0].external
                == .nat(
                    .init(
                        enablesForwarding: true,
                        nameServers: [.v4(IPv4Address(192, 0, 2, 53))])))
        #expect(
            try lab("{ type: nat, dns: [], ip-forward: keep }").networks[0].external
                == .nat(.init(nameServers: [])))
    }

    @Test("name servers are the host's that can be reached, unless the lab has its own")
    func nameServers() throws {
        let host = ResolverConfiguration(
            parsing: """
                # a comment
                nameserver 127.0.0.53
                nameserver 192.0.2.1
                nameserver 2001:db8::53
                nameserver\t192.0.2.2
                options edns0
                search example.org lab.example.org
                """)
        #expect(host.nameServers.map(\.description) == ["192.0.2.1", "192.0.2.2"])
        func texts(_ lab: Lab) -> [String?] {
            lab.resolvingNames(by: host).nodes.map { node in
                node.files.first { $0.path == "/etc/resolv.conf" }.map {
                    String(decoding: $0.contents, as: UTF8.self)
                }
            }
        }
        let found = """
            search example.org lab.example.org
            nameserver 192.0.2.1
            nameserver 192.0.2.2

            """
        #expect(texts(try lab("nat")) == [found, found, nil, "mine", found])
        #expect(
            texts(try lab("{ type: nat, dns: 192.0.2.9 }")).first
                == "search example.org lab.example.org\nnameserver 192.0.2.9\n")
        #expect(
            texts(try LabModelTests.lab("name: t\nnodes: { a: }")) == [nil])
    }

    @Test("the cable's addresses are always the same, and nobody else's")
    func transit() throws {
        let first = try #require(TransitNetwork.choose(for: "t", besides: []))
        #expect(first.length == 30 && TransitNetwork.space.contains(first.base))
        let everything = IPPrefix(containing: .v4(.any), length: 0)
        #expect(TransitNetwork.choose(for: "t", besides: [everything]) == first)
        let other = try #require(TransitNetwork.choose(for: "t", besides: [first]))
        #expect(!other.overlaps(first))
        let wide = IPPrefix(containing: first.base, length: 24)
        let far = try #require(TransitNetwork.choose(for: "t", besides: [wide]))
        #expect(!far.overlaps(wide))
        #expect(TransitNetwork.choose(for: "t", besides: [TransitNetwork.space]) == nil)
        let large = try #require(TransitNetwork.choose(for: "t", besides: [], length: 24))
        #expect(large.length == 24 && TransitNetwork.space.contains(large.base))
        let elsewhere = try #require(TransitNetwork.choose(for: "t", besides: [large], length: 24))
        #expect(!elsewhere.overlaps(large))
    }

    @Test("what a lab has on its host bears its name, as far as there is room")
    func names() {
        #expect(HostDevice.name(of: "httpd-ha").text == "lab-httpd-ha")
        #expect(HostDevice.name(of: "a-lab-of-a-long-name").text.hasPrefix("lab-a-lab-~"))
        #expect(HostDevice.name(of: "a-lab-of-a-long-name").text.utf8.count <= 15)
        #expect(HostDevice.table(of: "httpd-ha") == "labctl-httpd-ha")
    }
}
