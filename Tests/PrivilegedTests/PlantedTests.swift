import CLinux
import Glibc
import LinuxSystem
import Testing

@Suite(
    "What others have put where labs are is not followed, and names lead nowhere else", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct PlantedTests {
    private static let yaml = "nodes: { a: {} }\n"

    /// A folder with a file that must survive, and its contents.
    private func treasure(of lab: LabUnderTest) throws -> (folder: String, file: String) {
        let folder = "\(lab.folder)/treasure"
        try FileSystem.makeFolders(folder)
        try FileSystem.write(Array("kept\n".utf8), to: "\(folder)/kept")
        return (folder, "\(folder)/kept")
    }

    @Test("a link in the place of a lab's folder is refused, and what it leads to stays")
    func folder() throws {
        let lab = try LabUnderTest("pl-folder", Self.yaml)
        let (folder, file) = try treasure(of: lab)
        let place = "/run/labctl/\(lab.name)"
        try FileSystem.makeFolders("/run/labctl")
        try FileSystem.link(place, to: folder)
        defer { try? FileSystem.remove(place) }
        let run = try Labctl.run("up", lab.folder)
        #expect(run.status == 3, "\(run)")
        #expect(run.errors.contains("\(place) must be a folder, and no link to one"), "\(run)")
        for verb in [["list"], ["down", lab.name], ["status", lab.name]] {
            _ = try Labctl.start(verb).finish()
        }
        #expect(try FileSystem.list(folder) == ["kept"])
        #expect(try FileSystem.readText(file) == "kept\n")
        #expect(FileSystem.entry(place) == .link(target: folder), "whoever made it has it")
        try FileSystem.remove(place)
        try lab.up()
        try lab.down()
    }

    @Test("a folder that others can write to is not trusted")
    func writable() throws {
        let lab = try LabUnderTest("pl-open", Self.yaml)
        let place = "/run/labctl/\(lab.name)"
        for (mode, owner) in [(0o777, 0), (0o755, 65534)] {
            try FileSystem.makeFolders(place)
            #expect(chmod(place, mode_t(mode)) == 0 && chown(place, uid_t(owner), 0) == 0)
            let run = try Labctl.run("up", lab.folder)
            #expect(run.status == 3, "\(run)")
            #expect(run.errors.contains("in which nobody else can write"), "\(run)")
            rmdir(place)
        }
        try lab.up()
        try lab.down()
    }

    @Test("links in a lab's folder are removed, or refused, and never written through")
    func files() throws {
        let lab = try LabUnderTest("pl-files", Self.yaml)
        let (folder, file) = try treasure(of: lab)
        let place = "/run/labctl/\(lab.name)"
        for name in [
            "supervisor.log", "events.jsonl", "supervisor.sock", "output", "netns", "disk",
            "control-groups",
        ] {
            try FileSystem.makeFolders(place)
            let target = ["output", "netns", "disk"].contains(name) ? folder : file
            try FileSystem.link("\(place)/\(name)", to: target)
            try lab.up()
            #expect(try lab.exec("a", "true").status == 0)
            try lab.down()
            #expect(try FileSystem.list(folder) == ["kept"], "\(name)")
            #expect(try FileSystem.readText(file) == "kept\n", "\(name)")
        }
        // The lock comes first of all, before anything is removed.
        try FileSystem.makeFolders(place)
        try FileSystem.link("\(place)/lock", to: "\(folder)/made")
        let run = try Labctl.run("up", lab.folder)
        #expect(run.status == 3 && run.errors.contains("symbolic links"), "\(run)")
        #expect(try FileSystem.list(folder) == ["kept"])
        try FileSystem.removeTree(place)
    }

    @Test("names that would climb out of their folder are nobody's")
    func names() throws {
        let lab = try LabUnderTest("pl-names", Self.yaml)
        let long = String(repeating: "a", count: 300)
        for name in ["..", ".", "../labctl", "/run", "a/b", "a\nb", "A", "-x", long] {
            let up = try Labctl.run("up", lab.folder, "--name=\(name)")
            #expect(up.status == 2, "\(name): \(up)")
            #expect(up.errors.contains("is no lab name"), "\(name): \(up.errors)")
            let file = "name: \(name.debugDescription)\n\(Self.yaml)"
            try FileSystem.write(Array(file.utf8), to: "\(lab.folder)/other.yaml")
            let other = try Labctl.run("up", "\(lab.folder)/other.yaml")
            #expect(other.status == 2 && other.errors.contains("other.yaml:1:"), "\(other)")
            let word = name == "-x" ? "./-x" : name
            for arguments in [
                ["down", word], ["status", word], ["exec", "-l", word, "a", "true"],
            ] {
                let run = try Labctl.start(arguments, folder: lab.folder).finish()
                // What `exec` itself cannot do is 125, as with docker.
                #expect(run.status == (arguments.count > 2 ? 125 : 5), "\(arguments): \(run)")
            }
        }
        for node in ["..", "../b", "a/../b", "b\n"] {
            try lab.up()
            let run = try Labctl.start(["exec", "-l", lab.name, node, "true"]).finish()
            #expect(run.status == 125, "\(node): \(run)")
            try lab.down()
        }
    }

    @Test("a lab file's name does not lead to another's socket, which would be given open files")
    func socket() throws {
        let lab = try LabUnderTest("pl-socket", Self.yaml)
        let listener = try UnixSocket.listen(at: "\(lab.folder)/supervisor.sock")
        let lock = try FileLock.acquire("\(lab.folder)/lock")
        #expect(lock != nil)
        let climbing = "../..\(lab.folder)"
        try FileSystem.write(
            Array("name: \(climbing)\n\(Self.yaml)".utf8), to: "\(lab.folder)/lab.yaml")
        for arguments in [
            ["exec", "-l", lab.folder, "a", "true"], ["down"], ["exec", "a", "true"],
        ] {
            let run = try Labctl.start(arguments, folder: lab.folder).finish(within: .seconds(20))
            #expect(run.status == (arguments == ["down"] ? 5 : 125), "\(arguments): \(run)")
            #expect(run.errors.contains("there is no lab"), "\(arguments): \(run)")
        }
        #expect(try UnixSocket.accept(listener) == nil)
    }

    @Test("the control socket is its owner's alone")
    func controlSocket() throws {
        let lab = try LabUnderTest("pl-control", Self.yaml)
        try lab.up()
        let path = "/run/labctl/\(lab.name)/supervisor.sock"
        var information = stat()
        #expect(lstat(path, &information) == 0)
        #expect(information.st_mode & 0o7777 == 0o600 && information.st_uid == 0)
        // Were the file's mode changed, the supervisor would still ask who it is.
        let connect = """
            import os, socket
            os.setgid(65534); os.setuid(65534)
            connection = socket.socket(socket.AF_UNIX)
            try: connection.connect('\(path)')
            except PermissionError: print('refused'); raise SystemExit
            connection.settimeout(10)
            print('closed' if connection.recv(1) == b'' else 'open')
            """
        func attempt() throws -> String {
            try Labctl.tool("/usr/bin/python3", "-c", connect).output
        }
        #expect(try attempt() == "refused\n")
        #expect(chmod(path, 0o666) == 0)
        #expect(try attempt() == "closed\n")
        #expect(try lab.exec("a", "true").status == 0)
        try lab.down()
    }
}
