import CLinux
import Glibc
import SystemPackage

/// A program to be started, and how.
///
/// Like posix_spawn(3), with namespaces: the child shares the parent's memory until execve(2), so
/// starting one costs the same whatever the parent's size; signal mask and handlers are reset;
/// descriptors other than those given are closed.
public struct Program {
    /// The executable's path; not looked up in PATH (see ``lookUp(_:path:)``).
    public var path: String
    /// Its arguments, its own name first.
    public var arguments: [String]
    /// Its environment, `NAME=value`.
    public var environment: [String]
    /// The descriptors it gets as 0, 1, 2, and so on.
    public var descriptors: [CInt]
    /// Namespaces made for it.
    public var newNamespaces: Namespaces = []
    /// A network namespace that it begins in; nil for the caller's, or a new one.
    public var networkNamespace: CInt?
    /// A user namespace that it belongs to, and what it can at most get there; nil for the
    /// caller's, with what the caller could get.
    public var users: Users?
    /// The folder it starts in; nil for the caller's.
    public var workingDirectory: String?
    /// Whether it leads a new session, so that signals can be sent to all it starts.
    public var leadsSession = false
    /// Whether its descriptor 0, a terminal, becomes the session's controlling terminal.
    public var controlsTerminal = false
    /// A signal it gets when the thread that starts it ends.
    public var parentDeathSignal: Int32 = 0
    /// The permissions that its files do not get (umask(2)); nil for the caller's.
    public var fileModeMask: UInt16?
    /// The user it runs as; nil for the caller's.
    public var identity: Identity?
    /// The folder of the control group (cgroup v2) that it begins in, open; nil for the caller's.
    public var controlGroup: CInt?

    /// A user namespace and the capabilities in it that a program of root's has there.
    public struct Users: Sendable {
        /// A descriptor of it.
        public var namespace: CInt
        /// Their bounding set: to enter a user namespace fills it (user_namespaces(7)).
        public var capabilities: Capabilities
        public init(namespace: CInt, capabilities: Capabilities) {
            self.namespace = namespace
            self.capabilities = capabilities
        }
    }

    /// A user with groups.
    public struct Identity: Equatable, Sendable {
        public var userID: UInt32
        public var groupID: UInt32
        public var groupIDs: [UInt32]
        var isRoot: Bool { userID == 0 && groupID == 0 }
        public init(userID: UInt32, groupID: UInt32, groupIDs: [UInt32] = []) {
            self.userID = userID
            self.groupID = groupID
            self.groupIDs = groupIDs
        }
    }

    public init(path: String, arguments: [String], environment: [String], descriptors: [CInt]) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.descriptors = descriptors
    }

    /// A started program.
    public struct Started {
        /// Its process id, as the caller's PID namespace numbers it.
        public var pid: Int32
        /// Readable when it has ended (pidfd_open(2)); refers to that process for ever, whatever
        /// its number is reused for.
        public var pidDescriptor: SharedDescriptor
        /// Whether it has begun in the control group that it was to begin in; before Linux 5.7, and
        /// where clone3(2) is forbidden, it begins in the caller's.
        public var isInControlGroup = false

        public init(
            pid: Int32, pidDescriptor: SharedDescriptor, isInControlGroup: Bool = false
        ) {
            self.pid = pid
            self.pidDescriptor = pidDescriptor
            self.isInControlGroup = isInControlGroup
        }
    }

    /// Starts it.
    ///
    /// - Throws: ``SystemError`` naming the step that failed: `run /bin/x: no such file or
    ///   directory`.
    public func start() throws(SystemError) -> Started {
        var spawn = clinux_spawn()
        let (pid, code) = prepare(&spawn) { clinux_spawn($0) }
        guard pid >= 0 else { throw SystemError(failedStep(spawn.stage), code) }
        return Started(
            pid: pid, pidDescriptor: SharedDescriptor(OwnedDescriptor(spawn.pidfd)),
            isInControlGroup: spawn.is_in_group != 0)
    }

    /// Describes it to the kernel for the time that `body` takes.
    ///
    /// - Returns: what `body` returns, and errno after it.
    func prepare(
        _ spawn: inout clinux_spawn, _ body: (UnsafeMutablePointer<clinux_spawn>) -> pid_t
    ) -> (pid_t, Errno) {
        spawn.clone_flags = newNamespaces.rawValue
        spawn.network_namespace = networkNamespace ?? -1
        spawn.user_namespace = users?.namespace ?? -1
        spawn.kept_capabilities = users?.capabilities.rawValue ?? 0
        spawn.control_group = controlGroup ?? -1
        spawn.new_session = leadsSession ? 1 : 0
        spawn.controlling_terminal = controlsTerminal ? 1 : 0
        spawn.parent_death_signal = parentDeathSignal
        spawn.file_mode_mask = fileModeMask.map { CInt($0) } ?? -1
        spawn.descriptor_count = CInt(descriptors.count)
        // Where root is alone, it may not as much as take its own groups again.
        let change = identity.flatMap { $0.isRoot && IDMap.isRootAlone ? nil : $0 }
        if let identity = change {
            spawn.has_identity = 1
            spawn.uid = identity.userID
            spawn.gid = identity.groupID
            spawn.group_count = CInt(identity.groupIDs.count)
        }
        return withCStrings(arguments) { arguments in
            withCStrings(environment) { environment in
                path.withCString { path in
                    withOptionalCString(workingDirectory) { folder in
                        descriptors.withUnsafeBufferPointer { descriptors in
                            (change?.groupIDs ?? []).withUnsafeBufferPointer { groups in
                                spawn.path = path
                                spawn.arguments = arguments
                                spawn.environment = environment
                                spawn.working_directory = folder
                                spawn.descriptors = descriptors.baseAddress
                                spawn.groups = groups.baseAddress
                                let pid = body(&spawn)
                                return (pid, Errno(rawValue: errno))
                            }
                        }
                    }
                }
            }
        }
    }

    func failedStep(_ stage: CInt) -> String {
        switch stage {
        case 0: "make a process for \(path)"
        case 1: "enter a network namespace for \(path)"
        case 2: "hand descriptors to \(path)"
        case 3: "give \(path) its terminal"
        case 4: "change the user of \(path)"
        case 7: "enter a user namespace for \(path)"
        case 5: "enter folder \(workingDirectory ?? "") for \(path)"
        default: "run \(path)"
        }
    }

    /// The path of the program called `name`: itself where it has a slash, else the first
    /// executable of that name in the folders of `path` (separated by colons); nil when there is
    /// none.
    public static func lookUp(_ name: String, path: String) -> String? {
        if name.contains("/") { return name }
        guard !name.isEmpty else { return nil }
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0, FileSystem.isRegularFile(candidate) {
                return candidate
            }
        }
        return nil
    }
}

/// How a process ended.
public enum Termination: Equatable, Sendable {
    case exited(status: Int32)
    case signalled(signal: Int32)

    /// What wait(2) reports.
    public init(waitStatus: CInt) {
        self =
            clinux_wait_exited(waitStatus) != 0
            ? .exited(status: clinux_wait_status(waitStatus))
            : .signalled(signal: clinux_wait_signal(waitStatus))
    }

    /// How a child has ended, without taking its end from the kernel: its number, and that of its
    /// process group, stay its own until it is reaped.
    ///
    /// - Returns: nil when it runs, or is no child.
    public static func peek(_ pid: Int32) -> Termination? {
        var value: CInt = 0
        switch clinux_wait_peek(pid, &value) {
        case 1: return .exited(status: value)
        case 2: return .signalled(signal: value)
        default: return nil
        }
    }

    /// Takes a child's end from the kernel.
    ///
    /// - Parameter pid: the child, or -1 for any.
    /// - Returns: which child ended and how; nil when none has (or there is none).
    public static func reap(_ pid: Int32 = -1) -> (pid: Int32, termination: Termination)? {
        var status: CInt = 0
        var reaped: pid_t
        repeat { reaped = clinux_reap(pid, &status) } while reaped < 0 && errno == EINTR
        return reaped > 0 ? (reaped, Termination(waitStatus: status)) : nil
    }
}

private func withOptionalCString<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

/// A NULL-terminated array of C strings, as execve(2) takes it.
private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
}
