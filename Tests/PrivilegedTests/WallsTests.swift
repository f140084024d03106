import Glibc
import LinuxSystem
import Testing

/// Whether nodes of labs get user namespaces of their own here.
private let hasWalls = (try? WalledNetwork.attempt()) != nil

@Suite(
    "A node's root administers its own network, and no other", .serialized,
    .enabled(if: hasWalls, "no user namespaces here"))
struct WallsTests {
    private static let python = "/usr/bin/python3"

    private static let yaml = """
        networks: { lan: { subnet: 10.0.0.0/24 } }
        nodes:
          a: { interfaces: { eth0: { network: lan } } }
          b: { interfaces: { eth0: { network: lan } } }

        """

    @Test("by netlink nobody gets through a cable into the switch", .enabled(if: buildsLabs))
    func netlink() throws {
        let lab = try LabUnderTest("walls", Self.yaml)
        try lab.up()
        for escape in Escape.overNetlink {
            let script = Escape.prelude + Escape.netlinkPrelude + escape.attempt
            let run = try lab.exec("a", Self.python, "-c", script)
            #expect(run.errors.isEmpty, "\(escape.name): \(run.errors)")
            #expect(
                escape.answers.contains(String(run.output.dropLast())), "\(escape.name): \(run)")
        }
        #expect(try lab.exec("a", "ping", "-c", "1", "-W", "5", "10.0.0.2").status == 0)
        try lab.down()
    }

    @Test(
        "user_namespaces(7): everybody in a node is who they are outside, root has its due",
        .enabled(if: geteuid() == 0, "needs root"))
    func identities() throws {
        let node = try NodeUnderTest()
        let outside = try Labctl.tool("/usr/bin/readlink", "/proc/self/ns/user").output
        #expect(try node.shell("readlink /proc/self/ns/user") != outside)
        #expect(
            try node.shell("cat /proc/self/uid_map /proc/self/gid_map").split(separator: " ")
                .filter { !$0.isEmpty } == ["0", "0", "4294967295\n", "0", "0", "4294967295\n"])
        let sets = "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | cut -f 2"
        let granted = String(Capabilities.ofNode.rawValue, radix: 16)
        let all = String(repeating: "0", count: 16 - granted.count) + granted
        let none = String(repeating: "0", count: 16)
        #expect(try node.shell(sets) == "\(none)\n\(all)\n\(all)\n\(all)\n\(none)\n")
        let user = try node.run(["sh", "-c", sets], user: "www-data").output
        #expect(user == "\(none)\n\(none)\n\(none)\n\(all)\n\(none)\n")
    }

    @Test(
        "what the kernel grants by capabilities of the machine's own users is granted by limits",
        .enabled(if: raisesLimits, "root may not raise limits here: user-mode Linux runs it"))
    func limits() throws {
        let node = try NodeUnderTest()
        let script = """
            import ctypes, os
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            os.setpriority(os.PRIO_PROCESS, 0, -20)
            print(ctypes.CDLL(None).mlockall(3), len(bytearray(16 << 20)) >> 20)
            """
        let run = try node.run([Self.python, "-c", script])
        #expect(run.output == "0 16\n", "\(run)")
    }

    @Test(
        "a lab that wants what the kernel keeps from user namespaces is up without, and says so",
        .enabled(if: geteuid() == 0, "needs root"))
    func without() throws {
        let lab = try LabUnderTest(
            "walls-less", "nodes: { a: { sysctls: { net.ipv6.route.gc_thresh: 2048 } } }\n")
        let up = try Labctl.run("up", lab.folder)
        try #require(up.status == 0, "\(up.errors)")
        #expect(up.errors.contains("warning: nodes have no user namespaces of their own"))
        #expect(up.errors.contains("net.ipv6.route.gc_thresh, of node a"))
        let outside = try Labctl.tool("/usr/bin/readlink", "/proc/self/ns/user").output
        #expect(try lab.exec("a", "readlink", "/proc/self/ns/user").output == outside)
        #expect(try lab.exec("a", "cat", "/proc/sys/net/ipv6/route/gc_thresh").output == "2048\n")
        try lab.down()
    }
}
