import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Testing

@Suite(
    "external: networks that get out by NAT", .serialized,
    .enabled(if: geteuid() == 0, "needs root"),
    .enabled(if: hasNAT, "this kernel has no NAT by nf_tables: user-mode Linux runs it"))
struct NATTests {
    private static func lab(_ name: String, _ external: String) throws -> LabUnderTest {
        try LabUnderTest(
            name,
            """
            networks: { lan: { subnet: 10.0.0.0/24, external: \(external) } }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
              b: { interfaces: { eth0: { network: lan } } }

            """)
    }

    /// Whether a node gets an answer from there: `hello` and whose address it came with.
    private func call(
        _ address: String, from node: String, of lab: LabUnderTest, to listener: SharedDescriptor
    ) throws -> String? {
        let port = try TCPSocket.port(of: listener)
        let program = try Labctl.start([
            "exec", "-l", lab.name, node, "--", "timeout", "5", "bash", "-c",
            "exec 3<>/dev/tcp/\(address)/\(port) && cat <&3",
        ])
        if isReadable(listener.rawValue, for: .seconds(4)),
            let client = try TCPSocket.accept(listener)
        {
            let words = try peer(of: client)
            _ = send(client.rawValue, words, words.utf8.count, CLINUX_MSG_NOSIGNAL)
        }
        let run = try program.finish()
        return run.status == 0 ? run.output : nil
    }

    private func peer(of socket: SharedDescriptor) throws -> String {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let number = socket.rawValue
        try systemCall("look up a peer") {
            withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getpeername(number, $0, &length)
                }
            }
        }
        return "\(IPv4Address(rawValue: UInt32(bigEndian: address.sin_addr.s_addr)))"
    }

    private func listener(in namespace: borrowing TestNamespace) throws -> SharedDescriptor {
        try namespace.namespace.run {
            try TCPSocket.listen(on: .v4(.any), port: 0)
        }
    }

    @Test("nodes get out with the host's address; nobody gets in, and not to the host")
    func masquerade() throws {
        let machine = try PlayedHost()
        try machine.forward(true)
        let lab = try Self.lab("nat", "nat")
        let up = try machine.labctl("up", lab.folder)
        try #require(up.status == 0, "\(up.errors)")
        let world = try listener(in: machine.world)
        #expect(try call("192.0.2.2", from: "a", of: lab, to: world) == "192.0.2.1")
        #expect(try call("192.0.2.2", from: "b", of: lab, to: world) == "192.0.2.1")
        let host = try listener(in: machine.host)
        #expect(try call("192.0.2.1", from: "a", of: lab, to: host) == nil)
        let status = try machine.labctl("status", lab.name).output
        #expect(status.contains("external: lan by NAT, gateway 10.0.0.254, lab-"))
        #expect(try machine.labctl("graph", lab.name).output.contains("NAT"))
        #expect(try machine.leftOvers.count == 2, "a device and a table")
        // From outside there is no way in, even for one who knows the lab's addresses.
        let knock = try machine.inWorld("/usr/bin/ping", "-c", "1", "-W", "1", "10.0.0.1")
        #expect(knock.status != 0)
        #expect(try machine.labctl("down", lab.name).status == 0)
        #expect(try machine.leftOvers == [])
        #expect(try machine.forwards)
        try expectNothingLeft(of: lab.name)
    }

    @Test("a node's cable that is cut is cut for what is outside, too")
    func faults() throws {
        let machine = try PlayedHost()
        try machine.forward(true)
        let lab = try Self.lab("nat-faults", "nat")
        try #require(try machine.labctl("up", lab.folder).status == 0)
        let world = try listener(in: machine.world)
        #expect(try Labctl.run("link", "-l", lab.name, "a:eth0", "blackhole").status == 0)
        #expect(try call("192.0.2.2", from: "a", of: lab, to: world) == nil)
        #expect(try call("192.0.2.2", from: "b", of: lab, to: world) == "192.0.2.1")
        #expect(try Labctl.run("heal", "-l", lab.name).status == 0)
        #expect(try call("192.0.2.2", from: "a", of: lab, to: world) == "192.0.2.1")
    }

    @Test("two labs with the same network get out side by side, each with the word of its owner")
    func sideBySide() throws {
        let machine = try PlayedHost()
        let first = try Self.lab("nat-one", "{ type: nat, ip-forward: enable }")
        let second = try Self.lab(
            "nat-two", "{ type: nat, ip-forward: enable, dns: [ 192.0.2.2 ] }")
        let careful = try Self.lab("nat-careful", "nat")
        let refused = try machine.labctl("up", careful.folder)
        #expect(refused.status == 3)
        #expect(refused.errors.contains("this machine forwards no packets"))
        try expectNothingLeft(of: careful.name)
        for lab in [first, second] {
            let up = try machine.labctl("up", lab.folder)
            try #require(up.status == 0, "\(up.errors)")
        }
        #expect(try machine.forwards)
        let world = try listener(in: machine.world)
        for lab in [first, second] {
            #expect(try call("192.0.2.2", from: "a", of: lab, to: world) == "192.0.2.1")
        }
        #expect(
            try second.exec("a", "cat", "/etc/resolv.conf").output.hasSuffix(
                "nameserver 192.0.2.2\n"))
        #expect(try machine.labctl("down", first.name).status == 0)
        #expect(try machine.forwards, "the other one still has use for it")
        #expect(try call("192.0.2.2", from: "a", of: second, to: world) == "192.0.2.1")
        #expect(try machine.labctl("down", second.name).status == 0)
        #expect(try !machine.forwards)
        #expect(try machine.leftOvers == [])
    }

    @Test("a supervisor that is killed leaves nothing on the host, and the next up works")
    func killed() throws {
        let machine = try PlayedHost()
        let lab = try Self.lab("nat-killed", "{ type: nat, ip-forward: enable }")
        try #require(try machine.labctl("up", lab.folder).status == 0)
        let supervisor = try #require(try processes(of: lab.name).first)
        kill(supervisor, SIGKILL)
        // The kernel takes device and table; what it cannot know is put back by the next labctl.
        try eventually("the kernel has taken all of it", within: .seconds(10)) {
            try machine.leftOvers == []
        }
        // Its lock goes with its descriptors, which may be a moment later.
        try eventually("a labctl has put it back", within: .seconds(10)) {
            try machine.labctl("list").status == 0 && !machine.forwards
        }
        try expectNothingLeft(of: lab.name)
        try #require(try machine.labctl("up", lab.folder).status == 0)
        let next = try #require(try processes(of: lab.name).first)
        kill(next, SIGKILL)
        // At once: while the kernel may still be burying the device of that name.
        let again = try machine.labctl("up", lab.folder)
        #expect(again.status == 0, "\(again.errors)")
        let world = try listener(in: machine.world)
        #expect(try call("192.0.2.2", from: "a", of: lab, to: world) == "192.0.2.1")
        #expect(try machine.labctl("down", lab.name).status == 0)
        #expect(try !machine.forwards)
        #expect(try machine.leftOvers == [])
    }
}
