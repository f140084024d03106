import Glibc
import LinuxSystem
import Testing

@Suite(
    "doctor: what this machine can and cannot do, and why",
    .enabled(if: geteuid() == 0, "needs root"))
struct DoctorTests {
    @Test(
        "where labs run, everything that is required is there, and each point says why it matters")
    func here() throws {
        let run = try Labctl.run("doctor", "--format", "json")
        #expect(run.status == 0)
        #expect(run.errors == "")
        let found = try DoctorFinding.all(in: run)
        for required in [
            "root", "programs", "namespaces", "overlayfs", "run directory", "bridge", "veth",
            "packet capture", "netlink of all namespaces",
        ] {
            let finding = try #require(found[required], "\(required)")
            #expect(finding.isPresent && finding.isRequired, "\(finding)")
        }
        // The kernel says itself what its filters can answer, where it has any.
        let filters = FileSystem.exists("/proc/sys/kernel/seccomp/actions_avail")
        #expect(found["seccomp"]?.isPresent == filters)
        for finding in found.values {
            #expect(!finding.detail.isEmpty)
            // What is missing says how to get it.
            #expect(finding.isPresent || finding.detail.contains(": "), "\(finding)")
        }
    }

    @Test("as a table: a mark, the capability, the detail")
    func table() throws {
        let run = try Labctl.run("doctor")
        #expect(run.status == 0)
        let lines = run.output.split(separator: "\n")
        #expect(lines.first?.contains("CAPABILITY") == true)
        #expect(lines.contains { $0.hasPrefix("ok ") && $0.contains("running as root") })
        #expect(!run.output.contains("MISSING"))
    }

    @Test(
        "what a lab needs and the kernel lacks is refused with the remedy, before anything is made")
    func labNeeds() throws {
        let isThere = try #require(
            DoctorFinding.all(in: Labctl.run("doctor", "--format", "json"))["ip_vs"]
        )
        .isPresent
        let lab = try LabUnderTest(
            "doctor-needs",
            """
            needs: ip_vs
            nodes: { a: {} }
            scenarios: { s: { steps: [ wait: 1ms ] } }
            """)
        let status: Int32 = isThere ? 0 : 3
        let check = try Labctl.run("check", lab.folder)
        #expect(check.status == status, "\(check)")
        let doctor = try Labctl.run("doctor", lab.folder, "--format", "json")
        #expect(doctor.status == status)
        #expect(try DoctorFinding.all(in: doctor)["ip_vs"]?.isRequired == true)
        let up = try Labctl.run("up", lab.folder)
        #expect(up.status == status)
        let test = try Labctl.run("test", lab.folder)
        #expect(test.output.contains(isThere ? "1 passed" : "1 skipped"), "\(test.output)")
        if isThere {
            try lab.down()
        } else {
            for errors in [check.errors, up.errors] {
                #expect(errors.contains("lab \(lab.name) needs ip_vs: "), "\(errors)")
                #expect(errors.contains("user-mode Linux"), "\(errors)")
            }
        }
    }

    @Test("of each kind of link it says what ip link says", arguments: ["dummy", "vrf", "macvlan"])
    func kinds(kind: String) throws {
        let link = kind == "macvlan" ? "link below" : ""
        let made = try Labctl.tool(
            "/usr/bin/unshare", "-n", "/bin/sh", "-c",
            """
            ip link add below type bridge
            ip link add \(link) one type \(kind) \(kind == "vrf" ? "table 10" : "")
            """)
        let finding = try #require(
            DoctorFinding.all(in: Labctl.run("doctor", "--format", "json"))[kind])
        #expect(finding.isPresent == (made.status == 0), "\(finding.detail); \(made.errors)")
    }

    @Test("it leaves nothing behind, neither in the run directory nor among the devices")
    func nothingLeft() throws {
        let before = try FileSystem.readText("/proc/self/net/dev").split(separator: "\n").count
        try Labctl.run("doctor")
        #expect(try FileSystem.list("/run/labctl").filter { $0.hasPrefix(".") }.isEmpty)
        let after = try FileSystem.readText("/proc/self/net/dev").split(separator: "\n").count
        #expect(after == before)
    }

    @Test("a program that is missing beside labctl, and keepalived that is not installed, are told")
    func missing() throws {
        let lab = try LabUnderTest("doctor-missing", "nodes: { a: {} }")
        #expect(try Labctl.tool("/bin/cp", "\(Labctl.folder)/labctl", lab.folder).status == 0)
        let run = try RunningProgram(
            "/usr/bin/unshare",
            [
                "-m", "/bin/sh", "-c",
                """
                for f in /usr/local/sbin /usr/sbin /sbin /usr/bin /bin; do
                    test -e $f/keepalived && mount --bind /dev/null $f/keepalived
                done
                \(lab.folder)/labctl doctor --format json
                """,
            ], folder: "/", input: "", environment: []
        ).finish()
        #expect(run.status == 3, "a required thing is missing")
        let found = try DoctorFinding.all(in: run)
        #expect(found["programs"]?.isPresent == false)
        let programs = try #require(found["programs"]?.detail)
        #expect(
            programs.contains(
                "node-init, wire-relay, imposter, port-proxy, vrrp-agent, http-backend"))
        #expect(programs.contains(lab.folder) && programs.contains("swift build"))
        #expect(found["keepalived"]?.isPresent == false)
        #expect(found["keepalived"]?.isRequired == false)
        #expect(found["keepalived"]?.detail.contains("apt-get install keepalived") == true)
    }
}
