import CLinux
import FoundationEssentials
import Glibc
import LinuxSystem
import NetworkTypes
import SystemPackage

/// The control groups (cgroup v2) of a lab's nodes, one a node: what makes a whole node stand
/// still at once, and lets SIGKILL through all the same.
///
/// A group is made with the node's first process and has everything of the node in it. It is what
/// the kernel does not remove with the last process, so it is dismissed when the node has ended;
/// what a killed supervisor leaves is empty, and swept.
struct Freezer {
    /// What an ordinary user has to have so that groups can be made.
    static let delegation =
        "a control group of cgroup v2 that is delegated to you: `systemd-run --user --scope "
        + "-p Delegate=yes labctl ...`, or run labctl with sudo"

    /// Where groups are made; nil where cgroup v2 is not mounted, or nobody lets them be made.
    static var folder: String? { ControlGroupLayout.ofMachine.unified }

    private static let prefix = ResourceGroups.prefix

    private let folder: String
    private let lab: String

    /// Nil where there is no cgroup v2.
    init?(_ lab: String) {
        guard let folder = Self.folder else { return nil }
        self.folder = folder
        self.lab = lab
    }

    private func path(_ node: String) -> String { "\(folder)/\(Self.prefix)\(lab).\(node)" }

    /// Makes a node's group, for its first process to begin in.
    ///
    /// - Returns: the group's folder; nil where it is refused: the node runs all the same, and is
    ///   frozen in another way.
    func makeGroup(of node: String) -> SharedDescriptor? {
        let path = path(node)
        do {
            if mkdir(path, 0o755) != 0 {
                guard errno == EEXIST else {
                    throw SystemError("make folder \(path)", Errno(rawValue: errno))
                }
                // One that could not be removed may be frozen still.
                try set(node, isFrozen: false)
            }
            return SharedDescriptor(
                OwnedDescriptor(
                    try systemCall("open \(path)") {
                        clinux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
                    }))
        } catch {
            giveUp(node, error)
            return nil
        }
    }

    /// Moves a node's first process into its group, where it could not begin in it.
    func admit(_ pid: Int32, of node: String) {
        do {
            try FileSystem.writeParameter("\(pid)", to: "\(path(node))/cgroup.procs")
        } catch { giveUp(node, error) }
    }

    private func giveUp(_ node: String, _ error: any Error) {
        dismiss(node)
        StandardError.print("node \(node) has no control group: \(error)")
    }

    /// Removes a node's group, once nothing is in it.
    func dismiss(_ node: String) { rmdir(path(node)) }

    /// How long something in a node has been kept from a CPU so far (PSI, `some`); nil where the
    /// kernel does not count that.
    func waited(_ node: String) -> Duration? {
        guard let text = try? FileSystem.readText("\(path(node))/cpu.pressure"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("some ") }),
            let total = line.split(separator: " ").last, total.hasPrefix("total="),
            let microseconds = Int64(total.dropFirst(6))
        else { return nil }
        return .microseconds(microseconds)
    }

    /// Whether a node has a group.
    func has(_ node: String) -> Bool { FileSystem.exists(path(node)) }

    /// Begins to freeze or thaw a node; it is done when ``isFrozen(_:)`` says so.
    ///
    /// - Throws: ``SystemError`` when the kernel refuses.
    func set(_ node: String, isFrozen: Bool) throws(SystemError) {
        try FileSystem.writeParameter(
            isFrozen ? "1" : "0", to: "\(path(node))/cgroup.freeze")
    }

    /// Opens what tells when a node is frozen: to be watched for ``changed``, and read anew then.
    func openEvents(of node: String) throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(try FileSystem.openForReading("\(path(node))/cgroup.events"))
    }

    /// What a descriptor of ``openEvents(of:)`` is watched for.
    static let changed = EventLoop.Interest(rawValue: CLINUX_EPOLLPRI)

    /// What such a descriptor says now.
    static func isFrozen(_ events: SharedDescriptor) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = pread(events.rawValue, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
            .contains("frozen 1")
    }

    /// How long the last process of a killed lab may take to have ended.
    private static let burial = Duration.seconds(1)

    /// Removes the groups of labs that are gone. What was in them was killed with the supervisor,
    /// and is waited for.
    static func sweep(_ isGone: (String) -> Bool) {
        guard let folder else { return }
        for entry in (try? FileSystem.list(folder)) ?? [] where entry.hasPrefix(prefix) {
            let lab = entry.dropFirst(prefix.count).prefix { $0 != "." }
            if isGone(String(lab)) { remove("\(folder)/\(entry)") }
        }
    }

    /// Removes a group, as soon as nothing is in it.
    private static func remove(_ path: String) {
        guard rmdir(path) != 0, errno == EBUSY,
            let descriptor = try? FileSystem.openForReading("\(path)/cgroup.events")
        else { return }
        let events = SharedDescriptor(descriptor)
        let deadline = MonotonicClock.now + burial
        repeat {
            // What is read is what poll(2) tells the change of.
            _ = isFrozen(events)
            guard rmdir(path) != 0, errno == EBUSY else { break }
            let left = (deadline - MonotonicClock.now).wholeNanoseconds / 1_000_000
            var waiting = pollfd(fd: events.rawValue, events: Int16(POLLPRI), revents: 0)
            poll(&waiting, 1, CInt(max(left, 0)))
        } while MonotonicClock.now < deadline
        events.close()
    }

    /// Tries it with a group without processes, which is left nowhere.
    ///
    /// - Throws: ``SystemError`` when groups cannot be made, or not be frozen.
    static func attempt() throws(SystemError) {
        guard let folder else { throw SystemError("find cgroup v2", .noSuchFileOrDirectory) }
        let path = "\(folder)/\(prefix).doctor-\(getpid())"
        try FileSystem.makeFolders(path)
        defer { rmdir(path) }
        try FileSystem.writeParameter("1", to: "\(path)/cgroup.freeze")
    }
}
