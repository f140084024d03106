import CLinux
import Glibc
import LinuxSystem
import Testing

/// Every process of a lab at one moment, each held by a pidfd, so that it is known for certain
/// whether that very process has ended, and the namespaces that they were in.
struct LabProcesses {
    private var processes: [(pid: Int32, descriptor: SharedDescriptor)] = []
    /// By name. They are held, which keeps no process alive but their names from being used again
    /// for those of another lab.
    private var held: [String: SharedDescriptor] = [:]

    /// The supervisor's process.
    let supervisor: Int32

    /// Takes hold of all processes of a lab; nil when there is no supervisor.
    ///
    /// The supervisor is stopped while they are counted, so that it starts no other meanwhile.
    init?(of lab: String) throws {
        guard let supervisor = Self.supervisor(of: lab) else { return nil }
        self.supervisor = supervisor
        try hold(supervisor)
        signalSupervisor(SIGSTOP)
        // What the nodes' own first processes start goes on; twice the same is all there is.
        var known: [Int32] = []
        while true {
            let found = try PrivilegedTests.processes(of: lab)
            if found == known { break }
            known = found
        }
        for pid in known where pid != supervisor { try hold(pid) }
    }

    /// How many there are.
    var count: Int { processes.count }

    private static func supervisor(of lab: String) -> Int32? {
        let entries = (try? FileSystem.list("/proc")) ?? []
        return entries.compactMap { Int32($0) }.first { pid in
            let line = (try? FileSystem.readText("/proc/\(pid)/cmdline")) ?? ""
            return line.hasPrefix("labctl\0supervise\0\(lab)\0")
        }
    }

    private mutating func hold(_ pid: Int32) throws {
        let descriptor = clinux_pidfd_open(pid)
        guard descriptor >= 0 else { return }  // It has ended by itself.
        processes.append((pid, SharedDescriptor(OwnedDescriptor(descriptor))))
        let own = Set(Self.namespaces(of: "self").map(\.name))
        for (path, name) in Self.namespaces(of: "\(pid)")
        where !own.contains(name) && held[name] == nil {
            let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
            if descriptor >= 0 { held[name] = SharedDescriptor(OwnedDescriptor(descriptor)) }
        }
    }

    private static func namespaces(of process: String) -> [(path: String, name: String)] {
        ["net", "mnt", "pid", "uts", "ipc", "cgroup"].compactMap { kind in
            let path = "/proc/\(process)/ns/\(kind)"
            // What has ended, or may not be asked, has a link to nowhere.
            guard case .link(let name)? = FileSystem.entry(path), !name.isEmpty else { return nil }
            return (path, name)
        }
    }

    /// Whether a process is over and waits for its parent to notice: an orphan's is the host's
    /// init, which takes its time.
    private static func hasEnded(_ process: String) -> Bool {
        guard let stat = try? FileSystem.readText("/proc/\(process)/stat"),
            let end = stat.lastIndex(of: ")")
        else { return true }
        return [" Z", " X"].contains(String(stat[stat.index(after: end)...].prefix(2)))
    }

    private func signalSupervisor(_ number: Int32) {
        clinux_pidfd_send_signal(processes[0].descriptor.rawValue, number)
    }

    /// Lets the supervisor go on, and sends it a signal.
    func end(with number: Int32) {
        signalSupervisor(number)
        signalSupervisor(SIGCONT)
    }

    /// Expects that every process ends, and that no process, open file or mount of this machine
    /// keeps one of the namespaces.
    func expectGone(sourceLocation: SourceLocation = #_sourceLocation) throws {
        for process in processes {
            #expect(
                isReadable(process.descriptor.rawValue, for: NodeUnderTest.patience),
                "process \(process.pid) still runs", sourceLocation: sourceLocation)
        }
        let left = try FileSystem.list("/proc").filter { entry in
            guard let pid = Int32(entry), pid != getpid(), !Self.hasEnded(entry) else {
                return false
            }
            return Self.namespaces(of: entry).contains { held[$0.name] != nil }
                || ((try? FileSystem.list("/proc/\(entry)/fd")) ?? []).contains {
                    guard case .link(let target)? = FileSystem.entry("/proc/\(entry)/fd/\($0)")
                    else { return false }
                    return held[target] != nil
                }
        }
        let commands = left.map { (try? FileSystem.readText("/proc/\($0)/cmdline")) ?? "" }
        #expect(
            left.isEmpty, "processes in the lab's namespaces: \(commands)",
            sourceLocation: sourceLocation)
        let mounts = try FileSystem.readText("/proc/self/mountinfo")
        #expect(
            !held.keys.contains { mounts.contains(" \($0) ") }, sourceLocation: sourceLocation)
    }
}
