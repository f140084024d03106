import CLinux
import Glibc
import SystemPackage

extension Program {
    /// Starts it as root of a user namespace of its own, which its other new namespaces belong to;
    /// its clocks are a time namespace of its own, too, where the kernel has them.
    ///
    /// - Parameter map: who there is inside.
    /// - Throws: ``SystemError``, or ``IDMapError`` when newuidmap(1) refuses; nothing runs then.
    public func start(inUserNamespace map: IDMap) throws -> Started {
        let go = try Pipe.make()
        let report = try Pipe.make()
        defer {
            go.writeEnd.close()
            report.readEnd.close()
        }
        var spawn = clinux_spawn()
        spawn.go = go.readEnd.rawValue
        spawn.go_writer = go.writeEnd.rawValue
        spawn.report = report.writeEnd.rawValue
        let (pid, code) = prepare(&spawn) { spawn in
            spawn.pointee.clone_flags |= CLINUX_CLONE_NEWUSER
            return clinux_spawn_apart(spawn)
        }
        go.readEnd.close()
        report.writeEnd.close()
        guard pid >= 0 else { throw SystemError("make a user namespace for \(path)", code) }
        let started = Started(
            pid: pid, pidDescriptor: SharedDescriptor(OwnedDescriptor(spawn.pidfd)),
            isInControlGroup: false)
        do {
            try map.write(for: pid)
            try FileSystem.writeAll([1], to: go.writeEnd.rawValue, name: "a pipe")
            var told: [CInt] = [0, 0]
            let number = report.readEnd.rawValue
            let count = try systemCall("read a pipe") {
                told.withUnsafeMutableBytes { read(number, $0.baseAddress, $0.count) }
            }
            if count > 0 { throw SystemError(failedStep(told[1]), Errno(rawValue: told[0])) }
            return started
        } catch {
            clinux_pidfd_send_signal(started.pidDescriptor.rawValue, SIGKILL)
            started.awaitEnd()
            throw error
        }
    }
}

extension Program.Started {
    /// Waits for its end, which is taken from the kernel.
    @discardableResult
    public func awaitEnd() -> Termination {
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return Termination(waitStatus: status)
    }
}

extension IDMap {
    /// Whether nobody is there but root: in a user namespace whose maker could map its own number
    /// alone. Read from the calling process's own maps, the first time it is asked.
    public static let isRootAlone: Bool = {
        guard let text = try? FileSystem.readText("/proc/self/uid_map") else { return false }
        let fields = text.split(whereSeparator: \.isWhitespace)
        return fields.count == 3 && fields[0] == "0" && fields[2] == "1"
    }()

    /// Whether everybody is there under its own number, as outside of all user namespaces.
    public static let isOfMachine: Bool = {
        let text = (try? FileSystem.readText("/proc/self/uid_map")) ?? ""
        let fields = text.split(whereSeparator: \.isWhitespace)
        // A kernel without user namespaces has no such file.
        return fields.isEmpty || fields == ["0", "0", "4294967295"]
    }()

    /// What is said to whoever wanted somebody else there.
    public static let rootAloneHint =
        "only root is there in a lab of an ordinary user without a range of user ids: "
        + "see `labctl doctor`"
}

/// Numbers that newuidmap(1) or newgidmap(1) would not map.
public struct IDMapError: Error, CustomStringConvertible {
    public var description: String
}

extension IDMap {
    /// The programs that map more than one's own number, by what they map; nil where they are not
    /// installed.
    public static var programs: (users: String, groups: String)? {
        let path = "/usr/local/bin:/usr/bin:/bin"
        guard let users = Program.lookUp("newuidmap", path: path),
            let groups = Program.lookUp("newgidmap", path: path)
        else { return nil }
        return (users, groups)
    }

    /// Maps them in the user namespace of a process that the caller has started.
    fileprivate func write(for pid: Int32) throws {
        let folder = "/proc/\(pid)"
        guard hasRange, let programs = Self.programs else {
            // The groups of whoever cannot give up its own must not be given up: one may be there
            // to keep its members from something.
            try FileSystem.writeParameter("deny", to: "\(folder)/setgroups")
            try FileSystem.writeParameter(Self.text(users.prefix(1)), to: "\(folder)/uid_map")
            return try FileSystem.writeParameter(
                Self.text(groups.prefix(1)), to: "\(folder)/gid_map")
        }
        try Self.run(programs.users, pid, users)
        try Self.run(programs.groups, pid, groups)
    }

    private static func text(_ ranges: ArraySlice<Range>) -> String {
        ranges.map { "\($0.inside) \($0.outside) \($0.count)\n" }.joined()
    }

    private static func run(_ program: String, _ pid: Int32, _ ranges: [Range]) throws {
        let null = try OwnedDescriptor.null()
        let errors = try Pipe.make()
        defer { errors.readEnd.close() }
        let numbers = ranges.flatMap { ["\($0.inside)", "\($0.outside)", "\($0.count)"] }
        let start = Program(
            path: program, arguments: [program, "\(pid)"] + numbers, environment: [],
            descriptors: [null.rawValue, null.rawValue, errors.writeEnd.rawValue])
        let started = try start.start()
        errors.writeEnd.close()
        let told = try FileSystem.readAll(errors.readEnd.rawValue, name: program)
        guard started.awaitEnd() == .exited(status: 0) else {
            let text = String(decoding: told, as: UTF8.self)
                .split(separator: "\n").joined(separator: "; ")
            throw IDMapError(
                description: "\(program) does not map \(numbers.joined(separator: " ")): \(text)")
        }
    }
}
