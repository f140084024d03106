import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

@Suite(
    "external: networks that are the host's, by macvlans", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct MacvlanTests {
    /// A router's configuration: adverts every 100 ms, so that it is missed after about 400.
    private static func router(priority: Int, _ more: String = "") -> String {
        """
        vrrp_instance VI_1 {
         interface eth1
         version 3
         virtual_router_id 51
         priority \(priority)
         advert_int 0.1
         \(more)
         virtual_ipaddress { 192.0.2.100/24 }
        }

        """
    }

    /// Two routers on the played host's eth0, and on a network of the lab's own.
    private static func lab(
        _ name: String, parent: String = "eth0", router more: String = ""
    ) throws -> LabUnderTest {
        try LabUnderTest(
            name,
            """
            networks:
              lan: { subnet: 10.0.0.0/24 }
              out: { subnet: 192.0.2.0/24, external: { type: macvlan, parent: \(parent) } }
            nodes:
              a:
                interfaces:
                  eth0: { network: lan }
                  eth1: { network: out, address: 192.0.2.11 }
                files: { /etc/keepalived/keepalived.conf: a.conf }
                services: { keepalived: { kind: vrrp-agent } }
              b:
                interfaces:
                  eth0: { network: lan }
                  eth1: { network: out, address: 192.0.2.12 }
                files: { /etc/keepalived/keepalived.conf: b.conf }
                services: { keepalived: { kind: vrrp-agent } }

            """,
            files: ["a.conf": router(priority: 150, more), "b.conf": router(priority: 100)])
    }

    /// The Ethernet address that answers for an address out there; nil where none does.
    private func station(_ address: String, in machine: PlayedHost) throws -> String? {
        _ = try machine.inWorld("/sbin/ip", "neigh", "flush", "dev", "eth0")
        let ping = try machine.inWorld("/usr/bin/ping", "-c", "1", "-W", "1", address)
        guard ping.status == 0 else { return nil }
        let words = try machine.inWorld("/sbin/ip", "neigh", "show", address).output
            .split(separator: " ").map(String.init)
        guard let place = words.firstIndex(of: "lladdr") else { return nil }
        return words[place + 1]
    }

    private func mac(of node: String, in lab: LabUnderTest) throws -> String {
        try lab.exec(node, "cat", "/sys/class/net/eth1/address").output.filter { $0 != "\n" }
    }

    @Test("nodes are stations of the host's network, with their addresses, and hear each other")
    func stations() throws {
        let machine = try PlayedHost()
        let lab = try Self.lab("macvlan")
        let up = try machine.labctl("up", "--wait", "converged", lab.folder)
        try #require(up.status == 0, "\(up.errors)")
        for (node, address) in [("a", "192.0.2.11"), ("b", "192.0.2.12"), ("a", "192.0.2.100")] {
            #expect(try station(address, in: machine) == mac(of: node, in: lab), "\(address)")
        }
        let links = try lab.exec("a", "ip", "-o", "link").output
        #expect(links.contains("3: eth1@"), "\(links)")
        // From one to the other, and to what is out there.
        for address in ["192.0.2.12", "192.0.2.2"] {
            #expect(try lab.exec("a", "ping", "-c", "1", "-W", "2", address).status == 0)
        }
        // Had they not heard each other, both would hold it.
        #expect(try lab.exec("b", "ip", "-4", "addr").output.contains("192.0.2.100") == false)
        #expect(
            try machine.labctl("status", lab.name).output.contains(
                "external: out by macvlans of eth0"))
        #expect(try machine.labctl("graph", lab.name).output.contains("the host's eth0"))
        #expect(try machine.leftOvers == [], "what there is is in the nodes")
        #expect(try machine.labctl("down", lab.name).status == 0)
        #expect(try machine.leftOvers == [])
        try eventually("the kernel has buried its macvlan, and what answered by it") {
            try station("192.0.2.11", in: machine) == nil
        }
        try expectNothingLeft(of: lab.name)
    }

    @Test("a router that dies, and one whose cable is pulled, is followed by the other")
    func failover() throws {
        let machine = try PlayedHost()
        let lab = try Self.lab("macvlan-failover")
        try #require(try machine.labctl("up", "--wait", "converged", lab.folder).status == 0)
        let (a, b) = (try mac(of: "a", in: lab), try mac(of: "b", in: lab))
        #expect(try Labctl.run("kill", "-l", lab.name, "a").status == 0)
        #expect(try station("192.0.2.11", in: machine) == nil, "its power is cut")
        try eventually("b has taken over") { try station("192.0.2.100", in: machine) == b }
        // At once: the kernel may still be burying the macvlan of the same address.
        let start = try Labctl.run("start", "-l", lab.name, "a")
        try #require(start.status == 0, "\(start.errors)")
        try eventually("a has it back") { try station("192.0.2.100", in: machine) == a }
        #expect(try Labctl.run("link", "-l", lab.name, "a:eth1", "down").status == 0)
        try eventually("b has taken over") { try station("192.0.2.100", in: machine) == b }
        #expect(try station("192.0.2.11", in: machine) == nil)
        #expect(
            try lab.exec("a", "cat", "/sys/class/net/eth1/carrier").output == "0\n",
            "it sees that its carrier is gone")
        // A node that starts finds its cable as it left it.
        try #require(try Labctl.run("restart", "-l", lab.name, "a").status == 0)
        #expect(try lab.exec("a", "cat", "/sys/class/net/eth1/carrier").output == "0\n")
        #expect(try Labctl.run("link", "-l", lab.name, "a:eth1", "up").status == 0)
        try eventually("a has it back") { try station("192.0.2.100", in: machine) == a }
        #expect(try machine.labctl("down", lab.name).status == 0)
        try expectNothingLeft(of: lab.name)
    }

    @Test("routers of two labs on one interface of the host's follow each other")
    func twoLabs() throws {
        let machine = try PlayedHost()
        let labs = try [("one", "192.0.2.11", 150), ("two", "192.0.2.12", 100)].map {
            try LabUnderTest(
                "macvlan-\($0)",
                """
                networks:
                  out: { subnet: 192.0.2.0/24, external: { type: macvlan, parent: eth0 } }
                nodes:
                  a:
                    interfaces: { eth1: { network: out, address: \($1) } }
                    files: { /etc/keepalived/keepalived.conf: a.conf }
                    services: { keepalived: { kind: vrrp-agent } }

                """, files: ["a.conf": Self.router(priority: $2)])
        }
        for lab in labs {
            let up = try machine.labctl("up", lab.folder)
            try #require(up.status == 0, "\(up.errors)")
        }
        let stations = try labs.map { try mac(of: "a", in: $0) }
        #expect(Set(stations).count == 2)
        func holder() throws -> String? { try station("192.0.2.100", in: machine) }
        try eventually("the first holds it") { try holder() == stations[0] }
        #expect(try Labctl.run("kill", "-l", labs[0].name, "a").status == 0)
        try eventually("the second has taken over") { try holder() == stations[1] }
        for lab in labs { #expect(try machine.labctl("down", lab.name).status == 0) }
        #expect(try machine.leftOvers == [])
    }

    @Test("what needs a switch of the lab's is refused, and nothing is broken then")
    func refusals() throws {
        let machine = try PlayedHost()
        let lab = try Self.lab("macvlan-refusals")
        try #require(try machine.labctl("up", lab.folder).status == 0)
        for words in [
            ["link", "a:eth1", "blackhole"], ["unplug", "a:eth1"],
            ["plug", "a:eth0", "out"], ["impair", "a:eth1", "loss", "10%"],
            ["partition", "a", "/", "b"], ["cut", "a", "to", "b"],
        ] {
            let run = try Labctl.start([words[0], "-l", lab.name] + words.dropFirst()).finish()
            #expect(run.status != 0, "\(words)")
            #expect(run.errors.contains("the host's eth0"), "\(words): \(run.errors)")
        }
        #expect(try Labctl.run("status", lab.name).output.contains("broken:") == false)
        // On the lab's own network all of it is as ever.
        #expect(try Labctl.run("link", "-l", lab.name, "a:eth0", "blackhole").status == 0)
        #expect(try Labctl.run("heal", "-l", lab.name).status == 0)
        try lab.down()
    }

    @Test("a supervisor that is killed leaves no macvlan, and the next up works at once")
    func killed() throws {
        let machine = try PlayedHost()
        let lab = try Self.lab("macvlan-killed")
        for _ in 0..<3 {
            let up = try machine.labctl("up", lab.folder)
            try #require(up.status == 0, "\(up.errors)")
            #expect(try station("192.0.2.12", in: machine) == mac(of: "b", in: lab))
            let supervisor = try #require(try processes(of: lab.name).first)
            kill(supervisor, SIGKILL)
        }
        try eventually("nobody is there any more") {
            try station("192.0.2.12", in: machine) == nil
        }
        #expect(try machine.leftOvers == [])
        _ = try machine.labctl("list")
        try expectNothingLeft(of: lab.name)
    }

    @Test("an interface that takes none is told before anything is made, with what would help")
    func parents() throws {
        let machine = try PlayedHost()
        func refusal(of lab: LabUnderTest) throws -> String {
            let up = try machine.labctl("up", lab.folder)
            #expect(up.status == 3)
            try expectNothingLeft(of: lab.name)
            return up.errors
        }
        #expect(
            try refusal(of: try Self.lab("macvlan-missing", parent: "eth1")).contains(
                "network out is that of this machine's eth1, which it does not have; did you mean "
                    + "'eth0'?"))
        let eth0 = try machine.host.device("eth0")
        try machine.host.socket.perform(.set(eth0, .down))
        let lab = try Self.lab("macvlan-parent")
        #expect(
            try refusal(of: lab).contains(
                "network out is that of this machine's eth0, which is down: "
                    + "`ip link set dev eth0 up`"))
        try machine.host.socket.perform(.set(eth0, .up))
        try machine.host.socket.perform(.add(Netlink.Bridge(name: try name("br0"))))
        let bridge = try machine.host.device("br0")
        try machine.host.socket.perform(.set(eth0, .master(bridge)))
        #expect(
            try refusal(of: lab).contains(
                "network out is that of this machine's eth0, of which this kernel makes no macvlan")
        )
        let virtual = try Self.lab("macvlan-virtual", router: "use_vmac")
        let up = try machine.labctl("up", virtual.folder)
        #expect(up.status != 0)
        #expect(up.errors.contains("a.conf:7:2: (VI_1) use_vmac takes"), "\(up.errors)")
    }

    @Test("it is root's: an ordinary user is told so before anything is made")
    func ordinaryUser() throws {
        let lab = try Self.lab("macvlan-user", parent: "lo0")
        let run = try OrdinaryUser.own.run(
            """
            $LABCTL up $LAB || echo status $?
            ls -A /tmp/labctl-\(OrdinaryUser.number) 2> /dev/null || :
            $LABCTL doctor | grep -o "external: macvlan) need it"
            """, lab: lab)
        #expect(run.output == "status 3\nexternal: macvlan) need it\n", "\(run.errors)")
        #expect(
            run.errors.contains(
                "network out is that of this machine's lo0, whose macvlans are root's to make"),
            "\(run.errors)")
    }
}
