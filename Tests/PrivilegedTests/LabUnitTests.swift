import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite(
    "nodes that feel like machines", .serialized, .enabled(if: buildsLabs, "needs root"))
struct LabUnitTests {
    private static let lab = """
        networks: { lan: { subnet: 10.83.0.0/24 } }
        nodes:
          a:
            interfaces: { ens33: { network: lan, address: 10.83.0.10 } }
            services:
              httpd: { kind: http, arguments: [ --port, 8080 ] }
              spare: { kind: http, arguments: [ --port, 8081 ], autostart: false }
          b: { interfaces: { eth0: { network: lan } } }

        """

    /// What the first lines of `systemctl status` say.
    private func isActive(_ lab: LabUnderTest, _ unit: String) throws -> String {
        String(try lab.exec("a", "systemctl", "is-active", unit).output.dropLast())
    }

    /// The states of a node, and of its services, that its timeline shows.
    private func states(_ lab: LabUnderTest) throws -> String {
        try Labctl.run("events", "-l", lab.name, "--node", "a").output
    }

    @Test("a node that reboots itself comes back with its disk, its links, and what is enabled")
    func reboot() throws {
        let lab = try LabUnderTest("lb-reboot", Self.lab)
        try lab.up()
        let before = try lab.status().node("a")
        #expect(try isActive(lab, "httpd") == "active")
        #expect(try isActive(lab, "spare") == "inactive")
        try lab.exec("a", "sh", "-c", "echo kept > /root/note; echo lost > /run/note")
        try lab.exec("a", "systemctl", "disable", "apache2")
        try lab.exec("a", "systemctl", "enable", "spare")
        #expect(try lab.exec("a", "reboot").status == 0)
        try eventually("a is another machine, and spare is ready") {
            let now = try lab.status().node("a")
            return try now.pid != nil && now.pid != before.pid && now.state(of: "spare") == "ready"
        }
        let after = try lab.status().node("a")
        #expect(after.interfaces.map(\.mac) == before.interfaces.map(\.mac))
        #expect(after.interfaces.map(\.addresses) == before.interfaces.map(\.addresses))
        #expect(try isActive(lab, "httpd") == "inactive")
        #expect(try lab.exec("a", "cat", "/root/note").output == "kept\n")
        #expect(try lab.exec("a", "test", "-e", "/run/note").status == 1)
        #expect(
            try lab.exec("b", "curl", "-s", "-o", "/dev/null", "http://10.83.0.10:8081/").status
                == 0)

        // The same from outside, and a node that has powered itself off.
        #expect(try Labctl.run("reboot", "-l", lab.name, "a").status == 0)
        #expect(try isActive(lab, "spare") == "active")
        #expect(try lab.exec("a", "poweroff").status == 0)
        try eventually("a is off") { try lab.status().node("a").state == "stopped" }
        #expect(try Labctl.run("start", "-l", lab.name, "a").status == 0)
        #expect(try isActive(lab, "spare") == "active")
        try lab.down()
    }

    @Test("what systemctl does is on the timeline, and labctl knows units by their aliases")
    func timeline() throws {
        let lab = try LabUnderTest("lb-units", Self.lab)
        try lab.up()
        try lab.exec("a", "systemctl", "stop", "httpd")
        #expect(try lab.status().node("a").state(of: "httpd") == "exited")
        #expect(try Labctl.run("start", "-l", lab.name, "a/apache2").status == 0)
        #expect(try isActive(lab, "httpd") == "active")
        _ = try lab.shell("a", "systemctl reload httpd && systemctl is-active httpd")
        let log = try lab.exec("a", "journalctl", "-u", "httpd", "-o", "cat").output
        #expect(log.contains("serving /var/www/html on "))
        let events = try states(lab)
        #expect(events.contains("stopping"), "\(events)")
        #expect(try lab.exec("a", "sh", "-c", "ps -ef | grep -c '[h]ttpd --port'").output == "1\n")
        try lab.down()
    }

    @Test("a service that a program of the node stops does not keep the lab from coming up")
    func stoppedMeanwhile() throws {
        let lab = try LabUnderTest(
            "lb-stopped",
            """
            nodes:
              a:
                services:
                  httpd: { kind: http }
                  notify: { kind: command, command: [ systemctl, stop, httpd ] }

            """)
        try lab.up()
        try eventually("httpd is down") {
            try lab.status().node("a").state(of: "httpd") == "exited"
        }
        try lab.down()
    }
}
