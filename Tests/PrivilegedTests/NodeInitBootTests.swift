import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage
import Testing

/// Everything about nodes runs one after the other: the tests measure, and two cores are few.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct NodeInitTests {}

extension NodeInitTests {
    @Suite("A node's machine (DESIGN §3)")
    struct Boot {
        private func file(
            _ path: String, _ text: String, mode: UInt16 = 0o644, owner: String? = nil,
            group: String? = nil
        ) -> NodeSpecification.File {
            NodeSpecification.File(
                path: path, contents: Array(text.utf8), mode: mode, owner: owner, group: group)
        }

        @Test("a node has its own hostname, hosts and processes")
        func identity() throws {
            let node = try NodeUnderTest()
            #expect(try node.shell("hostname; cat /etc/hostname") == "alpha\nalpha\n")
            #expect(try node.shell("getent hosts beta") == "10.0.0.2        beta\n")
            let commands = try node.shell("ps -eo pid=,comm=").split(separator: "\n")
                .map { $0.split(separator: " ").joined(separator: " ") }
            #expect(commands.first == "1 node-init")
            #expect(commands.count == 3, "PID 1, the shell, ps: \(commands)")
        }

        // Tried for real, it would set this machine's clock where it fails.
        @Test("root in a node has nothing that is the whole machine's: its clock, its modules")
        func capabilities() throws {
            let node = try NodeUnderTest()
            let sets = try node.shell("grep -E '^Cap(Prm|Eff|Bnd|Amb|Inh)' /proc/self/status")
                .split(separator: "\n").compactMap { UInt64($0.suffix(16), radix: 16) }
            #expect(sets.count == 5)
            // CAP_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID, _SETPCAP,
            // _NET_BIND_SERVICE, _NET_BROADCAST, _NET_ADMIN, _NET_RAW, _IPC_LOCK, _SYS_CHROOT,
            // _SYS_NICE, _SETFCAP
            let kept: UInt64 = [0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 18, 23, 31]
                .reduce(0) { $0 | 1 << $1 }
            // Permitted, effective and bounding; the inheritable and ambient ones give nothing.
            #expect(sets == [0, kept, kept, kept, 0])
        }

        @Test("what is written in a node does not reach the host")
        func privateWrites() throws {
            let node = try NodeUnderTest()
            let name = "labctl-test-\(getpid())"
            _ = try node.shell(
                """
                set -e
                for folder in / /etc /var /root /home /srv /opt /run /tmp /dev/shm
                do echo x > $folder/\(name); done
                mkdir /scripts; echo x > /scripts/check
                echo 127.0.0.9 changed >> /etc/hosts
                """)
            for folder in ["", "/etc", "/var", "/root", "/home", "/srv", "/opt", "/run", "/tmp"] {
                #expect(!FileSystem.exists("\(folder)/\(name)"))
            }
            #expect(!FileSystem.exists("/scripts"))
            #expect(try !FileSystem.readText("/etc/hosts").contains("127.0.0.9 changed"))
        }

        @Test(
            "what is the host's alone cannot be written in a node",
            arguments: [
                "echo x > /usr/bin/x", "echo x > /bin/x", "echo 1 > /proc/sys/kernel/panic",
                "echo x > /run/labctl/bin/tool", "mkdir /sys/fs/cgroup/x",
            ] + (FileSystem.exists("/proc/sysrq-trigger") ? ["echo h > /proc/sysrq-trigger"] : []))
        func readOnly(script: String) throws {
            let node = try NodeUnderTest(
                programs: [NodeSpecification.Program(name: "tool", hostPath: "/bin/true")])
            let outcome = try node.run(["sh", "-c", script])
            #expect(outcome.errors.contains("Read-only file system"), "\(outcome)")
            #expect(outcome.report != .exited(status: 0))
        }

        @Test("folders keep the host's modes; /tmp is everybody's; /root is root's")
        func modes() throws {
            let node = try NodeUnderTest()
            let modes = try node.shell("stat -c '%a %n' / /etc /root /run /tmp /dev/shm /dev/null")
            var information = stat()
            #expect(stat("/root", &information) == 0)
            let root = String(information.st_mode & 0o7777, radix: 8)
            #expect(
                modes == """
                    755 /
                    755 /etc
                    \(root) /root
                    755 /run
                    1777 /tmp
                    1777 /dev/shm
                    666 /dev/null

                    """)
        }

        @Test("the usual devices work, and no other is there")
        func devices() throws {
            let node = try NodeUnderTest()
            #expect(try node.shell("head -c 3 /dev/zero | od -An -tx1") == " 00 00 00\n")
            #expect(try node.shell("head -c 5 /dev/urandom | wc -c") == "5\n")
            #expect(
                try node.shell("echo hidden > /dev/null; echo shown > /dev/stdout") == "shown\n")
            let present = Set(try node.shell("ls /dev").split(separator: "\n").map(String.init))
            #expect(
                present == [
                    "fd", "full", "net", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
                    "stdout", "tty", "urandom", "zero",
                ])
        }

        @Test("the lab's files have their contents, modes and owners, and replace the host's")
        func files() throws {
            let node = try NodeUnderTest(files: [
                file("/scripts/deep/check.sh", "#!/bin/sh\necho checked\n", mode: 0o755),
                file("/etc/passwd.lab", "x", mode: 0o4750, owner: "daemon", group: "tty"),
                file("/etc/fstab", "replaced\n"),
                file("/etc/numbered", "", owner: "12", group: "34"),
            ])
            #expect(try node.shell("/scripts/deep/check.sh") == "checked\n")
            #expect(
                try node.shell("stat -c '%a %U %G %s' /etc/passwd.lab") == "4750 daemon tty 1\n")
            #expect(
                try node.shell("stat -c '%u %g' /etc/numbered; cat /etc/fstab")
                    == "12 34\nreplaced\n")
        }

        @Test("a file whose owner the node does not know fails the boot, and says so")
        func unknownOwner() throws {
            let node = try NodeUnderTest(
                files: [file("/etc/x", "", owner: "nobody-knows")], boots: false)
            try node.start()
            try node.send(.boot(node.specification))
            #expect(try node.next() == .failed("/etc/x: no user nobody-knows in the node"))
            #expect(try node.waitUntilEnded() == .exited(status: 1))
        }

        @Test("a layers folder that cannot be one fails the boot with the kernel's reason")
        func badLayers() throws {
            let node = try NodeUnderTest(boots: false)
            node.specification.layersFolder = "/proc/labctl"
            try node.start()
            try node.send(.boot(node.specification))
            #expect(
                try node.next() == .failed("make folder /proc/labctl: no such file or directory"))
        }

        @Test("a node that is stopped and started again finds its disk as it left it")
        func secondBoot() throws {
            let node = try NodeUnderTest(files: [file("/etc/lab.conf", "as in the lab file\n")])
            _ = try node.shell(
                """
                echo edited > /etc/lab.conf; mkdir /data; echo kept > /data/file
                rm /etc/fstab; echo gone > /run/file; echo gone > /tmp/file
                """)
            node.end()
            try node.boot()
            #expect(try node.shell("cat /etc/lab.conf /data/file") == "edited\nkept\n")
            #expect(try node.shell("ls /run/file /tmp/file /etc/fstab 2>&1 | wc -l") == "3\n")
            #expect(try node.shell("ls /run") == "labctl\nlock\n")
            #expect(try node.shell("hostname") == "alpha\n")
        }

        @Test(
            "what the node's own sysctl.conf says is set at each boot, and the lab's word after it")
        func ownParameters() throws {
            let node = try NodeUnderTest()
            _ = try node.shell(
                """
                echo 'net.ipv4.ip_nonlocal_bind = 1' > /etc/sysctl.conf; mkdir -p /etc/sysctl.d
                echo 'net.ipv4.ip_default_ttl=33' > /etc/sysctl.d/50-ttl.conf
                printf '%s\n' net.ipv4.no_such=1 kernel.panic=3 net.ipv4.ip_default_ttl=44 \
                    > /etc/sysctl.d/10-ttl.conf
                """)
            node.end()
            try node.boot()
            try node.send(.sysctls([]))
            #expect(try node.next() == .sysctlsDone)
            let look = "cd /proc/sys/net/ipv4; cat ip_nonlocal_bind ip_default_ttl"
            #expect(try node.shell(look) == "1\n33\n")
            node.end()
            try node.boot()
            try node.send(.sysctls([.init("net.ipv4.ip_default_ttl", "55")]))
            #expect(try node.next() == .sysctlsDone)
            #expect(try node.shell(look) == "1\n55\n")
        }

        @Test("kernel parameters of the network are the node's; failures are reported by name")
        func parameters() throws {
            let before = try FileSystem.readText("/proc/sys/net/ipv4/ip_nonlocal_bind")
            let node = try NodeUnderTest()
            try node.send(
                .sysctls([
                    .init("net.ipv4.ip_nonlocal_bind", "1"), .init("net.ipv4.no_such", "1"),
                    .init("kernel.panic", "3"),
                ]))
            #expect(
                try node.next()
                    == .sysctlFailed(
                        name: "net.ipv4.no_such",
                        reason: "write /proc/sys/net/ipv4/no_such: no such file or directory"))
            #expect(
                try node.next()
                    == .sysctlFailed(
                        name: "kernel.panic",
                        reason: "write /proc/sys/kernel/panic: read-only file system"))
            #expect(try node.next() == .sysctlsDone)
            #expect(try node.shell("cat /proc/sys/net/ipv4/ip_nonlocal_bind") == "1\n")
            #expect(try FileSystem.readText("/proc/sys/net/ipv4/ip_nonlocal_bind") == before)
        }

        @Test(
            "kernel parameters of System V IPC are the node's, though its neighbours are the host's"
        )
        func parametersOfIPC() throws {
            let before = try FileSystem.readText("/proc/sys/kernel/shmmni")
            let node = try NodeUnderTest()
            try node.send(.sysctls([.init("kernel.shmmni", "77"), .init("kernel.sem", "x")]))
            #expect(
                try node.next()
                    == .sysctlFailed(
                        name: "kernel.sem",
                        reason: "write /proc/sys/kernel/sem: invalid argument"))
            #expect(try node.next() == .sysctlsDone)
            #expect(try node.shell("cat /proc/sys/kernel/shmmni") == "77\n")
            #expect(try FileSystem.readText("/proc/sys/kernel/shmmni") == before)
        }

        @Test("no mount of a node shows on the host, and none is left after it")
        func mounts() throws {
            let node = try NodeUnderTest()
            let inside = try node.shell("cat /proc/self/mountinfo")
            #expect(inside.split(separator: "\n").count > 20)
            #expect(try !FileSystem.readText("/proc/self/mountinfo").contains(node.folder))
            node.end()
            #expect(try !FileSystem.readText("/proc/self/mountinfo").contains(node.folder))
        }
    }
}
