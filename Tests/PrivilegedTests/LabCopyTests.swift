import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite("labctl cp", .serialized, .enabled(if: buildsLabs, "needs root"))
struct LabCopyTests {
    @Test("files and folders go in and out, as docker cp has it")
    func copies() throws {
        let lab = try LabUnderTest(
            "lb-cp", "nodes: { a: {} }\n",
            files: ["tree/one": "1\n", "tree/sub/two words": "2\n", "script": "#!/bin/sh\n"])
        try lab.up()
        func copy(_ source: String, _ target: String) throws -> LabctlRun {
            try Labctl.run("cp", "-l", lab.name, source, target, folder: lab.folder)
        }
        try systemCall("make it executable") { chmod("\(lab.folder)/script", 0o751) }
        // Under another name, into a folder, and a folder both ways.
        #expect(try copy("script", "a:/root/renamed").status == 0)
        #expect(try copy("script", "a:/tmp").status == 0)
        #expect(
            try lab.shell("a", "stat -c '%a %U' /root/renamed /tmp/script")
                == "751 root\n751 root\n")
        #expect(try copy("tree", "a:/srv/new").status == 0)
        #expect(try copy("tree", "a:/srv/new").status == 0)
        #expect(try copy("tree/.", "a:/srv/new").status == 0)
        #expect(
            try lab.shell("a", "cd /srv/new; find . -type f | sort; ls -A /srv") == """
                ./one
                ./sub/two words
                ./tree/one
                ./tree/sub/two words
                new

                """)
        #expect(try copy("a:/srv/new/sub", "out").status == 0)
        #expect(try FileSystem.readText("\(lab.folder)/out/two words") == "2\n")
        #expect(try copy("a:/etc/hostname", ".").status == 0)
        #expect(try FileSystem.readText("\(lab.folder)/hostname") == "a\n")

        let missing = try copy("nothing", "a:/tmp")
        #expect(missing.status == 1)
        #expect(missing.errors.hasPrefix("here: tar: nothing: "), "\(missing.errors)")
        #expect(try copy("a:/nothing", "x").errors.hasPrefix("a: tar: nothing: "))
        #expect(try copy("script", "a:/no/such/folder").errors == "a: /no/such: no such folder\n")
        #expect(try copy("script", "out").status == 2)
        #expect(try lab.shell("a", "find / -xdev -name '.labctl-cp*'") == "")
        try lab.down()
    }

    @Test("a scenario's edit replaces a file of a node that runs, with its mode and owners")
    func edits() throws {
        let lab = try LabUnderTest(
            "lb-edit",
            """
            nodes: { a: { files: { /etc/motd: { text: "old\\n", mode: "0600" } } } }
            scenarios:
              replaced:
                steps:
                  - edit: { a: { /etc/motd: { text: "new\\n" } } }
                  - exec: { on: a, command: "stat -c '%a %U:%G' /etc/motd", output: "644 root:root" }
                  - exec: { on: a, command: cat /etc/motd, output: new }
                  - edit: { a: { /srv/deep/er: { from: script, mode: "0750", owner: mail, group: "8" } } }
                  - exec: { on: a, command: "stat -c '%a %U:%G' /srv/deep/er", output: "750 mail:mail" }
              nobody:
                steps:
                  - edit: { a: { /etc/motd: { text: "", owner: no-such-user } } }
            """, files: ["script": "#!/bin/sh\n"])
        let run = try Labctl.run("test", lab.folder, "--scenario", "replaced")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let failing = try Labctl.run("test", lab.folder, "--scenario", "nobody")
        #expect(failing.status == 1)
        let words = "/etc/motd on a: exit status 1: chown: invalid user: ‘no-such-user’"
        #expect(failing.output.contains(words), "\(failing.output)")
    }
}
