import Glibc
import LinuxSystem
import Testing

/// Whether the kernel has time namespaces.
private let hasTimeNamespaces = FileSystem.exists("/proc/self/ns/time_for_children")

@Suite(
    "Services whose clocks are off", .enabled(if: buildsLabs, "needs root"),
    .enabled(if: hasTimeNamespaces, "needs time namespaces"))
struct ServiceClockTests {
    /// A service that writes down what its clock says when it is started.
    private static let clock = """
        nodes:
          a:
            services:
              clock:
                kind: command
                command:
                  - sh
                  - -c
                  - "cat /proc/uptime > /tmp/up; mv /tmp/up /tmp/uptime; exec sleep infinity"
        """

    /// How far its clock is ahead of the machine's, in seconds.
    private func offset(_ lab: LabUnderTest) throws -> Double {
        var text = ""
        try eventually("it has looked at its clock") {
            text = try lab.exec("a", "cat", "/tmp/uptime").output
            return !text.isEmpty
        }
        _ = try lab.shell("a", "rm /tmp/uptime")
        func seconds(_ text: String) -> Double? {
            text.split(separator: " ").first.flatMap { Double($0) }
        }
        let own = try #require(seconds(text))
        return own - (try #require(seconds(try FileSystem.readText("/proc/uptime"))))
    }

    @Test("ahead, behind, and as they are again after a plain restart")
    func shifted() throws {
        let lab = try LabUnderTest("ck-shift", Self.clock)
        try lab.up()
        #expect(abs(try offset(lab)) < 20)
        try lab.fault("restart", "a/clock", "--clock", "+1h")
        #expect(abs(try offset(lab) - 3600) < 20)
        #expect(try lab.broken() == "clock a/clock +1h")
        // Only the service: not the node's first process, nor what else it starts.
        let uptime = try lab.shell("a", "cut -d. -f1 /proc/uptime")
        let own = try #require(Int(uptime.filter(\.isNumber)))
        let machine = try FileSystem.readText("/proc/uptime").prefix { $0.isNumber }
        #expect(abs(own - (Int(machine) ?? 0)) < 20)
        // systemctl starts it as it is.
        _ = try lab.shell("a", "systemctl restart clock")
        #expect(abs(try offset(lab) - 3600) < 20)
        try lab.fault("heal")
        #expect(try lab.broken() == "clock a/clock +1h", "what runs keeps its clock")

        try lab.fault("restart", "a/clock", "--clock", "-30s")
        #expect(abs(try offset(lab) + 30) < 20)
        try lab.apply("stop", "a/clock")
        try lab.fault("start", "a/clock", "--clock", "+2h")
        #expect(abs(try offset(lab) - 7200) < 20)
        let running = try Labctl.run("start", "-l", lab.name, "a/clock", "--clock", "+1h")
        #expect(running.status == 5)
        #expect(running.errors == "service a/clock is running: restart it with its clock\n")

        try lab.apply("restart", "a/clock")
        #expect(abs(try offset(lab)) < 20)
        #expect(try lab.broken() == nil)
        let events = try lab.events("fault")
        #expect(events.contains("clock a/clock +1h") && events.contains("clock a/clock none"))
        try lab.down()
    }

    @Test("a clock before zero is refused before anything is stopped; a node's end ends it")
    func limits() throws {
        let lab = try LabUnderTest("ck-limits", Self.clock)
        try lab.up()
        let run = try Labctl.run("restart", "-l", lab.name, "a/clock", "--clock", "-900000h")
        #expect(run.status == 5)
        #expect(run.errors.contains("is before the start of this machine"), "\(run.errors)")
        #expect(try lab.status().node("a").state(of: "clock") == "ready")
        #expect(try !lab.events("control").contains("restart"))
        _ = try offset(lab)
        try lab.fault("restart", "a/clock", "--clock", "+1h")
        try lab.apply("kill", "a")
        #expect(try lab.broken() == nil)
        try lab.apply("start", "a")
        #expect(abs(try offset(lab)) < 20)
        try lab.down()
    }

    @Test("a service's root cannot set the machine's clock, nor its own")
    func capabilities() throws {
        let lab = try LabUnderTest(
            "ck-rights",
            """
            nodes:
              a:
                services:
                  try:
                    kind: command
                    command:
                      - sh
                      - -c
                      - |
                        grep ^CapEff /proc/self/status > /tmp/rights
                        (echo monotonic 5 0 > /proc/self/timens_offsets) 2>> /tmp/rights
                        exec sleep infinity
            """)
        try lab.up()
        try lab.fault("restart", "a/try", "--clock", "+1h")
        var text = ""
        try eventually("it has tried") {
            text = try lab.exec("a", "cat", "/tmp/rights").output
            return text.split(separator: "\n").count >= 2
        }
        let rights = try #require(
            UInt64(text.prefix { !$0.isNewline }.split(separator: "\t").last ?? "", radix: 16))
        #expect(rights & 1 << 25 == 0, "CAP_SYS_TIME")
        try lab.down()
    }

    /// Two routers and who they elect, with daemons whose clocks are off from the middle on.
    private func elections(_ daemon: String) throws {
        let files = Dictionary(
            uniqueKeysWithValues: [("master", 200), ("backup", 100)].map { node, priority in
                (
                    "\(node).conf",
                    """
                    vrrp_instance VI_1 {
                        version 3
                        state BACKUP
                        interface eth0
                        virtual_router_id 7
                        priority \(priority)
                        advert_int 0.1
                        virtual_ipaddress { 10.7.0.100 }
                    }

                    """
                )
            })
        func node(_ name: String, _ last: Int) -> String {
            """
              \(name):
                interfaces: { eth0: { network: lan, address: 10.7.0.\(last) } }
                files: { /etc/keepalived/keepalived.conf: \(name).conf }
                services: { vrrp: { kind: \(daemon) } }
            """
        }
        let lab = try LabUnderTest(
            "ck-\(daemon)",
            """
            networks: { lan: { subnet: 10.7.0.0/24 } }
            nodes:
            \(node("master", 1))
            \(node("backup", 2))
            scenarios:
              shifted:
                steps:
                  - expect: { vip: 10.7.0.100, on: master }
                  - restart: { service: master/vrrp, clock: +1h }
                  - expect: { vip: 10.7.0.100, on: master }
                  - expect: { vip: 10.7.0.100, on: master, for: 1s }
                  - restart: { service: backup/vrrp, clock: -20s }
                  - expect: { vip: 10.7.0.100, on: master, for: 1s }
                  - kill: master
                  - expect: { vip: 10.7.0.100, on: backup }
            """, files: files)
        let run = try Labctl.run("test", lab.folder)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        // What the daemon says of itself is stamped by the lab's clock.
        try lab.up()
        try lab.fault("restart", "master/vrrp", "--clock", "+1h")
        try eventually("it is master again", within: .seconds(20)) {
            try lab.status().node("master").virtualRouters.first?.role == "MASTER"
        }
        let claims = try lab.events("claim").split(separator: "\n").compactMap {
            $0.split(separator: " ").first.flatMap { Double($0) }
        }
        #expect(!claims.isEmpty && claims.allSatisfy { (-1...120) ~= $0 }, "\(claims)")
        try lab.down()
    }

    @Test("routers go on as ever: our agent")
    func agent() throws { try elections("vrrp-agent") }

    @Test("routers go on as ever: keepalived", .enabled(if: hasKeepalived, "needs keepalived"))
    func keepalived() throws { try elections("keepalived") }
}
