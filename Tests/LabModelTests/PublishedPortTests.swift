import Foundation
import NetworkTypes
import Testing

@testable import LabModel

@Suite("published ports: how they are written, and what stands behind them")
struct PublishedPortTests {
    @Test(
        "what is written is understood, and said in the same way",
        arguments: [
            ("8080:10.0.0.100:80", "127.0.0.1:8080 -> 10.0.0.100:80"),
            ("0.0.0.0:8080:10.0.0.100:80", "0.0.0.0:8080 -> 10.0.0.100:80"),
            ("0:10.0.0.100:443/tcp", "127.0.0.1:0 -> 10.0.0.100:443"),
            ("[::1]:8080:[2001:db8::100]:80", "[::1]:8080 -> [2001:db8::100]:80"),
            ("[::]:1:b:65535", "[::]:1 -> 10.0.0.2:65535"),
        ])
    func forms(text: String, expected: String) throws {
        let lab = try lab(Self.yaml + "publish: \"\(text)\"\n")
        #expect(lab.published.map(\.description) == [expected])
    }

    static let yaml = """
        name: t
        networks:
          lan: { subnets: [ 10.0.0.0/24, "2001:db8::/64" ] }
          far: { subnet: 10.9.0.0/24 }
        nodes:
          a: { interfaces: { eth0: { network: lan } } }
          b:
            interfaces: { eth0: { network: lan } }
            gateway: 10.0.0.254
            files:
              /etc/keepalived/keepalived.conf: { text: "{ 10.0.0.253/24 }\\nx 2001:db8::ffff;" }

        """

    @Test("only a network that something is published on has a station of the lab's own")
    func gatewaysOnDemand() throws {
        let without = try lab(Self.yaml)
        #expect(!without.hasGateways)
        #expect(try DeploymentPlan(without).gateways.isEmpty)
        let with = try lab(Self.yaml + "publish: [ \"80:10.0.0.100:80\" ]\n")
        #expect(with.networks.map { $0.gateway != nil } == [true, false])
    }

    @Test("its addresses are the last ones that nobody has and no file speaks of")
    func gatewayAddresses() throws {
        let lab = try lab(Self.yaml + "publish: [ \"80:10.0.0.252:80\" ]\n")
        // .254 is a next hop, .253 in a file, .252 published.
        #expect(
            lab.networks[0].gateway?.map(\.description) == ["10.0.0.251/24", "2001:db8::fffe/64"])
    }

    @Test("its address can be given")
    func givenGateway() throws {
        let lab = try lab(
            """
            name: t
            networks: { lan: { subnet: 10.0.0.0/24, gateway: 10.0.0.1 } }
            nodes: { a: { interfaces: { eth0: { network: lan, address: 10.0.0.2 } } } }
            publish: 8080:a:80
            """)
        #expect(lab.networks[0].gateway?.map(\.description) == ["10.0.0.1/24"])
    }

    @Test("it has a port of its own, as a node has, and is the same each time")
    func plan() throws {
        let lab = try lab(Self.yaml + "publish: [ \"80:10.0.0.100:80\", \"81:10.9.0.1:80\" ]\n")
        let plan = try DeploymentPlan(lab)
        #expect(plan.gateways.map(\.node) == ["gateway@lan", "gateway@far"])
        #expect(plan.gateways.map(\.interfaceIndex) == [2, 3])
        #expect(plan.gateways.allSatisfy { $0.index > (plan.ports.map(\.index).max() ?? 0) })
        #expect(plan.greatestIndex == plan.gateways.last?.index)
        let all = plan.ports + plan.gateways
        #expect(Set(all.flatMap { [$0.mac, $0.interfaceMAC] }).count == 2 * all.count)
        #expect(try DeploymentPlan(lab) == plan)
        // Nobody's port changes because of it.
        #expect(try DeploymentPlan(try self.lab()).ports == plan.ports)
    }

    private func lab() throws -> Lab { try LabModelTests.lab(Self.yaml) }
    private func lab(_ yaml: String) throws -> Lab { try LabModelTests.lab(yaml) }

    @Test("what the command line publishes is added, and what it says wrong is refused")
    func commandLine() throws {
        let lab = try lab(Self.yaml + "publish: 80:10.0.0.100:80\n")
        let more = try lab.publishing(["81:10.9.0.7:80"])
        #expect(more.published.map(\.hostPort) == [80, 81])
        #expect(more.networks.map { $0.gateway != nil } == [true, true])
        #expect(more.networks[0] == lab.networks[0])
        func message(_ texts: String...) -> String? {
            do { _ = try lab.publishing(texts) } catch { return error.description }
            return nil
        }
        // One is in the file.
        let many = Array(repeating: "0:b:80", count: 127)
        #expect(try lab.publishing(many).published.count == 128)
        #expect(throws: Diagnostic.self) { try lab.publishing(many + ["0:b:80"]) }
        #expect(
            message("80:b:80") == "--publish: 127.0.0.1:80 is published already, for 10.0.0.100:80")
        #expect(
            message("0.0.0.0:80:b:80")
                == "--publish: 0.0.0.0:80 is published already, for 10.0.0.100:80")
        #expect(message("[::1]:80:b:80") == nil)
        #expect(message("82:c:80")?.contains("'c' is neither an address nor a node") == true)
        #expect(lab.withoutPublishedPorts.published.isEmpty)
    }

    @Test("a lab that was recorded before there were published ports can be read")
    func oldRecords() throws {
        let json =
            #"{"name":"t","networks":[{"name":"lan","subnets":[]}],"nodes":[],"#
            + #""links":[],"scenarios":[]}"#
        let old = try JSONDecoder().decode(Lab.self, from: Data(json.utf8))
        #expect(old.published.isEmpty)
        #expect(old.networks[0].gateway == nil && old.networks[0].external == nil)
    }

    @Test("connections are over as soon as somebody loses their address, and not before")
    func holders() throws {
        let address = try #require(IPAddress("10.0.0.100"))
        let other = try #require(IPAddress("10.0.0.101"))
        let held = InterfaceAddress(address, prefixLength: 32)
        var ownership = Ownership()
        var watch = HolderWatch([address])
        func fold(_ kind: TimelineEvent.Kind) -> [IPAddress] {
            ownership.fold(TimelineEvent(time: .zero, stamp: .origin, kind: kind))
            return watch.losses(ownership)
        }
        #expect(fold(.addressAdded(node: "a", interface: "eth0", address: held)) == [])
        #expect(
            fold(
                .addressAdded(
                    node: "a", interface: "eth0", address: InterfaceAddress(other, prefixLength: 32)
                ))
                == [])
        // A split brain: the old holder may still answer.
        #expect(fold(.addressAdded(node: "b", interface: "eth0", address: held)) == [])
        #expect(fold(.addressRemoved(node: "a", interface: "eth0", address: held)) == [address])
        #expect(fold(.node("a", .killed)) == [])
        #expect(fold(.node("b", .killed)) == [address])
        #expect(fold(.addressAdded(node: "a", interface: "eth0", address: held)) == [])
    }
}
