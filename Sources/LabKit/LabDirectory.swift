import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import SystemPackage

/// The run directory of a lab: `/run/labctl/<lab>`; without root `$XDG_RUNTIME_DIR/labctl/<lab>`,
/// or `/tmp/labctl-UID/<lab>` where there is no such folder.
///
/// A lab is up exactly as long as its supervisor holds the lock in here, which the kernel lets go
/// of however the supervisor dies; everything else in the directory is worthless without it and is
/// swept.
public struct LabDirectory: Hashable, Sendable {
    /// The lab's name.
    public let name: String

    /// Where it is, beside the directories of all other labs of the same user.
    let root: String

    /// The directory of the lab of that name.
    public init(_ name: String) { self.init(name, in: Self.root) }

    /// - Parameter root: where it is: what ``root`` was for whoever started the lab.
    init(_ name: String, in root: String) {
        self.name = name
        self.root = root
    }

    /// Where the directories of all labs are: of root's, or of the user's own.
    public static var root: String {
        root(user: geteuid(), runtimeFolder: getenv("XDG_RUNTIME_DIR").map { String(cString: $0) })
    }

    /// - Parameter runtimeFolder: `$XDG_RUNTIME_DIR`, which the user alone can write to; only an
    ///   absolute path counts (XDG Base Directory Specification).
    static func root(user: UInt32, runtimeFolder: String?) -> String {
        if user == 0 { return "/run/labctl" }
        if let runtimeFolder, runtimeFolder.hasPrefix("/") { return runtimeFolder + "/labctl" }
        return "/tmp/labctl-\(user)"
    }

    /// Makes sure that the folder of the labs is there, and that nobody else can put anything into
    /// it: in /tmp anybody may have made it first.
    ///
    /// - Throws: ``SystemError`` when it cannot be made, ``LabError/machine(_:)`` when it is not
    ///   the caller's alone.
    static func makeRoot() throws {
        let root = root
        if !FileSystem.exists(root) {
            try FileSystem.makeFolders(root, mode: geteuid() == 0 ? 0o755 : 0o700)
        }
        try requireOwn(root)
    }

    /// How long somebody else may take to sweep a directory that is to be claimed.
    private static let claimPatience: Duration = .seconds(5)
    /// How long a killed supervisor may go on to take connections. Nobody is told anything there
    /// before having asked.
    private static let endMilliseconds: CInt = 300
    private static let claimPauseMicroseconds: UInt32 = 1000
    /// What a lab may write into its directory in its first minutes.
    static let minimumRoomBytes: UInt64 = 1 << 20

    /// Where `ip netns` looks names up.
    static let namespaceNames = "/run/netns"

    var path: String { "\(root)/\(name)" }
    /// Held by the supervisor for its whole life.
    var lockPath: String { path + "/lock" }
    /// Where the supervisor answers.
    var socketPath: String { path + "/supervisor.sock" }
    /// What the supervisor and the nodes' first processes print.
    var logPath: String { path + "/supervisor.log" }
    /// The timeline as it grows, one JSON object a line.
    var eventsPath: String { path + "/events.jsonl" }
    /// Mount point of the disks of all nodes, in the supervisor's mount namespace only.
    var diskPath: String { path + "/disk" }
    /// The nodes' control groups of version 1, one a line: those that were made, whether they are
    /// still there or not.
    var groupsPath: String { path + "/control-groups" }
    /// There while the lab has the host forward packets.
    var forwardingPath: String { path + "/ip-forward" }
    /// One folder a node, one file a service: what the services print.
    var outputPath: String { path + "/output" }

    /// The name by which `ip netns exec` finds a node.
    func namespaceName(of node: String) -> String { "\(name)-\(node)" }

    /// Whether there is a lab of that name of root's, and the caller is somebody else, whose own
    /// are elsewhere.
    var isRoots: Bool {
        geteuid() != 0 && FileSystem.isFolder(Self.root(user: 0, runtimeFolder: nil) + "/\(name)")
    }

    /// Whether the lab is up.
    public var isUp: Bool { FileSystem.isOwnFolder(path) && FileLock.isHeld(lockPath) }

    /// Whether the supervisor, which has just closed its connections, ended without having cleared
    /// up: whoever takes a lab down removes the directory first. Waits for the kernel to bury it.
    func hasFallen() -> Bool {
        let deadline = MonotonicClock.now + Self.claimPatience
        while FileSystem.isFolder(path), MonotonicClock.now < deadline {
            if !isUp { return FileSystem.isFolder(path) }
            usleep(Self.claimPauseMicroseconds)
        }
        return false
    }

    /// The labs that are up, by name.
    public static func running() -> [LabDirectory] {
        guard FileSystem.isOwnFolder(root) else { return [] }
        let names = (try? FileSystem.list(root)) ?? []
        return names.map(LabDirectory.init).filter(\.isUp)
    }

    /// Makes the directory and takes its lock.
    ///
    /// - Returns: the open lock file, to be inherited by the supervisor.
    /// - Throws: ``LabError/state(_:)`` when the lab is up, ``LabError/machine(_:)`` when the
    ///   file system refuses.
    func claim() throws(LabError) -> SharedDescriptor {
        do {
            try Self.makeRoot()
            guard let lock = try lockMakingFolders() else {
                throw LabError.state(
                    "lab \(name) is already up: take it down with `labctl down \(name)`, "
                        + "or build this one under another name with `--name`")
            }
            do {
                try clear()
                try requireRoom()
            } catch {
                try remove()
                throw error
            }
            return lock
        } catch {
            throw LabError(refusal: error)
        }
    }

    /// Without room the timeline would end where the lab begins, and nobody would be told.
    private func requireRoom() throws {
        let free = try FileSystem.freeBytes(path)
        guard free >= Self.minimumRoomBytes else {
            throw LabError.machine(
                "\(root) has \(free >> 10) KiB free, and a lab needs "
                    + "\(Self.minimumRoomBytes >> 10) KiB there for its timeline and logs")
        }
    }

    /// What is in somebody else's folder, or in one that a link leads to, is not ours to remove.
    private static func requireOwn(_ path: String) throws(LabError) {
        guard FileSystem.isOwnFolder(path) else {
            throw .machine(
                "\(path) must be a folder, and no link to one, in which nobody else can write: "
                    + "see what it is (`ls -ld \(path)`) and remove it")
        }
    }

    private func lockMakingFolders() throws -> SharedDescriptor? {
        let deadline = MonotonicClock.now + Self.claimPatience
        while MonotonicClock.now < deadline {
            if let lock = try lockMakingFolderInTurn() { return lock }
            // Who holds it is a lab, or one that is ending and has done in a moment.
            if isServed() { return nil }
            usleep(Self.claimPauseMicroseconds)
        }
        return nil
    }

    /// Whether a supervisor takes connections, and keeps them: one that was killed takes them until
    /// the kernel comes to close its socket.
    private func isServed() -> Bool {
        guard let connection = try? UnixSocket.connect(to: socketPath) else { return false }
        var waiting = pollfd(fd: connection.rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, Self.endMilliseconds) == 0
    }

    private func lockMakingFolderInTurn() throws -> SharedDescriptor? {
        let turn = try FileLock.awaitFolder(root)
        defer { turn.close() }
        try FileSystem.makeFolders(path)
        try Self.requireOwn(path)
        do {
            return try FileLock.acquire(lockPath)
        } catch  where error.code == .noSuchFileOrDirectory {
            // Removed by somebody who does not wait for a turn: rm(1).
            return nil
        } catch {
            // An empty folder of ours; one with a lab in it stays.
            rmdir(path)
            throw error
        }
    }

    /// Removes what an earlier lab left in the directory, but for the lock, which the caller holds.
    private func clear() throws(SystemError) {
        removeNamespaceNames()
        ForwardingLoan.settle(self)
        ResourceGroups.sweep(record: groupsPath)
        for entry in try FileSystem.list(path) where entry != "lock" {
            try FileSystem.removeTree("\(path)/\(entry)")
        }
    }

    /// Removes the directory and the nodes' names; the lock goes last, so that a lab never seems to
    /// be down while something of it is left.
    ///
    /// Whoever makes or removes directories has the root locked meanwhile: else one who sweeps
    /// makes a lock file in a directory that another is about to remove, or takes the lock of one
    /// that another is about to claim.
    func remove() throws(SystemError) {
        guard FileSystem.isOwnFolder(path) else { return }
        let turn = try FileLock.awaitFolder(root)
        defer { turn.close() }
        try removeInTurn()
    }

    private func removeInTurn() throws(SystemError) {
        guard FileSystem.isOwnFolder(path) else { return }
        try clear()
        try FileSystem.removeTree(path)
    }

    /// Makes `ip netns exec NAME` and everything else that looks into /run/netns find a node.
    ///
    /// A symbolic link to /proc and not the usual bind mount, which would outlive a SIGKILL of the
    /// supervisor.
    ///
    /// - Throws: ``LabError/state(_:)`` when another lab's node, or somebody else, has the name.
    func nameNamespace(of node: String, hostPID: Int32) throws {
        let entry = namespaceName(of: node)
        let path = "\(Self.namespaceNames)/\(entry)"
        try FileSystem.makeFolders(namespaceMarks)
        if FileSystem.exists(path), !FileSystem.exists("\(namespaceMarks)/\(entry)") {
            throw LabError.state(
                "the network namespace name \(entry) is taken (see `ip netns`): "
                    + "build this lab under another name with `--name`")
        }
        try FileSystem.makeFolders(Self.namespaceNames)
        // The mark comes first: a link without it would be nobody's to remove.
        try FileSystem.write([], to: "\(namespaceMarks)/\(entry)")
        try FileSystem.link(path, to: "/proc/\(hostPID)/ns/net")
    }

    /// Removes a node's name, when it has one.
    func removeNamespaceName(of node: String) { removeNamespaceName(namespaceName(of: node)) }

    private var namespaceMarks: String { path + "/netns" }

    private func removeNamespaceName(_ entry: String) {
        let path = "\(Self.namespaceNames)/\(entry)"
        // Only ever a link into /proc: `ip netns add` makes files.
        if case .link(let target) = FileSystem.entry(path), target.hasPrefix("/proc/") {
            try? FileSystem.remove(path)
        }
        try? FileSystem.remove("\(namespaceMarks)/\(entry)")
    }

    private func removeNamespaceNames() {
        guard FileSystem.isOwnFolder(namespaceMarks) else { return }
        for entry in (try? FileSystem.list(namespaceMarks)) ?? [] { removeNamespaceName(entry) }
    }

    /// Removes what labs that are no longer up have left behind.
    ///
    /// When it returns, whoever was removing something before has done so too.
    ///
    /// - Returns: the names of those labs.
    @discardableResult
    public static func sweep() -> [String] {
        guard FileSystem.isOwnFolder(root), let turn = try? FileLock.awaitFolder(root) else {
            return []
        }
        defer { turn.close() }
        var swept: [String] = []
        for name in (try? FileSystem.list(root)) ?? [] {
            let directory = LabDirectory(name)
            guard FileSystem.isOwnFolder(directory.path),
                let lock = try? FileLock.acquire(directory.lockPath)
            else { continue }
            if (try? directory.removeInTurn()) != nil { swept.append(name) }
            lock.close()
        }
        // The groups of a lab whose supervisor was killed.
        Freezer.sweep { !LabDirectory($0).isUp }
        return swept
    }
}
