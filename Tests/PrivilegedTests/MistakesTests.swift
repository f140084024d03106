import Glibc
import LinuxSystem
import Testing

/// A lab with a mistake, and what every verb that reads it says.
struct MistakenLab: Sendable, CustomTestStringConvertible {
    let title: String
    /// The lab file from its second line on; the first is its name.
    let yaml: String
    var files: [String: String] = [:]
    /// The messages, one to a line.
    let expected: String
    var testDescription: String { title }
}

@Suite(
    "mistakes in files: each told once with its place, all at once, nothing created",
    .enabled(if: buildsLabs, "needs root"))
struct MistakesTests {
    /// Expects that `check`, `up` and `test` refuse a lab in the same words.
    private func expectRefused(_ lab: LabUnderTest, _ expected: String) throws {
        for verb in ["check", "up", "test"] {
            let run = try Labctl.run(verb, folder: lab.folder)
            #expect(run.errors == expected + "\n", "labctl \(verb)")
            #expect(run.output == "", "labctl \(verb)")
            #expect(run.status == 2, "labctl \(verb)")
            try expectNothingLeft(of: lab.name)
        }
    }

    @Test("in a lab file", arguments: MistakenLab.labFiles)
    func labFile(_ mistake: MistakenLab) throws {
        let lab = try LabUnderTest("mistaken", mistake.yaml, files: mistake.files)
        try expectRefused(lab, mistake.expected)
    }

    @Test("in a keepalived.conf, which is named as the user names it", arguments: MistakenLab.confs)
    func keepalivedConf(_ mistake: MistakenLab) throws {
        let lab = try LabUnderTest("mistaken-conf", mistake.yaml, files: mistake.files)
        try expectRefused(lab, mistake.expected)
    }

    @Test("in everything at once: as many errors as mistakes, in the order of files and lines")
    func everything() throws {
        let all = MistakenLab.everything
        let lab = try LabUnderTest("mistaken-all", all.yaml, files: all.files)
        try expectRefused(lab, all.expected)
        let json = try Labctl.run("check", "--format", "json", folder: lab.folder)
        #expect(json.status == 2)
        #expect(json.errors == "")
        let errors = all.expected.split(separator: "\n").filter { !$0.contains(": warning: ") }
        #expect(errors.count == 15)
        #expect(json.output.split(separator: "\"severity\" : \"error\"").count == 15 + 1)
    }

    @Test("in several labs: check and test tell those of all of them")
    func severalLabs() throws {
        let one = try LabUnderTest("mistaken-one", "nodes: { lo: {} }")
        let two = try LabUnderTest("mistaken-two", "nodes: { a: { image: x } }")
        let sound = try LabUnderTest("mistaken-not", "nodes: { a: {} }")
        for verb in ["check", "test"] {
            let run = try Labctl.run(verb, one.folder, sound.folder, two.folder)
            #expect(run.status == 2)
            let lines = run.errors.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("\(one.folder)/lab.yaml:2:10: ") == true)
            #expect(lines.last?.hasPrefix("\(two.folder)/lab.yaml:2:15: ") == true)
        }
        try expectNothingLeft(of: sound.name)
    }

    @Test("a lab file that is not there, or a folder without one")
    func nothingThere() throws {
        let lab = try LabUnderTest("mistaken-nowhere", "nodes: { a: {} }")
        try FileSystem.remove("\(lab.folder)/lab.yaml")
        for (path, file) in [(".", "lab.yaml"), ("other.yaml", "other.yaml")] {
            for verb in ["check", "up", "test", "demo"] {
                let run = try Labctl.run(verb, path, folder: lab.folder)
                #expect(run.errors == "\(file): there is no lab here: no such file or directory\n")
                #expect(run.status == 2)
            }
        }
    }

    @Test("warnings are told, and stop nothing")
    func warnings() throws {
        let lab = try LabUnderTest(
            "mistaken-warned",
            """
            networks: { lan: { subnet: 10.10.10.0/24 } }
            nodes:
              a:
                interfaces: { eth0: { network: lan } }
                files: { /etc/keepalived/keepalived.conf: a.conf }
                services: { keepalived: { kind: vrrp-agent } }
            """,
            files: [
                "a.conf": """
                vrrp_instance VI_1 {
                    state MASTER
                    interface eth0
                    virtual_router_id 51
                    nopreempt
                    virtual_ipaddress {
                        10.10.10.10
                    }
                }
                """
            ])
        let check = try Labctl.run("check", folder: lab.folder)
        #expect(check.status == 0)
        #expect(check.errors.hasPrefix("a.conf:"))
        #expect(check.errors.contains(": warning: "))
        #expect(check.output == "lab.yaml: lab \(labPrefix)mistaken-warned is fine\n")
        let up = try Labctl.run("up", folder: lab.folder)
        #expect(up.status == 0)
        #expect(up.errors.hasPrefix(check.errors))
        try lab.down()
    }

    @Test("--name and --vrrp with what is none")
    func options() throws {
        let lab = try LabUnderTest("mistaken-options", "nodes: { a: {} }")
        let name = try Labctl.run("up", lab.folder, "--name", "My Lab")
        #expect(name.status == 2)
        #expect(name.errors.hasPrefix("--name: 'My Lab' is no lab name"))
        let kind = try Labctl.run("up", lab.folder, "--vrrp", "http")
        #expect(kind.status == 2)
        #expect(kind.errors.contains("'http' is no [NODE=]KIND"))
        let node = try Labctl.run("up", lab.folder, "--vrrp", "b=keepalived")
        #expect(node.status == 2)
        #expect(node.errors.hasPrefix("--vrrp: lab \(labPrefix)mistaken-options has no node 'b'"))
        try expectNothingLeft(of: lab.name)
    }
}
