import Glibc
import LinuxSystem
import Testing

@Suite("The end of a scenario's run", .enabled(if: buildsLabs, "needs root"))
struct ScenarioEndTests {
    /// Ten routers that announce themselves a hundred times a second, each at the moment of the
    /// first and a little later: when the first has held its address for a while to the nanosecond,
    /// there are frames that have not been read.
    private static let routers = (1...10).map {
        """
        vrrp_instance VI_\($0) {
            version 3
            state MASTER
            interface eth0
            virtual_router_id \($0)
            priority 200
            advert_int 0.01
            virtual_ipaddress {
                10.9.0.\($0)
            }
        }

        """
    }.joined()

    private static let yaml = """
        networks: { lan: { subnet: 10.9.0.0/16 } }
        nodes:
          router:
            interfaces: { eth0: { network: lan, address: 10.9.1.1 } }
            files: { /etc/keepalived/keepalived.conf: routers.conf }
            services: { keepalived: { kind: vrrp-agent } }
        scenarios:
          held:
            steps:
              - expect: { vip: 10.9.0.1, on: router, for: 200ms }
        """

    @Test("a frame that ends a run just when its timer goes off ends nothing else")
    func frameAndTimer() throws {
        let lab = try LabUnderTest("se-busy", Self.yaml, files: ["routers.conf": Self.routers])
        let run = try Labctl.start(["test", lab.folder, "--repeat", "16", "--jobs", "2"]).finish()
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(!run.errors.contains("not recorded"), "\(run.errors)")
        for name in [lab.name, lab.name + "-2"] { try expectNothingLeft(of: name) }
    }

    @Test("a supervisor that ends by itself is told from a lab that was taken down")
    func supervisorEnds() throws {
        let lab = try LabUnderTest(
            "se-fallen",
            """
            nodes: { one: {} }
            scenarios:
              waits: { steps: [{ exec: { on: one, command: "sleep 100" } }] }
            """)
        let program = try Labctl.start(["test", lab.folder])
        try eventually("the scenario waits") {
            (try? processes(of: lab.name).contains { commandLine(of: $0).hasPrefix("sleep\0") })
                ?? false
        }
        let supervisor = try #require(
            try processes(of: lab.name).first {
                commandLine(of: $0).hasPrefix("labctl\0supervise\0")
            })
        kill(supervisor, SIGKILL)
        let run = try program.finish()
        #expect(run.status == 1, "\(run.errors)")
        #expect(
            run.output.contains("error: the supervisor of lab \(lab.name) has ended by itself"),
            "\(run.output)\(run.errors)")
        try expectNothingLeft(of: lab.name)
    }

    private func commandLine(of pid: Int32) -> String {
        (try? FileSystem.readText("/proc/\(pid)/cmdline")) ?? ""
    }
}
