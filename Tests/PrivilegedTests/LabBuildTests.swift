import Glibc
import LinuxSystem
import Testing

@Suite(
    "Building a lab: what the file says is what the nodes have", .serialized,
    .enabled(if: buildsLabs, "needs root"))
struct LabBuildTests {
    private static let lab = """
        networks:
          lan: { subnets: [ 10.77.1.0/24, "fd77:1::/64" ], mtu: 1400 }
          wan: { subnet: 10.77.2.0/24 }
        nodes:
          alpha:
            interfaces:
              eth0: { network: lan, addresses: [ 10.77.1.10, "fd77:1::10" ], mac: "02:00:00:00:00:0a" }
              eth1: { network: wan, address: 10.77.2.1 }
            sysctls: { net.ipv4.ip_forward: 1, net.ipv4.conf.eth0.rp_filter: 2, kernel.shmmni: 77,
                       net.ipv6.conf.all.accept_dad: 0, net.ipv6.conf.eth1.accept_dad: 0 }
            environment: { GREETING: good day }
            files:
              /etc/motd: { text: "hi\\n", mode: "0640", owner: www-data, group: adm }
              /scripts/run.sh: { from: run.sh, mode: "0755" }
          beta:
            interfaces: { eth0: { network: lan } }
            gateway: 10.77.1.10
            routes: [ { to: 10.99.0.0/16, via: 10.77.1.10 }, { to: "2001:db8::/32", dev: eth0 } ]
          gamma:
            interfaces: { eth0: { network: wan, mtu: 1300 } }
            gateway: 10.77.2.1
        links:
          - endpoints: [ "alpha:cable", "beta:cable" ]
            addresses: [ 192.168.9.1/30, 192.168.9.2/30 ]
            mtu: 9000

        """
    private let lab: LabUnderTest

    init() throws {
        lab = try LabUnderTest(
            "lb-build", Self.lab, files: ["run.sh": "#!/bin/sh\necho \"ran $1\"\n"])
        try lab.up()
    }

    @Test("addresses are those given, and assigned ones avoid them")
    func addresses() throws {
        let alpha = try lab.shell("alpha", "ip -o addr show scope global | awk '{print $2, $4}'")
        #expect(
            alpha.split(separator: "\n").sorted() == [
                "cable 192.168.9.1/30", "eth0 10.77.1.10/24", "eth0 fd77:1::10/64",
                "eth1 10.77.2.1/24",
            ])
        let beta = try lab.shell("beta", "ip -o addr show scope global | awk '{print $2, $4}'")
        #expect(
            beta.split(separator: "\n").sorted() == [
                "cable 192.168.9.2/30", "eth0 10.77.1.1/24", "eth0 fd77:1::1/64",
            ])
        #expect(try lab.shell("gamma", "ip -o -4 addr show eth0").contains(" 10.77.2.2/24 "))
        #expect(try lab.shell("beta", "ip -6 addr show tentative scope global").isEmpty)
        // What its sysctls say of an interface counts from its first moment.
        #expect(try lab.shell("alpha", "ip -6 addr show dev eth1 tentative").isEmpty)
    }

    @Test("interfaces have their index from 2, MTU and MAC, whatever the order of events")
    func interfaces() throws {
        let script = "cd /sys/class/net; for i in *; do echo $i $(cat $i/ifindex $i/mtu); done"
        let alpha = try lab.shell("alpha", script).split(separator: "\n").sorted()
        #expect(alpha == ["cable 4 9000", "eth0 2 1400", "eth1 3 1500", "lo 1 65536"])
        #expect(try lab.shell("gamma", script).contains("eth0 2 1300\n"))
        #expect(
            try lab.shell("alpha", "cat /sys/class/net/eth0/address") == "02:00:00:00:00:0a\n")
    }

    @Test("a packet of the link's MTU passes in one piece, one more byte does not")
    func linkCarriesItsMTU() throws {
        let ping = "ping -c 1 -W 2 -M do 192.168.9.1 -s"
        #expect(try lab.exec("beta", "sh", "-c", "\(ping) 8972").status == 0)
        #expect(try lab.exec("beta", "sh", "-c", "\(ping) 8973").status != 0)
    }

    @Test("routes and gateways lead where they say, and a node with ip_forward routes")
    func routes() throws {
        let route = try lab.shell("beta", "ip route get 10.99.3.4; ip route get 203.0.113.1")
        #expect(route.split(separator: "\n").filter { $0.contains("via 10.77.1.10") }.count == 2)
        #expect(try lab.shell("beta", "ip -6 route show 2001:db8::/32").contains("dev eth0"))
        #expect(try lab.exec("beta", "ping", "-c", "1", "-W", "2", "10.77.2.2").status == 0)
    }

    @Test("sysctls are set: of the network, of one interface, of System V IPC")
    func sysctls() throws {
        let script = """
            cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/conf/eth0/rp_filter kernel/shmmni
            """
        #expect(try lab.shell("alpha", script) == "1\n2\n77\n")
        #expect(try lab.shell("beta", "cat /proc/sys/kernel/shmmni") != "77\n")
        #expect(try FileSystem.readText("/proc/sys/kernel/shmmni") != "77\n")
    }

    @Test("files have their contents, mode and owner, and the host sees none of them")
    func files() throws {
        let stat = "stat -c '%a %U %G %n' /etc/motd /scripts/run.sh"
        #expect(
            try lab.shell("alpha", stat)
                == "640 www-data adm /etc/motd\n755 root root /scripts/run.sh\n")
        #expect(try lab.shell("alpha", "cat /etc/motd; /scripts/run.sh x") == "hi\nran x\n")
        #expect(!FileSystem.exists("/scripts/run.sh"))
        #expect(try lab.exec("beta", "test", "-e", "/scripts/run.sh").status == 1)
        #expect(try lab.shell("alpha", "echo $GREETING") == "good day\n")
    }

    @Test("a node knows the others by name, in both families")
    func names() throws {
        for (node, other) in [("alpha", "beta"), ("beta", "alpha")] {
            #expect(try lab.shell(node, "hostname; cat /etc/hostname") == "\(node)\n\(node)\n")
            for family in ["-4", "-6"] {
                let ping = try lab.exec(node, "ping", family, "-c", "1", "-W", "2", other)
                #expect(ping.status == 0, "\(node) pings \(other): \(ping.output)\(ping.errors)")
            }
        }
        #expect(try lab.shell("gamma", "getent hosts alpha").contains("alpha"))
    }

    @Test("the host has no device or mount of the lab, and ip netns exec finds each node")
    func hostIsUntouched() throws {
        // A lab more or less makes no difference to what the host has.
        let devices = try Labctl.tool("/bin/ip", "-o", "link").output
        let mounts = try FileSystem.readText("/proc/self/mountinfo")
        try lab.down()
        #expect(try Labctl.tool("/bin/ip", "-o", "link").output == devices)
        #expect(try FileSystem.readText("/proc/self/mountinfo") == mounts)
        try lab.up()
        // An ordinary user's nodes have no such names.
        guard geteuid() == 0 else { return }
        for (node, address) in [("alpha", "10.77.1.10/24"), ("gamma", "10.77.2.2/24")] {
            let run = try Labctl.tool(
                "/bin/ip", "netns", "exec", "\(labPrefix)lb-build-\(node)", "ip", "-o", "addr")
            #expect(run.output.contains(" \(address) "), "\(run.errors)")
        }
    }

    @Test("two builds of a lab have the same MAC and link-local addresses")
    func identityIsDeterministic() throws {
        func identity() throws -> [String] {
            try lab.status().nodes.flatMap(\.interfaces).map { "\($0.name) \($0.mac)" }
        }
        let before = try identity()
        try lab.down()
        try lab.up()
        #expect(try identity() == before)
        #expect(Set(before.map { $0.suffix(17) }).count == before.count)
    }

    @Test("the same lab runs beside itself under another name, and neither hears of the other")
    func sideBySide() throws {
        let up = try Labctl.run("up", lab.folder, "--name", "\(labPrefix)lb-build-too")
        #expect(up.status == 0, "\(up.errors)")
        defer { _ = try? Labctl.run("down", "\(labPrefix)lb-build-too") }
        try lab.apply("kill", "alpha")
        let ping = ["ping", "-c", "1", "-W", "1", "10.77.1.10"]
        let mine = try Labctl.start(["exec", "-l", lab.name, "beta", "--"] + ping).finish()
        #expect(mine.status == 1, "\(mine.output)")
        let other = try Labctl.start(
            ["exec", "-l", "\(labPrefix)lb-build-too", "beta", "--"] + ping
        ).finish()
        #expect(other.status == 0, "\(other.output)")
        #expect(try Labctl.run("down", "\(labPrefix)lb-build-too").status == 0)
        try expectNothingLeft(of: "\(labPrefix)lb-build-too")
        #expect(try lab.exec("gamma", "true").status == 0)
    }
}
