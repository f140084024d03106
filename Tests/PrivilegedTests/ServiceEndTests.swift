import Glibc
import LinuxSystem
import Testing

@Suite("The end of a service", .enabled(if: buildsLabs, "needs root"))
struct ServiceEndTests {
    private static let yaml =
        "nodes: { a: { services: { web: { kind: command, command: [sleep, infinity] } } } }"

    /// Starts a process that counts as the service's, by its mark, and whose parent, none of the
    /// service's, waits for it only when `/tmp/gate` is opened. Gives its number.
    private func leaveBehind(_ lab: LabUnderTest) throws -> (RunningProgram, pid: String) {
        let parent = try Labctl.start([
            "exec", "-l", lab.name, "a", "--", "sh", "-c",
            """
            mkfifo /tmp/gate
            LABCTL_UNIT=web sleep infinity &
            until grep -q LABCTL_UNIT=web /proc/$!/environ; do :; done
            echo $!
            exec cat /tmp/gate
            """,
        ])
        let pid = try parent.nextLine()
        return (parent, pid)
    }

    @Test("kill returns when nothing of the service is there, be it for kill(2) only")
    func waitsForAll() throws {
        let lab = try LabUnderTest("se-all", Self.yaml)
        try lab.up()
        let (parent, pid) = try leaveBehind(lab)
        let killing = try Labctl.start(["kill", "-l", lab.name, "a/web"])
        try eventually("it has ended, and nobody has asked how") {
            try lab.shell("a", "cut -d' ' -f3 /proc/\(pid)/stat || echo gone") != "S\n"
        }
        _ = try lab.shell("a", ": > /tmp/gate")
        #expect(try killing.finish().status == 0)
        #expect(try lab.exec("a", "sh", "-c", "kill -0 \(pid)").status == 1)
        #expect(try parent.finish().status == 0)
        #expect(try lab.events("service").contains("web ended with signal 9"))
        try lab.apply("start", "a/web")
        #expect(try lab.status().node("a").state(of: "web") == "ready")
        try lab.down()
    }

    @Test("what never goes away is waited for a second, no longer")
    func waitsNotForEver() throws {
        let lab = try LabUnderTest("se-bound", Self.yaml)
        try lab.up()
        let (parent, pid) = try leaveBehind(lab)
        let run = try Labctl.run("kill", "-l", lab.name, "a/web")
        #expect(run.status == 0)
        #expect(run.duration >= .milliseconds(900), "\(run.duration)")
        #expect(run.duration < .seconds(20))
        #expect(try lab.exec("a", "sh", "-c", "kill -0 \(pid)").status == 0)
        // It counts as ended all the same, for the node's own systemctl as well.
        #expect(try lab.exec("a", "systemctl", "is-active", "web").status == 3)
        try lab.apply("start", "a/web")
        try lab.apply("stop", "a")
        _ = try parent.finish()
        try lab.down()
    }

    @Test(
        "keepalived that is killed can be started at once, fifty times in a row",
        .enabled(if: hasKeepalived, "needs keepalived"))
    func keepalived() throws {
        let lab = try LabUnderTest(
            "se-fifty",
            """
            networks: { lan: { subnet: 10.8.0.0/24 } }
            nodes:
              a:
                interfaces: { eth0: { network: lan, address: 10.8.0.1 } }
                files: { /etc/keepalived/keepalived.conf: a.conf }
                services: { keepalived: { kind: keepalived } }
            """,
            files: [
                "a.conf": """
                vrrp_instance VI_1 {
                    state MASTER
                    interface eth0
                    virtual_router_id 8
                    priority 100
                    advert_int 1
                    virtual_ipaddress { 10.8.0.100 }
                }

                """
            ])
        try lab.up()
        for round in 1...50 {
            try lab.apply("kill", "a/keepalived")
            let run = try Labctl.run("start", "-l", lab.name, "a/keepalived")
            try #require(run.status == 0, "round \(round): \(run.errors)")
        }
        #expect(try !Labctl.run("logs", "-l", lab.name, "a").output.contains("already running"))
        try lab.down()
    }
}
