import Glibc
import LinuxSystem
import NetworkTypes
import Testing

/// Everything that a fault could leave behind in a lab that is up, a line each: what is there
/// before it has to be there afterwards, and nothing else.
struct FaultTraces: Equatable, CustomStringConvertible {
    var lines: Set<String>

    var description: String { lines.sorted().joined(separator: "\n") }

    /// What is in one and not in the other.
    func difference(from other: Self) -> String {
        let more = lines.subtracting(other.lines).sorted().map { "+ \($0)" }
        return (more + other.lines.subtracting(lines).sorted().map { "- \($0)" })
            .joined(separator: "\n")
    }

    /// Looks at a lab: rules, queues, devices and addresses of the fabric and of every node,
    /// processes, mounts, descriptors of the supervisor, control groups.
    init(_ lab: LabUnderTest) throws {
        lines = []
        let supervisor = try #require(try processes(of: lab.name).first)
        try network(of: supervisor, "fabric")
        add("fabric", try Self.run("bridge", "-d", "-o", "link", "show", in: supervisor))
        for node in try lab.status().nodes {
            guard let pid = node.pid else {
                lines.insert("\(node.name): no process")
                continue
            }
            // The kernel looks for duplicates of link-local addresses in its own time, and makes
            // their routes then.
            try waitUntil("no address of \(node.name) is tentative") {
                try Self.run("ip", "-6", "addr", "show", "tentative", in: pid).isEmpty
            }
            try network(of: pid, node.name)
            add(node.name, try Self.run("ip", "-o", "addr", "show", in: pid))
            add(node.name, try Self.run("ip", "route", "show", "table", "all", in: pid))
        }
        try addProcesses(lab)
        try addMounts(of: supervisor)
        try addDescriptors(of: supervisor)
        let groups = try Labctl.tool(
            "/usr/bin/find", "/sys/fs/cgroup", "-type", "d", "-name", "*\(lab.name)*")
        add("cgroup", groups.output)
    }

    private mutating func network(of pid: Int32, _ place: String) throws {
        add(place, try Self.run("nft", "list", "ruleset", in: pid))
        add(place, try Self.run("tc", "qdisc", "show", in: pid))
        add(place, try Self.run("ip", "-d", "-o", "link", "show", in: pid))
    }

    private mutating func add(_ place: String, _ text: String) {
        for line in text.split(separator: "\n") {
            // A bridge's clocks run; a node's namespace has another number every time it starts,
            // and a port another number in its bridge every time it comes back.
            let plain = line.replacing(/[a-z_]+_timer +[0-9.]+/, with: "")
                .replacing(/link-netnsid \d+/, with: "")
                .replacing(/(port_id|port_no|designated_port) [0-9a-fx]+/, with: "")
                .replacing(/valid_lft \S+ preferred_lft \S+/, with: "")
            lines.insert("\(place): \(plain)")
        }
    }

    /// What runs, by name, and how often.
    private mutating func addProcesses(_ lab: LabUnderTest) throws {
        var counts: [String: Int] = [:]
        for pid in try processes(of: lab.name) {
            let name = (try? FileSystem.readText("/proc/\(pid)/comm")) ?? "gone\n"
            counts[String(name.dropLast()), default: 0] += 1
        }
        for (name, count) in counts { lines.insert("process: \(count) \(name)") }
    }

    /// What is mounted where, without the numbers of mounts and devices.
    private mutating func addMounts(of pid: Int32) throws {
        let memory = try FileSystem.readText("/proc/meminfo").firstMatch(of: /MemTotal: +(\d+)/)
        let half = try #require(memory.flatMap { Int($0.output.1) }) / 2
        for line in try FileSystem.readText("/proc/\(pid)/mountinfo").split(separator: "\n") {
            // Half of the memory is what a tmpfs has without a size, but for the last page.
            let plain = line.replacing(/,size=(\d+)k/) { match in
                abs((Int(match.output.1) ?? 0) - half) < 1024 ? "" : String(match.output.0)
            }
            lines.insert(
                "mount: " + plain.split(separator: " ").dropFirst(3).joined(separator: " "))
        }
    }

    /// What the supervisor has open, by kind, and how often.
    private mutating func addDescriptors(of pid: Int32) throws {
        var counts: [String: Int] = [:]
        for entry in try FileSystem.list("/proc/\(pid)/fd") {
            var buffer = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/\(pid)/fd/\(entry)", &buffer, buffer.count - 1)
            guard count > 0 else { continue }
            let target = String(
                decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
            counts[target.replacing(/\[\d+\]/, with: ""), default: 0] += 1
        }
        for (kind, count) in counts { lines.insert("descriptor: \(count) \(kind)") }
    }

    /// What a command prints in the network namespace of a process.
    private static func run(_ command: String..., in pid: Int32) throws -> String {
        let run = try RunningProgram(
            "/usr/bin/nsenter", nsenterOptions + ["-t", "\(pid)", "-n"] + command, folder: "/",
            input: "", environment: []
        ).finish()
        try #require(run.status == 0, "\(command): \(run.errors)")
        return run.output
    }
}

extension LabUnderTest {
    /// Waits until nothing but what was there before is there, and says else what is.
    func expectTraces(
        _ before: FaultTraces, after what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let deadline = MonotonicClock.now + .seconds(10)
        var now = try FaultTraces(self)
        // Processes that were told to end take their time, and connections theirs.
        while now != before, MonotonicClock.now < deadline { now = try FaultTraces(self) }
        let difference = now.difference(from: before)
        #expect(difference.isEmpty, "left by \(what)", sourceLocation: sourceLocation)
    }
}
