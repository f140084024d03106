import Glibc
import LinuxSystem
import Testing

/// Two nodes: `a` with a web server and something that takes memory when it is started.
private let hungry = """
    nodes:
      a:
        services:
          web: { kind: http }
          hog: { kind: command, command: [tail, /dev/zero], autostart: false }
      b: {}
    """

extension LabUnderTest {
    /// The control groups that limit a node, wherever this machine has them: folders with that
    /// file in them.
    func groups(of node: String, with file: String) throws -> [String] {
        func search(_ folder: String, _ depth: Int) throws -> [String] {
            guard depth > 0 else { return [] }
            return try groupFolders(in: folder).flatMap { path in
                guard path.hasSuffix("/labctl.\(self.name).\(node)") else {
                    return try search(path, depth - 1)
                }
                return FileSystem.exists("\(path)/\(file)") ? [path] : []
            }
        }
        return try search("/sys/fs/cgroup", 8)
    }

    /// What is said to be broken.
    func broken() throws -> String? {
        try Labctl.run("status", name).output.split(separator: "\n")
            .first { $0.hasPrefix("broken: ") }.map { String($0.dropFirst(8)) }
    }

    /// How much processor time a loop gets that runs for that long, in seconds.
    fileprivate func busySeconds(_ node: String, for seconds: Int) throws -> Double {
        let times = try shell(
            node, "timeout \(seconds) sh -c 'while :; do :; done'; times > /tmp/t; tail -n 1 /tmp/t"
        )
        // `0m0.203s 0m0.001s`: of the children, in and for it.
        return times.split(separator: " ").reduce(0) { sum, text in
            let parts = text.split(whereSeparator: { $0 == "m" || $0 == "s" || $0.isNewline })
            guard parts.count == 2, let minutes = Double(parts[0]), let rest = Double(parts[1])
            else { return sum }
            return sum + 60 * minutes + rest
        }
    }

    fileprivate func number(_ key: String, in path: String) throws -> Int {
        let line = try FileSystem.readText(path).split(separator: "\n").first {
            $0.hasPrefix("\(key) ")
        }
        return try #require(line.flatMap { Int($0.dropFirst(key.count + 1)) }, "\(key) in \(path)")
    }
}

@Suite("Nodes that have less than their machine", .enabled(if: buildsLabs, "needs root"))
struct LimitTests {
    @Test("a fifth of a processor is what a busy node gets, and its neighbour all it wants")
    func cpu() throws {
        let lab = try LabUnderTest("lm-cpu", hungry)
        try lab.up()
        try lab.fault("limit", "a", "cpu", "20%")
        #expect(try lab.broken() == "limit a cpu 20%")
        #expect(try Labctl.run("graph", lab.name).output.contains("(cpu 20%)"))
        let group = try #require(
            try lab.groups(of: "a", with: "cpu.stat").first {
                try FileSystem.readText("\($0)/cpu.stat").contains("nr_throttled")
            })
        let before = try lab.number("nr_throttled", in: "\(group)/cpu.stat")
        let slow = try lab.busySeconds("a", for: 2)
        #expect(0.1...0.7 ~= slow, "\(slow) s of 2 s")
        #expect(try lab.number("nr_throttled", in: "\(group)/cpu.stat") >= before + 5)
        #expect(try lab.busySeconds("b", for: 1) > slow / 2, "the neighbour is not slowed down")

        try lab.fault("limit", "a", "cpu", "none")
        #expect(try lab.broken() == nil)
        let quick = try lab.busySeconds("a", for: 2)
        #expect(quick > slow * 1.4, "\(quick) s of 2 s, limited \(slow) s")
        let events = try lab.events("fault")
        #expect(events.contains("limit a cpu 20%") && events.contains("limit a cpu none"))
        try lab.down()
    }

    @Test("a real-time process is limited with the others, and one can become so in a slow node")
    func realTime() throws {
        // With that parameter nodes have no user namespaces, in which real-time processes take a
        // limit that not every root may raise.
        let lab = try LabUnderTest(
            "lm-fifo",
            """
            nodes:
              a:
                sysctls: { net.ipv6.route.gc_thresh: 1024 }
                services: { fifo: { kind: command, command: [chrt, -f, "1", sleep, infinity] } }
              b: {}
            """)
        try lab.up()
        // What is left for real-time processes is little then.
        try lab.fault("limit", "b", "cpu", "95%")
        try lab.fault("limit", "a", "cpu", "20%")
        for node in ["a", "b"] {
            #expect(try lab.exec(node, "chrt", "-f", "1", "true").status == 0, "\(node)")
        }
        try lab.fault("heal")
        #expect(try lab.exec("a", "chrt", "-f", "1", "true").status == 0)
        try lab.down()
    }

    @Test(
        "a limit that cannot be had leaves the node as it was, with those that came with it",
        .enabled(if: !isUnified, "cgroup v2 kills where v1 refuses"))
    func refused() throws {
        let lab = try LabUnderTest("lm-refused", hungry)
        try lab.up()
        try lab.fault("limit", "a", "memory", "200MiB")
        let groups = try lab.groups(of: "a", with: "cgroup.procs")
        // What cannot be swapped out cannot be taken away.
        _ = try lab.shell("a", "head -c 60000000 /dev/zero > /tmp/held")
        let run = try Labctl.run(
            "limit", "-l", lab.name, "a", "pids", "50", "cpu", "50%", "memory", "10MiB")
        #expect(run.status == 3 && run.errors.contains("busy"), "\(run)")
        #expect(try lab.broken() == "limit a memory 200MiB")
        #expect(try lab.groups(of: "a", with: "cgroup.procs") == groups)
        #expect(try lab.exec("a", "true").status == 0)
        try lab.fault("limit", "a", "none")
        try lab.down()
    }

    @Test("who takes more memory than there is is killed, in that node alone, and it is told")
    func memory() throws {
        let lab = try LabUnderTest("lm-memory", hungry)
        try lab.up()
        try lab.fault("limit", "a", "memory", "64MiB")
        _ = try Labctl.run("start", "-l", lab.name, "a/hog")
        try eventually("it is killed", within: .seconds(60)) {
            try lab.status().node("a").state(of: "hog") == "exited"
        }
        #expect(try Labctl.run("status", lab.name).output.contains("hog ended (signal 9)"))
        #expect(try lab.events("service").contains("hog ended with signal 9"))
        #expect(try lab.status().node("a").state(of: "web") == "ready")
        #expect(try lab.status().node("a").state == "running")
        let told = "hog.service: A process of this unit has been killed by the OOM killer."
        #expect(try Labctl.run("logs", "-l", lab.name, "a/hog").output.contains(told))
        #expect(try lab.shell("a", "journalctl -u hog").contains(told))
        // Killed by hand, it was not the memory.
        try lab.apply("kill", "a/web")
        #expect(try !Labctl.run("logs", "-l", lab.name, "a/web").output.contains("OOM"))
        try lab.apply("start", "a/web")
        let supervisor = try #require(try processes(of: lab.name).first)
        let groups = try FileSystem.readText("/proc/\(supervisor)/cgroup")
        #expect(!groups.contains("labctl."), "the supervisor is not limited: \(groups)")

        // Without the limit it takes what it is given.
        try lab.fault("limit", "a", "none")
        let take = "head -c 100000000 /dev/zero | tail | wc -c"
        #expect(try lab.shell("a", take) == "100000000\n")
        try lab.down()
    }

    /// Whether the controllers are in cgroup v2.
    private static let isUnified =
        ((try? FileSystem.readText("/sys/fs/cgroup/cgroup.controllers")) ?? "").contains("memory")

    @Test(
        "with cgroup v2 alone: the values in the node's own group, and none when they are lifted",
        .enabled(if: isUnified, "needs controllers in cgroup v2: user-mode Linux has them"))
    func unified() throws {
        let lab = try LabUnderTest("lm-unified", hungry)
        try lab.up()
        try lab.fault("limit", "a", "cpu", "20%", "memory", "64MiB", "pids", "50")
        let group = "/sys/fs/cgroup/labctl.\(lab.name).a"
        func values() throws -> [String] {
            try ["cpu.max", "memory.max", "pids.max"].map {
                try FileSystem.readText("\(group)/\($0)")
            }
        }
        #expect(try values() == ["20000 100000\n", "67108864\n", "50\n"])
        _ = try Labctl.run("start", "-l", lab.name, "a/hog")
        try eventually("it is killed", within: .seconds(60)) {
            try lab.status().node("a").state(of: "hog") == "exited"
        }
        #expect(try lab.number("oom_kill", in: "\(group)/memory.events") == 1)
        #expect(try Labctl.run("logs", "-l", lab.name, "a/hog").output.contains("OOM killer"))
        let before = try lab.number("nr_throttled", in: "\(group)/cpu.stat")
        _ = try lab.busySeconds("a", for: 2)
        #expect(try lab.number("nr_throttled", in: "\(group)/cpu.stat") > before)
        try lab.apply("kill", "a")
        try lab.apply("start", "a")
        #expect(try values() == ["20000 100000\n", "67108864\n", "50\n"])
        try lab.fault("limit", "a", "none")
        #expect(try values() == ["max 100000\n", "max\n", "max\n"])
        try lab.down()
    }

    @Test("a node with few processes starts no more than that")
    func fewProcesses() throws {
        let lab = try LabUnderTest("lm-pids", hungry)
        try lab.up()
        let start = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 3 & done"
        try lab.fault("limit", "a", "pids", "8")
        let refused = try lab.exec("a", "sh", "-c", start)
        #expect(refused.status != 0 && refused.errors.lowercased().contains("fork"), "\(refused)")
        #expect(try lab.exec("b", "sh", "-c", start).status == 0)
        try lab.fault("limit", "a", "pids", "none")
        #expect(try lab.exec("a", "sh", "-c", start).status == 0)
        try lab.down()
    }

    @Test("a full disk takes nothing and gives what it has; the neighbour's takes what comes")
    func disk() throws {
        let lab = try LabUnderTest("lm-disk", hungry)
        try lab.up()
        let write = "head -c 65536 /dev/zero > /root/more"
        _ = try lab.shell("a", "echo kept > /root/kept; \(write); rm /root/more")
        try lab.fault("limit", "a", "disk", "full")
        let refused = try lab.exec("a", "sh", "-c", write)
        #expect(refused.status != 0 && refused.errors.contains("No space left"), "\(refused)")
        #expect(try lab.exec("a", "sh", "-c", "echo x > /var/tmp/x").status != 0)
        #expect(try lab.shell("a", "cat /root/kept") == "kept\n")
        #expect(try lab.shell("a", "echo y > /tmp/y && cat /tmp/y") == "y\n", "that is memory")
        #expect(try lab.exec("b", "sh", "-c", write).status == 0)

        // It outlives the node.
        try lab.apply("kill", "a")
        try lab.apply("start", "a")
        #expect(try lab.exec("a", "sh", "-c", write).status != 0)
        #expect(try lab.shell("a", "cat /root/kept") == "kept\n")
        #expect(try lab.broken() == "limit a disk full")

        try lab.fault("limit", "a", "disk", "1MiB", "left")
        #expect(try lab.exec("a", "sh", "-c", write).status == 0)
        let much = "head -c 2097152 /dev/zero > /root/much"
        #expect(try lab.exec("a", "sh", "-c", much).status != 0)
        try lab.fault("limit", "a", "disk", "none")
        #expect(try lab.exec("a", "sh", "-c", much).status == 0)
        try lab.down()
    }

    @Test("limits come back with the node, those set while it was down as well; heal lifts them")
    func comesBack() throws {
        let lab = try LabUnderTest("lm-back", hungry)
        try lab.up()
        try lab.fault("limit", "a", "cpu", "50%")
        try lab.apply("kill", "a")
        #expect(try lab.groups(of: "a", with: "cgroup.procs").isEmpty)
        try lab.fault("limit", "a", "pids", "8", "disk", "full")
        #expect(try lab.broken() == "limit a cpu 50% disk full pids 8")
        try lab.apply("start", "a")
        let group = try #require(try lab.groups(of: "a", with: "pids.max").first)
        #expect(try FileSystem.readText("\(group)/pids.max") == "8\n")
        #expect(try lab.exec("a", "sh", "-c", "echo x > /root/x").status != 0)
        #expect(try !lab.groups(of: "a", with: "cpu.stat").isEmpty)
        let before = try lab.groups(of: "b", with: "cgroup.procs")
        try lab.fault("heal")
        #expect(try lab.broken() == nil)
        #expect(try lab.exec("a", "sh", "-c", "echo x > /root/x").status == 0)
        // As many groups as the node that nothing was ever done to.
        #expect(try lab.groups(of: "a", with: "cgroup.procs").count == before.count)
        try lab.down()
    }

    @Test("for a time: lifted by itself, unless another has taken its place")
    func forATime() throws {
        let lab = try LabUnderTest("lm-time", hungry)
        try lab.up()
        try lab.fault("limit", "a", "disk", "full", "--for", "300ms")
        try eventually("it can write again") {
            try lab.exec("a", "sh", "-c", "echo x > /root/x").status == 0
        }
        #expect(try lab.events("fault").contains("limit a disk none"))
        try lab.fault("limit", "a", "pids", "100", "cpu", "90%", "--for", "1500ms")
        try lab.fault("limit", "a", "pids", "200")
        usleep(1_800_000)
        #expect(try lab.broken() == "limit a cpu 90% pids 200", "it is no longer as it was set")
        try lab.down()
    }

    @Test("a process that forks all the time is moved with all that it starts")
    func forking() throws {
        let lab = try LabUnderTest(
            "lm-fork",
            """
            nodes:
              a:
                services:
                  busy: { kind: command, command: [sh, -c, "while :; do (:); done"] }
                  busier: { kind: command, command: [sh, -c, "while :; do (:); done"] }
            """)
        try lab.up()
        for round in 1...10 {
            try lab.fault("limit", "a", "pids", "1000")
            let group = try #require(try lab.groups(of: "a", with: "pids.max").first)
            let everybody = try #require(try controlGroupFolder()) + "/labctl.\(lab.name).a"
            func members(_ path: String) throws -> Set<Substring> {
                Set(try FileSystem.readText("\(path)/cgroup.procs").split(separator: "\n"))
            }
            // What lives through both looks is in both.
            let before = try members(everybody)
            let limited = try members(group)
            let after = try members(everybody)
            #expect(before.intersection(after).isSubset(of: limited), "round \(round)")
            try lab.fault("limit", "a", "none")
        }
        try lab.down()
    }

    @Test("a supervisor that was killed leaves empty groups, which the next labctl sweeps")
    func swept() throws {
        let lab = try LabUnderTest("lm-swept", hungry)
        try lab.up()
        try lab.fault("limit", "a", "cpu", "50%", "memory", "64MiB", "pids", "50")
        #expect(try !lab.groups(of: "a", with: "cgroup.procs").isEmpty)
        let supervisor = try #require(try processes(of: lab.name).first)
        kill(supervisor, SIGKILL)
        try eventually("its groups are swept") {
            _ = try Labctl.run("list")
            return try lab.groups(of: "a", with: "cgroup.procs").isEmpty
        }
        try expectNothingLeft(of: lab.name)
    }

    @Test(
        "without control groups it is said at once what is missing; disks are limited all the same")
    func withoutGroups() throws {
        let lab = try LabUnderTest("lm-none", hungry)
        // The supervisor keeps the mounts that it was started with.
        let up = try RunningProgram(
            "/usr/bin/unshare",
            [
                "-m", "/bin/sh", "-c",
                "umount -R -l /sys/fs/cgroup && exec \(Labctl.folder)/labctl up",
            ], folder: lab.folder, input: "", environment: []
        ).finish()
        try #require(up.status == 0, "\(up.errors)")
        let refused = try Labctl.run("limit", "-l", lab.name, "a", "cpu", "20%")
        #expect(refused.status == 3)
        #expect(
            refused.errors == """
                cpu limits need cgroup v2, which is not mounted: mount -t cgroup2 none /sys/fs/cgroup

                """)
        #expect(try lab.broken() == nil)
        #expect(try !lab.events("fault").contains("limit"))
        try lab.fault("limit", "a", "disk", "full")
        #expect(try lab.exec("a", "sh", "-c", "echo x > /root/x").status != 0)
        try lab.down()
    }

    @Test("wrong words, and a node that is not there")
    func mistakes() throws {
        let lab = try LabUnderTest("lm-wrong", hungry)
        try lab.up()
        let words = try Labctl.run("limit", "-l", lab.name, "a", "cpu", "20")
        #expect(words.status == 2)
        #expect(words.errors.contains("'20' after 'cpu' is no share, as 20% is"), "\(words.errors)")
        let node = try Labctl.run("limit", "-l", lab.name, "c", "cpu", "20%")
        #expect(node.status == 5)
        #expect(node.errors == "lab \(lab.name) has no node c; its nodes are a, b\n")
        try lab.down()
    }
}
