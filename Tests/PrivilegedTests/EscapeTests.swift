import CLinux
import Glibc
import LinuxSystem
import NodeProtocol
import Testing

@Suite(
    "A node does not reach the host", .serialized, .enabled(if: geteuid() == 0, "needs root"))
struct EscapeTests {
    private static let python = "/usr/bin/python3"

    private func run(_ node: NodeUnderTest, _ script: String) throws -> String {
        let outcome = try node.run([Self.python, "-c", Escape.prelude + script])
        #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        return outcome.output
    }

    @Test("known ways out are closed, each for the reason that it should be")
    func knownWays() throws {
        let node = try NodeUnderTest()
        for escape in Escape.all {
            let said = Set(
                try run(node, escape.attempt).split(separator: "\n").map(String.init))
            #expect(
                !said.isEmpty && said.isSubset(of: Set(escape.answers)),
                "\(escape.name): \(said)")
        }
        #expect(try node.shell("echo alive") == "alive\n")
    }

    @Test("what believes to have given up capabilities keeps what a node has, and gets no more")
    func keptCapabilities() throws {
        let node = try NodeUnderTest()
        let status = "grep -E '^Cap(Prm|Eff)' /proc/self/status"
        let plain = try node.shell(status)
        let script = """
            import ctypes, os, subprocess
            header = ctypes.create_string_buffer(b'\\x22\\x05\\x08\\x20\\0\\0\\0\\0')
            print(ctypes.CDLL(None).capset(header, ctypes.create_string_buffer(24)))
            os.setuid(33)
            print(open('/proc/self/status').read())
            """
        let run = try node.run(["keep-capabilities", Self.python, "-c", script])
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(lines.first == "0")
        let kept = lines.filter { $0.hasPrefix("CapPrm") || $0.hasPrefix("CapEff") }
        #expect(kept.joined(separator: "\n") + "\n" == plain)
        #expect(try node.run(["keep-capabilities", "/no/such"]).report == .exited(status: 127))
    }

    /// Opens everything for writing; writes nothing.
    private static let opening = """
        def walk(top, without):
            for folder, folders, files in os.walk(top):
                folders[:] = [
                    name for name in folders
                    if not (folder == '/proc' and name.isdigit())
                    and os.path.join(folder, name) not in without]
                for name in files:
                    path = os.path.join(folder, name)
                    # What no bit allows to be written has nobody who would take it.
                    if os.path.islink(path) or not os.stat(path).st_mode & 0o222: continue
                    try: os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                    except OSError: continue
                    print(path)
        walk('/proc', ['/proc/self', '/proc/thread-self', '/proc/sys/net', '/proc/net'])
        walk('/sys', [])
        """
    /// What may be opened: who writes there is asked for CAP_SYS_ADMIN (arch/x86/kernel/cpu/mtrr),
    /// or makes a trigger of its own (Documentation/accounting/psi.rst).
    private static let harmless = [
        "/proc/mtrr", "/proc/pressure/cpu", "/proc/pressure/io", "/proc/pressure/memory",
        "/proc/pressure/irq",
    ]

    @Test("nothing that /proc and /sys show of the host can be opened for writing")
    func hostFiles() throws {
        let node = try NodeUnderTest()
        let opened = try run(node, Self.opening).split(separator: "\n").map(String.init)
        #expect(Set(opened).subtracting(Self.harmless).isEmpty, "\(opened)")
    }

    @Test("what of its mounts can be written is its own, and no device of the host's is in them")
    func mounts() throws {
        let node = try NodeUnderTest()
        let lines = try node.shell("cat /proc/self/mountinfo").split(separator: "\n")
            .map { $0.split(separator: " ") }
        func paths(_ option: String, _ isWanted: Bool) -> Set<String> {
            Set(
                lines.filter { $0[5].split(separator: ",").contains(Substring(option)) == isWanted }
                    .map { String($0[4]) })
        }
        let layered = ["etc", "var", "root", "home", "srv", "opt"].map { "/\($0)" }
            .filter(FileSystem.isFolder)
        #expect(
            paths("ro", false).subtracting(["/usr/bin", "/usr/sbin"]).isSubset(
                of: Set(
                    layered + [
                        "/", "/run", "/tmp", "/proc", "/proc/sys/net", "/dev", "/dev/pts",
                        "/dev/shm",
                    ])))
        #expect(paths("nodev", false).isSubset(of: ["/dev", "/dev/pts"]))
        for folder in ["/usr", "/usr/bin", "/usr/lib"] {
            #expect(try node.run(["touch", "\(folder)/labctl-test"]).report != .exited(status: 0))
        }
    }

    @Test("processes of the host are neither seen nor signalled")
    func processes() throws {
        let node = try NodeUnderTest()
        let said = try run(
            node,
            """
            print(sorted(int(x) for x in os.listdir('/proc') if x.isdigit()) == [1, os.getpid()])
            say(lambda: os.kill(\(getpid()), 0))
            say(lambda: call('pidfd_open', \(getpid()), 0))
            """)
        #expect(said == "True\nESRCH\nESRCH\n")
    }

    @Test("sockets and FIFOs of the host lead to nobody, by name or abstract, nor does its network")
    func sockets() throws {
        // In a folder that the node sees, if there is one.
        let folder = Labctl.repository + "/.build"
        let path = "\(folder)/escape-\(getpid())"
        let socket = try UnixSocket.listen(at: path)
        defer {
            try? FileSystem.remove(path)
            try? FileSystem.remove("\(path).fifo")
        }
        #expect(mkfifo("\(path).fifo", 0o666) == 0)
        let reader = OwnedDescriptor(clinux_open("\(path).fifo", O_RDONLY | O_NONBLOCK, 0))
        #expect(reader.rawValue >= 0)
        // The host reaches its own: what follows is not for want of somebody who listens.
        #expect((try? UnixSocket.connect(to: path)) != nil)
        #expect(try UnixSocket.accept(socket) != nil)
        let node = try NodeUnderTest()
        let name = "labctl-escape-\(getpid())"
        let host = try RunningProgram(
            Self.python,
            [
                "-c",
                """
                import socket, sys
                abstract = socket.socket(socket.AF_UNIX); abstract.bind('\\0\(name)')
                abstract.listen(); tcp = socket.create_server(('127.0.0.1', 0))
                print(tcp.getsockname()[1], flush=True); sys.stdin.read()
                """,
            ], folder: "/", input: "", environment: [])
        let port = try host.nextLine()
        let said = try run(
            node,
            """
            def connect(family, address):
                try: socket.socket(family).connect(address)
                except OSError as error: return errno.errorcode[error.errno]
                return 'connected'
            print(connect(socket.AF_UNIX, '\(path)'))
            say(lambda: os.open('\(path).fifo', os.O_WRONLY | os.O_NONBLOCK))
            print(connect(socket.AF_UNIX, '\\0\(name)'))
            print(connect(socket.AF_INET, ('127.0.0.1', \(port))))
            print(*(name for _, name in socket.if_nameindex()))
            """)
        let answers = said.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(["ECONNREFUSED", "ENOENT"].contains(answers[0]), "\(said)")
        #expect(["ENXIO", "ENOENT"].contains(answers[1]), "\(said)")
        #expect(answers[2] == "ECONNREFUSED")
        #expect(["ECONNREFUSED", "ENETUNREACH"].contains(answers[3]))
        #expect(answers[4].split(separator: " ").allSatisfy { !$0.hasPrefix("e") }, "\(said)")
        #expect(try UnixSocket.accept(socket) == nil)
        host.signal(SIGTERM)
    }

    /// A tar that sends what none should: called in a node whose PATH begins with its folder.
    private static let hostileTar = """
        #!/usr/bin/python3
        import io, sys, tarfile
        with tarfile.open(fileobj=sys.stdout.buffer, mode='w|') as out:
            def add(name, kind, mode=0o644, link='', data=b''):
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode, entry.linkname, entry.size = kind, mode, link, len(data)
                entry.devmajor, entry.devminor = 1, 1
                out.addfile(entry, io.BytesIO(data))
            add('gift', tarfile.DIRTYPE, 0o755)
            add('gift/plain', tarfile.REGTYPE, data=b'plain')
            add('gift/root', tarfile.REGTYPE, 0o6755, data=b'#!/bin/sh')
            add('gift/memory', tarfile.CHRTYPE, 0o666)
            add('gift/pipe', tarfile.FIFOTYPE, 0o666)
            add('../climbed', tarfile.REGTYPE, data=b'x')
            add('gift/out', tarfile.SYMTYPE, link='TARGET')
            add('gift/out/through', tarfile.REGTYPE, data=b'x')
        """

    @Test(
        "what a node's tar sends to `cp` has no devices and rights, and lands where it was meant to"
    )
    func hostileCopy() throws {
        let lab = try LabUnderTest(
            "esc-copy",
            """
            nodes:
              a:
                environment: { PATH: "/root/bin:/usr/bin:/bin" }
                files: { /root/bin/tar: { from: tar, mode: "0755" } }

            """, files: ["tar": Self.hostileTar, "away/kept": "kept", "here/kept": "kept"])
        let tar = Self.hostileTar.replacing("TARGET", with: "\(lab.folder)/away")
        try FileSystem.write(Array(tar.utf8), to: "\(lab.folder)/tar")
        try lab.up()
        let here = "\(lab.folder)/here"
        for _ in 1...2 { _ = try Labctl.run("cp", "-l", lab.name, "a:/gift", here) }
        #expect(try FileSystem.list("\(lab.folder)/away") == ["kept"])
        #expect(try FileSystem.list(lab.folder) == ["away", "here", "lab.yaml", "tar"])
        for entry in try Labctl.tool("/usr/bin/find", here, "!", "-type", "d").output
            .split(separator: "\n").map(String.init)
        {
            var information = stat()
            #expect(lstat(entry, &information) == 0)
            let kind = information.st_mode & S_IFMT
            #expect(kind == S_IFREG || kind == S_IFLNK, "\(entry)")
            #expect(information.st_mode & 0o6000 == 0, "\(entry)")
        }
        try lab.down()
    }

    @Test("a folder of the host's as a command's input is refused: every path leads out of it")
    func folderAsInput() throws {
        let lab = try LabUnderTest("esc-input", "nodes: { a: {} }\n")
        try lab.up()
        let run = try Labctl.tool(
            "/bin/sh", "-c",
            "exec \(Labctl.folder)/labctl exec -l \(lab.name) a -- ls -l /proc/self/fd </"
        )
        #expect(run.status == 126, "\(run)")
        #expect(run.errors.contains("a folder cannot be a command's input or output"))
        // What a command has of the host's is what it was given.
        let descriptors = try lab.exec("a", "ls", "/proc/self/fd").output
        #expect(descriptors == "0\n1\n2\n3\n", "3 is the folder itself")
        try lab.down()
    }
}
