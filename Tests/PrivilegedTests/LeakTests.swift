import Glibc
import LinuxSystem
import NetworkTypes
import Testing

/// What a machine's kernel holds, by what it calls it.
private struct KernelHoldings: CustomStringConvertible {
    private var counts: [String: Int] = [:]

    /// Objects of the kernel of which a lab has some, as /proc/slabinfo calls them; not every
    /// kernel counts each of them apart.
    private static let objects = [
        "net_namespace", "pid_namespace", "uts_namespace", "nsproxy", "mnt_cache", "task_struct",
        "sock_inode_cache", "shmem_inode_cache", "ovl_inode", "mqueue_inode_cache", "filp",
    ]

    static func now() throws -> KernelHoldings {
        var holdings = KernelHoldings()
        // A slab that a processor keeps for itself counts as if all of it were in use, until its
        // cache is shrunk (Documentation/ABI/testing/sysfs-kernel-slab).
        for object in objects {
            try? FileSystem.writeParameter("1", to: "/sys/kernel/slab/\(object)/shrink")
        }
        for line in try FileSystem.readText("/proc/slabinfo").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 1, objects.contains(String(words[0])) else { continue }
            holdings.counts[String(words[0])] = Int(words[1])
        }
        let files = try FileSystem.readText("/proc/sys/fs/file-nr").split(separator: "\t")
        holdings.counts["open files"] = files.first.flatMap { Int($0) }
        let mounts = try FileSystem.readText("/proc/self/mountinfo")
        holdings.counts["mounts"] = mounts.split(separator: "\n").count
        if let folder = try controlGroupFolder() {
            for line in try FileSystem.readText("\(folder)/cgroup.stat").split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words[0].hasSuffix("descendants") else { continue }
                holdings.counts[String(words[0])] = Int(words[1])
            }
        }
        let memory = try FileSystem.readText("/proc/meminfo").split(separator: "\n")
            .first { $0.hasPrefix("SUnreclaim:") }
        holdings.counts["slab KiB"] = memory?.split(separator: " ").dropFirst().first.flatMap {
            Int($0)
        }
        return holdings
    }

    /// What any program opens and closes all the time.
    private static let restless: Set = ["open files", "filp", "shmem_inode_cache"]

    /// What there is more of than before, by more than that. Slabs are pages, which are not given
    /// back one by one: of their memory a lab has 4 KiB to leave.
    func growth(since before: KernelHoldings, beyond limit: Int) -> [String: Int] {
        counts.reduce(into: [:]) { growth, entry in
            let more = entry.value - (before.counts[entry.key] ?? 0)
            let allowed =
                entry.key == "slab KiB"
                ? 8 * limit + 4096 : Self.restless.contains(entry.key) ? limit + 2048 : limit
            if more > allowed { growth[entry.key] = more }
        }
    }

    func difference(from before: KernelHoldings) -> String {
        counts.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value - (before.counts[$0.key] ?? 0))" }
            .joined(separator: ", ")
    }

    var description: String { counts.sorted { $0.key < $1.key }.description }
}

@Suite(
    "Labs that come and go leave the machine as it was", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct LeakTests {
    private static let isFull = getenv("LABCTL_TEST_FULL") != nil
    private static let yaml = """
        networks: { lan: { subnet: 10.85.0.0/24 } }
        nodes:
          a: { interfaces: { eth0: { network: lan } } }
          b: { interfaces: { eth0: { network: lan } } }

        """

    /// Expects that nothing has become more by one for every second lab. The kernel gives some of
    /// it back when it has time, and other programs come and go.
    private func expectNoGrowth(since before: KernelHoldings, labs: Int) throws {
        var after = before
        var growth: [String: Int] = [:]
        let deadline = MonotonicClock.now + .seconds(30)
        repeat {
            after = try .now()
            growth = after.growth(since: before, beyond: max(labs / 2, 8))
            if growth.isEmpty { break }
            usleep(200_000)
        } while MonotonicClock.now < deadline
        #expect(growth.isEmpty, "after \(labs) labs")
        print("after \(labs) labs: \(after.difference(from: before))")
    }

    @Test("24 at once, up and down")
    func parallel() throws {
        let labs = try (1...24).map { try LabUnderTest("leak-p\($0)", Self.yaml) }
        func all(_ verb: String) throws {
            let running = try labs.map { try Labctl.start([verb, $0.folder]) }
            for program in running {
                let run = try program.finish(within: .seconds(120))
                #expect(run.status == 0, "\(verb): \(run.errors)")
            }
        }
        // What is made once, and stays, is made before it counts.
        try all("up")
        try all("down")
        let before = try KernelHoldings.now()
        try all("up")
        for lab in labs {
            #expect(try lab.exec("a", "ping", "-c", "1", "-W", "5", "10.85.0.2").status == 0)
        }
        try all("down")
        for lab in labs { try expectNothingLeft(of: lab.name) }
        try expectNoGrowth(since: before, labs: labs.count)
    }

    @Test("one after the other")
    func sequence() throws {
        let count = Self.isFull ? 1000 : 30
        let lab = try LabUnderTest("leak-seq", Self.yaml)
        func once() throws {
            let up = try Labctl.run("up", lab.folder)
            #expect(up.status == 0, "\(up.errors)")
            let down = try Labctl.run("down", lab.name)
            #expect(down.status == 0, "\(down.errors)")
        }
        for _ in 1...10 { try once() }
        let before = try KernelHoldings.now()
        for _ in 1...count { try once() }
        try expectNothingLeft(of: lab.name)
        try expectNoGrowth(since: before, labs: count)
    }

    @Test("nodes that are killed and started again leave the supervisor as it was")
    func nodes() throws {
        let count = Self.isFull ? 300 : 30
        let lab = try LabUnderTest("leak-nodes", Self.yaml)
        try lab.up()
        func once() throws {
            try lab.apply("kill", "a")
            try lab.apply("start", "a")
        }
        for _ in 1...5 { try once() }
        let supervisor = try #require(try processes(of: lab.name).first)
        func descriptors() throws -> Int { try FileSystem.list("/proc/\(supervisor)/fd").count }
        func resident() throws -> Int {
            let line = try FileSystem.readText("/proc/\(supervisor)/status").split(separator: "\n")
                .first { $0.hasPrefix("VmRSS:") }
            return try #require(
                line?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        }
        let before = try (descriptors(), resident())
        for _ in 1...count { try once() }
        try eventually("it has as many descriptors as before") {
            try descriptors() <= before.0
        }
        // A kill and a start are some thirty events, which the timeline keeps.
        let grown = try resident() - before.1
        #expect(grown < 64 * count + 2048, "\(grown) KiB")
        print("after \(count) restarts: \(grown) KiB")
        try lab.down()
    }
}
