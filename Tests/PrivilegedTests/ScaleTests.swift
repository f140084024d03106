import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite(
    "Labs of many nodes", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct ScaleTests {
    private static func lab(of count: Int) -> String {
        """
        networks: { lan: { subnet: 10.96.0.0/16 } }
        nodes:
          host: { count: \(count), interfaces: { eth0: { network: lan } } }

        """
    }

    /// Where a lab's process has something mounted below the lab's disk.
    private func disks(seenBy pid: Int32, of lab: String) throws -> [String] {
        try FileSystem.readText("/proc/\(pid)/mountinfo").split(separator: "\n")
            .compactMap { $0.split(separator: " ").dropFirst(4).first.map(String.init) }
            .filter { $0.contains("/\(lab)/disk/") }
    }

    @Test("no node copies another's disk: the supervisor's mounts do not grow with its nodes")
    func disksAreApart() throws {
        let lab = try LabUnderTest("sc-disks", Self.lab(of: 3))
        try lab.up()
        let running = try processes(of: lab.name)
        #expect(running.count >= 4)
        for pid in running { #expect(try disks(seenBy: pid, of: lab.name) == []) }
        // What one node writes is on its disk, over its restart, and on no other's.
        try lab.apply("stop", "host1")
        try lab.apply("start", "host1")
        #expect(try lab.exec("host1", "sh", "-c", "echo kept > /root/mark").status == 0)
        try lab.apply("kill", "host1")
        try lab.apply("start", "host1")
        let marks = try ["host1", "host2"].map { node in
            try lab.exec(node, "cat", "/root/mark").output
        }
        #expect(marks == ["kept\n", ""])
    }

    @Test("a node begins in its control group, not in its supervisor's")
    func beginsInGroup() throws {
        let lab = try LabUnderTest("sc-group", Self.lab(of: 2))
        try lab.up()
        let running = try processes(of: lab.name)
        let groups = try running.dropFirst().map { pid in
            try FileSystem.readText("/proc/\(pid)/cgroup").split(separator: "\n")
                .first { $0.hasPrefix("0::") }.map(String.init)
        }
        guard groups.contains(where: { $0 != nil }) else { return }  // No cgroup v2 here.
        for node in ["host1", "host2"] {
            #expect(groups.contains { $0?.hasSuffix(".\(lab.name).\(node)") ?? false }, "\(groups)")
        }
    }

    @Test("more nodes than build their file systems at once all come up, and answer")
    func manyComeUp() throws {
        let lab = try LabUnderTest("sc-many", Self.lab(of: 40))
        try lab.up()
        let status = try lab.status()
        #expect(status.nodes.count == 40)
        #expect(status.nodes.allSatisfy { $0.state == "running" })
        let ping = try lab.exec("host1", "ping", "-c1", "-W5", "10.96.0.40")
        #expect(ping.status == 0, "\(ping.output)")
    }
}
