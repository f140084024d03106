import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

/// The program vrrp-agent as an init script starts it: without -n.
@Suite("vrrp-agent in the background", .enabled(if: geteuid() == 0, "needs root"))
struct VRRPAgentBackgroundTests {
    /// A folder with a configuration, and a link to run it on.
    private struct Place: ~Copyable {
        let link: TestLink
        let folder: String

        init(_ test: String) throws {
            let link = try TestLink()
            let folder = "/tmp/vrrp-background-\(getpid())-\(test)"
            try FileSystem.removeTree(folder)
            try FileSystem.makeFolders(folder)
            let text = """
                vrrp_instance VI_1 {
                    interface eth0
                    virtual_router_id 51
                    priority 255
                    virtual_ipaddress {
                        10.10.10.10
                    }
                }

                """
            try FileSystem.write(Array(text.utf8), to: "\(folder)/k.conf")
            self.link = link
            self.folder = folder
        }

        deinit { try? FileSystem.removeTree(folder) }

        /// Starts the program in the folder; its exit status.
        func start(_ configuration: String) throws -> Int32 {
            let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
            let build = bundle.prefix(upTo: try #require(bundle.lastIndex(of: "/")))
            let null = try OwnedDescriptor.null()
            var program = Program(
                path: "\(build)/vrrp-agent",
                arguments: [
                    "vrrp-agent", "-DG", "-g\(folder)/log", "-f", configuration, "-p",
                    "pid", "-r", "vrrp.pid",
                ], environment: [],
                descriptors: [null.rawValue, null.rawValue, null.rawValue])
            program.workingDirectory = folder
            let pid = try link.here.namespace.run { try program.start().pid }
            var status: Int32 = 0
            try systemCall("wait for vrrp-agent") { waitpid(pid, &status, 0) }
            return clinux_wait_status(status)
        }

        func hasAddress() throws -> Bool {
            try link.here.socket.addresses(of: link.here.device("eth0")).contains {
                $0.address.address == .v4(IPv4Address(10, 10, 10, 10))
            }
        }
    }

    @Test("the command ends when the daemon runs: detached, in /, with few rights, and it stops")
    func background() throws {
        let place = try Place("run")
        #expect(try place.start("k.conf") == 0)
        let number = try FileSystem.readText("\(place.folder)/pid").split(separator: "\n").first
        let pid = try #require(number.flatMap { Int32($0) })
        let process = OwnedDescriptor(
            try systemCall("open the daemon") { clinux_pidfd_open(pid) })
        defer { kill(pid, SIGKILL) }
        #expect(getsid(pid) == pid)
        #expect(FileSystem.entry("/proc/\(pid)/cwd") == .link(target: "/"))
        #expect(FileSystem.entry("/proc/\(pid)/fd/0") == .link(target: "/dev/null"))
        let status = try FileSystem.readText("/proc/\(pid)/status")
        // CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID, NET_ADMIN, NET_RAW.
        #expect(status.contains("CapEff:\t00000000000030e3\n"))
        #expect(status.contains("CapPrm:\t00000000000030e3\n"))
        #expect(status.contains("Umask:\t0177\n"))
        #expect(try place.hasAddress())
        #expect(try place.start("k.conf") == 0, "the second finds the first, as in keepalived")
        kill(pid, SIGTERM)
        var waiting = pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0)
        #expect(poll(&waiting, 1, 30_000) == 1)
        #expect(try !place.hasAddress())
        #expect(!FileSystem.exists("\(place.folder)/pid"))
        let log = try FileSystem.readText("\(place.folder)/log")
        #expect(log.contains(": (VI_1) Entering MASTER STATE\n"))
        #expect(log.contains(": CPU usage (self/children) user: 0."))
        #expect(log.contains(": daemon is already running\n"))
    }

    @Test("the command fails as the daemon does")
    func failure() throws {
        let place = try Place("fail")
        #expect(try place.start("none.conf") == 6)
        let log = try FileSystem.readText("\(place.folder)/log")
        #expect(log.contains("Unable to find configuration file \(place.folder)/none.conf"))
    }
}
