import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite("labctl cp", .serialized, .enabled(if: geteuid() == 0, "needs root"))
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
}
