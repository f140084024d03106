import LabModel
import NetworkTypes
import Testing

@Suite("frr.conf")
struct FRRConfigurationTests {
    private func read(_ text: String) -> FRRConfiguration {
        FRRConfiguration(text, file: "frr.conf")
    }

    @Test("a router has FRR's defaults, and what its lines say")
    func router() throws {
        let router = try #require(
            read(
                """
                hostname left
                interface eth0
                 ip address 10.0.0.1/24
                 vrrp 5 ip 10.0.0.100
                exit
                """
            ).routers.first)
        #expect(router.interface == "eth0")
        #expect(router.version == 3)
        #expect(router.priority == 100)
        #expect(router.advertisementInterval == .seconds(1))
        #expect(router.preempts)
        #expect(router.device == "vrrp4-5")
        #expect(router.mac.description == "00:00:5e:00:01:05")
        let facts = read(
            """
            interface eth0
             vrrp 5 version 2
             vrrp 5 priority 200
             vrrp 5 advertisement-interval 3000
             no vrrp 5 preempt
             vrrp 5 ip 10.0.0.100
             vrrp 5 ip 10.0.0.101
            """
        ).facts(node: "left", service: "frr")
        let fact = try #require(facts.first)
        #expect(facts.count == 1)
        #expect((fact.version, fact.priority, fact.preempts) == (2, 200, false))
        #expect(fact.advertisementInterval == .seconds(3))
        #expect(fact.addresses.map(\.description) == ["10.0.0.100", "10.0.0.101"])
    }

    @Test("lines may end as they do on Windows")
    func carriageReturns() throws {
        let read = read("interface eth0\r\n vrrp 5 ip 10.0.0.100\r\n vrrp 5 priority x\r\n")
        let router = try #require(read.routers.first)
        #expect(router.addresses.map(\.description) == ["10.0.0.100"])
        #expect(read.diagnostics.map(\.line) == [3])
    }

    @Test("one VRID is two routers when it has addresses of both families")
    func families() {
        let routers = read(
            """
            interface eth0
             vrrp 7 priority 150
             vrrp 7 ip 10.0.0.100
             vrrp 7 ipv6 fe80::7
            """
        ).routers
        #expect(routers.map(\.device) == ["vrrp4-7", "vrrp6-7"])
        #expect(routers.map(\.priority) == [150, 150])
        #expect(routers.last?.mac.description == "00:00:5e:00:02:07")
    }

    @Test("defaults hold for routers named after them")
    func defaults() {
        let routers = read(
            """
            vrrp default advertisement-interval 100
            no vrrp default preempt
            interface eth0
             vrrp 7 ip 10.0.0.100
            """
        ).routers
        #expect(routers.map(\.advertisementInterval) == [.milliseconds(100)])
        #expect(routers.map(\.preempts) == [false])
    }

    @Test(
        "a line that vrrpd would refuse is told with its place",
        arguments: [
            ("interface eth0\n vrrp 0 ip 10.0.0.1", "frr.conf:2:2: a virtual router's number"),
            ("vrrp 5 ip 10.0.0.1", "frr.conf:1:1: `vrrp` stands in the block of an interface"),
            ("interface eth0\n vrrp 5 priority 255", "frr.conf:2:2: `vrrp 5 priority 255`"),
            ("interface eth0\n vrrp 5 version 4", "frr.conf:2:2: `vrrp 5 version 4`"),
            ("interface eth0\n vrrp 5 ip fe80::1", "frr.conf:2:2: `vrrp 5 ip fe80::1`"),
            ("interface eth0\n vrrp 5 colour red", "frr.conf:2:2: `vrrp 5 colour red`"),
            (
                "interface eth0\n vrrp 5 ip 10.0.0.1\ninterface eth1\n vrrp 5 ip 10.0.1.1",
                "frr.conf:4:2: VRID 5 is taken on interface eth0"
            ),
        ])
    func mistakes(text: String, message: String) {
        let diagnostics = read(text).diagnostics
        #expect(diagnostics.count == 1)
        #expect(diagnostics.first?.description.hasPrefix(message) == true, "\(diagnostics)")
    }

    @Test("comments, other daemons' lines and a router without an address count for nothing")
    func others() {
        let configuration = read(
            "! vrrp 0\n# vrrp 0\nrouter bgp 1\ninterface eth0\n vrrp 5 priority 7\n")
        #expect(configuration.routers.isEmpty)
        #expect(configuration.diagnostics.isEmpty)
    }
}
