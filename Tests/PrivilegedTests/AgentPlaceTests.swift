import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import VRRP

/// The running agent among other things of a machine: its clock, its namespaces, its mail.
@Suite("vrrp-agent in its place", .enabled(if: geteuid() == 0, "needs root"))
struct AgentPlaceTests {
    private static let instance = """
        vrrp_instance VI_1 {
            version 3
            interface eth0
            virtual_router_id 51
            priority 255
            advert_int 0.1
            virtual_ipaddress {
                10.0.0.100
            }
        }
        """

    private static let compiler = Program.lookUp("cc", path: "/usr/bin:/usr/local/bin")

    /// Every reading of the time of day is a day before or after the one before it.
    private static let leapingClock = """
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>
        static int readings;
        int clock_gettime(clockid_t clock, struct timespec *time) {
            int result = syscall(SYS_clock_gettime, clock, time);
            if (clock == CLOCK_REALTIME && readings++ % 2) time->tv_sec += 86400;
            return result;
        }
        int gettimeofday(struct timeval *restrict time, void *restrict zone) {
            struct timespec precise;
            (void)zone;
            clock_gettime(CLOCK_REALTIME, &precise);
            time->tv_sec = precise.tv_sec;
            time->tv_usec = precise.tv_nsec / 1000;
            return 0;
        }
        time_t time(time_t *result) {
            struct timespec precise;
            clock_gettime(CLOCK_REALTIME, &precise);
            if (result) *result = precise.tv_sec;
            return precise.tv_sec;
        }
        """

    @Test(
        "a clock that is set by a day, again and again, does not matter",
        .enabled(if: compiler != nil, "needs a C compiler"))
    func clock() throws {
        let stage = try AgentStage()
        let library = "/tmp/vrrp-agent-\(getpid())-clock.so"
        defer { unlink(library) }
        try FileSystem.write(Array(Self.leapingClock.utf8), to: "\(library).c")
        defer { unlink("\(library).c") }
        try stage.run("\(Self.compiler ?? "cc") -shared -fPIC -o \(library) \(library).c")
        let agent = try AgentProcess(
            Self.instance, in: stage.router.namespace, test: "clock",
            options: ["--log-format", "json"], environment: ["LD_PRELOAD=\(library)"])
        let first = try stage.lan.awaitAdvertisement()
        try waitUntil("ten more have come") { try stage.lan.advertisements().count > 10 }
        #expect(first.priority == 255)
        let times = try stage.lan.advertisements().map(\.time)
        // None is early: what the machine's load may do is make them late.
        for (time, next) in zip(times, times.dropFirst()).dropFirst() {
            #expect(next - time > .milliseconds(50), "\(times)")
        }
        let days = agent.log.split(separator: "\n").compactMap { line in
            line.split(separator: "\"").dropFirst(3).first?.prefix(10)
        }
        #expect(Set(days).count == 2, "the clock did leap: \(agent.log)")
        #expect(agent.log.split(separator: "\n").count { $0.contains("Entering MASTER") } == 1)
    }

    @Test("-s: it works in the namespace of that name, wherever it was started")
    func namespace() throws {
        let stage = try AgentStage()
        let name = "vrrp-agent-\(getpid())"
        let link = "/run/netns/\(name)"
        try FileSystem.makeFolders("/run/netns")
        try systemCall("name a namespace") {
            symlink("/proc/\(getpid())/fd/\(stage.router.namespace.rawValue)", link)
        }
        defer { unlink(link) }
        let elsewhere = try TestNamespace()
        let agent = try AgentProcess(
            Self.instance, in: elsewhere.namespace, test: "namespace", options: ["-s", name])
        _ = try stage.lan.awaitAdvertisement()
        try waitUntil("the address is there") { try stage.has("10.0.0.100") }
        #expect(try agent.end() == 0)
        #expect(try !stage.has("10.0.0.100"))
    }

    /// A mail server that takes one mail, as much of one as a sender needs.
    private static let mailServer = """
        import socket, sys
        server = socket.create_server(("127.0.0.1", 2525))
        print("ready", flush=True)
        connection, _ = server.accept()
        stream = connection.makefile("rwb", 0)
        stream.write(b"220 sink\\r\\n")
        is_data = False
        for line in stream:
            print(line.decode().rstrip(), flush=True)
            if is_data and line == b".\\r\\n":
                is_data = False
                stream.write(b"250 taken\\r\\n")
            elif is_data:
                continue
            elif line == b"DATA\\r\\n":
                is_data = True
                stream.write(b"354 go on\\r\\n")
            elif line == b"QUIT\\r\\n":
                stream.write(b"221 bye\\r\\n")
                break
            else:
                stream.write(b"250 fine\\r\\n")
        """

    private static let python = Program.lookUp("python3", path: "/usr/bin:/usr/local/bin")

    @Test(
        "a mail tells of a new master, to a server that never heard of us",
        .enabled(if: python != nil, "needs python3"))
    func mail() throws {
        let stage = try AgentStage()
        try stage.run("ip link set lo up")
        let folder = "/tmp/vrrp-agent-\(getpid())-mail-server"
        try FileSystem.makeFolders(folder)
        defer { try? FileSystem.removeTree(folder) }
        try FileSystem.write(Array(Self.mailServer.utf8), to: "\(folder)/server.py")
        let output = OwnedDescriptor(
            try systemCall("make a file") { creat("\(folder)/output", 0o644) })
        let server = try stage.router.namespace.run {
            try Program(
                path: try #require(Self.python), arguments: ["python3", "\(folder)/server.py"],
                environment: [],
                descriptors: [output.rawValue, output.rawValue, output.rawValue]
            ).start()
        }
        defer {
            kill(server.pid, SIGKILL)
            waitpid(server.pid, nil, 0)
        }
        func lines() -> [String] {
            ((try? FileSystem.readText("\(folder)/output")) ?? "")
                .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        try waitUntil("the server is ready") { lines().first == "ready" }
        let global = """
            global_defs {
                router_id left
                notification_email {
                    admin@example.org
                }
                notification_email_from left@example.org
                smtp_server 127.0.0.1 2525
                smtp_alert
            }

            """
        let agent = try AgentProcess(
            global + Self.instance, in: stage.router.namespace, test: "mail")
        try waitUntil("the mail is there") { lines().contains("QUIT") }
        #expect(lines().contains("MAIL FROM:<left@example.org>"))
        #expect(lines().contains("RCPT TO:<admin@example.org>"))
        #expect(lines().contains("Subject: [left] VRRP Instance VI_1 - Entering MASTER state"))
        #expect(lines().contains("=> VRRP Instance is now owning VRRP VIPs <="))
        #expect(try agent.end() == 0)
    }
}
