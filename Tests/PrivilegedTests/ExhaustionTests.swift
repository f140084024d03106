import Glibc
import LinuxSystem
import NetworkTypes
import Testing

/// A control group of version 1 or 2 that a test makes, with a limit in it; gone with this object.
private final class LimitingGroup {
    let path: String

    /// - Returns: nil where the machine has no such controller.
    init?(_ controller: String, _ files: [(String, String)]) throws {
        let mounts = try FileSystem.readText("/proc/self/mountinfo").split(separator: "\n")
        let folder = mounts.first { line in
            line.contains(" - cgroup ")
                && line.split(separator: " ").last!.split(separator: ",")
                    .contains(Substring(controller))
        }.map { String($0.split(separator: " ")[4]) }
        guard let folder = try folder ?? controlGroupFolder() else { return nil }
        path = "\(folder)/\(labPrefix)\(controller)"
        try FileSystem.makeFolders(path)
        for (file, value) in files where FileSystem.exists("\(path)/\(file)") {
            try FileSystem.writeParameter(value, to: "\(path)/\(file)")
            return
        }
        rmdir(path)
        return nil
    }

    /// Whatever is still in it goes first.
    deinit {
        for _ in 0..<2000 where rmdir(path) != 0 && errno == EBUSY { usleep(1000) }
    }
}

@Suite(
    "A machine that has run out of something, stands still or interrupts all the time", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct ExhaustionTests {
    private static let yaml = """
        networks: { lan: { subnet: 10.86.0.0/24 } }
        nodes:
          a:
            interfaces: { eth0: { network: lan, address: 10.86.0.1 } }
            services: { web: { kind: http } }
          b: { interfaces: { eth0: { network: lan, address: 10.86.0.2 } } }

        """

    private func up(_ lab: LabUnderTest, in group: LimitingGroup) throws -> LabctlRun {
        let script = "echo $$ >\(group.path)/cgroup.procs && exec \(Labctl.folder)/labctl up"
        return try RunningProgram(
            "/bin/sh", ["-c", script], folder: lab.folder, input: "", environment: []
        ).finish(within: .seconds(60))
    }

    @Test("no process more, wherever in the building that is: said, and nothing is left")
    func noProcesses() throws {
        for count in 1...7 {
            let lab = try LabUnderTest("ex-pids", Self.yaml)
            guard let group = try LimitingGroup("pids", [("pids.max", "\(count)")]) else {
                Issue.record("this machine has no pids controller")
                return
            }
            let run = try up(lab, in: group)
            if run.status == 0 {
                #expect(count >= 5, "five processes of a lab, and labctl itself at its start")
                try lab.down()
                continue
            }
            #expect([1, 3].contains(run.status), "\(count): \(run)")
            // Or, in a service's own words: its threads are counted, too.
            #expect(
                run.errors.contains("resource temporarily unavailable")
                    || run.errors.contains("service a/web"), "\(count): \(run.errors)")
            try expectNothingLeft(of: lab.name)
        }
        let lab = try LabUnderTest("ex-pids", Self.yaml)
        try lab.up()
        try lab.down()
    }

    @Test("no memory: whoever is killed for it takes nothing but the lab along, and all of that")
    func noMemory() throws {
        for mebibytes in [2, 4, 8, 12, 16, 24] {
            let lab = try LabUnderTest("ex-memory", Self.yaml)
            let limits = [
                ("memory.max", "\(mebibytes)M"), ("memory.limit_in_bytes", "\(mebibytes)M"),
            ]
            guard let group = try LimitingGroup("memory", limits) else {
                Issue.record("this machine has no memory controller")
                return
            }
            let run = try up(lab, in: group)
            if run.status == 0 {
                // A node may be short of memory even so.
                #expect([0, 1, 5].contains(try Labctl.run("down", lab.name).status))
            } else {
                #expect([1, 3, 137].contains(run.status), "\(mebibytes) MiB: \(run)")
                #expect(run.status == 137 || !run.errors.isEmpty)
            }
            // Another verb sweeps what the killed have left, once they have ended.
            try eventually("it is gone") {
                _ = try Labctl.run("list")
                return !FileSystem.exists("/run/labctl/\(lab.name)")
            }
            try expectNothingLeft(of: lab.name)
        }
    }

    @Test("no descriptors in the supervisor: it waits without work, and serves again after that")
    func noDescriptors() throws {
        let lab = try LabUnderTest("ex-files", Self.yaml)
        let limit = 128
        let up = try Labctl.tool(
            "/bin/sh", "-c", "ulimit -n \(limit); exec \(Labctl.folder)/labctl up \(lab.folder)")
        try #require(up.status == 0, "\(up.errors)")
        let supervisor = try #require(try processes(of: lab.name).first)
        let path = "/run/labctl/\(lab.name)/supervisor.sock"
        var idle: [OwnedConnection] = []
        // More wait than it has descriptors for, fewer than the socket's queue takes.
        for _ in 0..<(limit + 8) { idle.append(OwnedConnection(try UnixSocket.connect(to: path))) }
        try eventually("it has none left") {
            try FileSystem.list("/proc/\(supervisor)/fd").count >= limit
        }
        func ticks() throws -> Int {
            let stat = try FileSystem.readText("/proc/\(supervisor)/stat")
            let fields = stat[stat.lastIndex(of: ")")!...].split(separator: " ")
            return (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
        }
        let before = try ticks()
        usleep(1_000_000)
        let spent = try ticks() - before
        #expect(spent < 30, "\(spent) hundredths of a second of processor in a second")
        idle.removeAll()
        #expect(try lab.exec("a", "true").status == 0)
        #expect(try Labctl.run("status", lab.name).status == 0)
        try lab.down()
    }

    private final class OwnedConnection {
        private let descriptor: OwnedDescriptor
        init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    }

    /// Stops and continues processes of a lab and labctl's own all the time: what sleeps in the
    /// kernel is interrupted by it (signal(7), "Interruption of system calls and library functions
    /// by stop signals").
    private static let storm = """
        import os, signal, sys, time
        lab, programs = sys.argv[1], ('labctl', 'node-init', 'http-backend')
        def ours():
            for entry in os.listdir('/proc'):
                if not entry.isdigit(): continue
                try: line = open(f'/proc/{entry}/cmdline', 'rb').read().decode(errors='replace')
                except OSError: continue
                words = line.split('\\0')
                if lab in line and os.path.basename(words[0]) == 'labctl': yield int(entry)
                elif words[0] in ('node-init', 'web'):
                    try: parent = int(open(f'/proc/{entry}/stat').read().rsplit(')')[-1].split()[1])
                    except OSError: continue
                    try: above = open(f'/proc/{parent}/cmdline').read()
                    except OSError: continue
                    if lab in above: yield int(entry)
        def tell(pids, number):
            for pid in pids:
                try: os.kill(pid, number)
                except ProcessLookupError: pass
        print('ready', flush=True)
        rounds = 0
        while not os.path.exists(sys.argv[2]):
            pids = list(ours())
            for _ in range(10):
                tell(pids, signal.SIGSTOP); tell(pids, signal.SIGCONT); time.sleep(0.001)
                rounds += len(pids)
        print(rounds)
        """

    @Test("EINTR everywhere: a storm of interruptions changes nothing that is done meanwhile")
    func interruptions() throws {
        let lab = try LabUnderTest("ex-storm", Self.yaml)
        let end = "\(lab.folder)/end"
        let storm = try RunningProgram(
            "/usr/bin/python3", ["-c", Self.storm, lab.name, end], folder: "/", input: "",
            environment: [])
        _ = try storm.nextLine()
        defer { try? FileSystem.write([], to: end) }
        for _ in 1...3 {
            try lab.up()
            for _ in 1...5 {
                #expect(try lab.exec("b", "ping", "-c", "1", "-W", "5", "10.86.0.1").status == 0)
            }
            try lab.apply("restart", "a/web")
            try lab.apply("kill", "b")
            try lab.apply("start", "b")
            #expect(try Labctl.run("status", lab.name).status == 0)
            try lab.down()
        }
        try FileSystem.write([], to: end)
        let run = try storm.finish()
        let rounds = Int(run.output.split(separator: "\n").last ?? "") ?? 0
        #expect(rounds > 500, "\(run)")
    }

    @Test("a machine that sleeps: all of a lab stands still for seconds, and goes on")
    func sleep() throws {
        let lab = try LabUnderTest("ex-sleep", Self.yaml)
        try lab.up()
        let all = try processes(of: lab.name)
        for pid in all { kill(pid, SIGSTOP) }
        // While nobody answers, nobody is told that the lab has ended.
        let waiting = try Labctl.start(["status", lab.name])
        usleep(2_500_000)
        #expect(!waiting.hasEnded)
        for pid in all { kill(pid, SIGCONT) }
        #expect(try waiting.finish(within: .seconds(20)).status == 0)
        #expect(try lab.exec("b", "ping", "-c", "1", "-W", "5", "10.86.0.1").status == 0)
        #expect(try lab.events("stall").contains("this machine stood still for 2"))
        #expect(Set(try processes(of: lab.name)).isSuperset(of: all), "nobody has ended of it")
        try lab.down()
    }
}
