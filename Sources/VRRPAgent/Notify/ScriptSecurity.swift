import KeepalivedConf
import LinuxSystem
import SystemPackage

/// A user that scripts run as, in one group.
struct ScriptUser: Hashable {
    var userID: UInt32
    var groupID: UInt32

    /// What ``Program`` needs; keepalived leaves no supplementary group either.
    var identity: Program.Identity {
        Program.Identity(userID: userID, groupID: groupID, groupIDs: [groupID])
    }
}

/// Whether a command may be run: keepalived 2.2.7's `check_script_secure`, with the file system
/// passed in. The messages are keepalived's, word for word.
struct ScriptSecurity {
    /// What the check needs of the machine.
    struct Machine: Sendable {
        /// Whom the daemon runs as.
        var ownUser: ScriptUser
        var users: UserDatabase
        /// The folders of PATH.
        var searchPath: [String]
        var attributes:
            @Sendable (_ path: String, _ followsLinks: Bool) throws(SystemError) -> FileAttributes
        /// realpath(3).
        var resolve: @Sendable (_ path: String) throws(SystemError) -> String
    }

    /// What came of checking a command.
    struct Verdict: Equatable {
        /// What is run; nil: nothing, ever.
        var arguments: [String]?
        /// What keepalived logs.
        var lines: [LogLine] = []
        /// Whether there is a program at all, so that its security matters.
        var isScript = false
        /// Whether somebody else than root could change a script that runs as root.
        var isInsecure = false
        /// Why `arguments` is nil.
        var refusal: Refusal?
    }

    enum Refusal: Equatable { case notFound, inhibited, notExecutable }

    let machine: Machine
    /// `enable_script_security`: what is insecure is not run.
    let isEnabled: Bool

    /// Checks a command that would run as that user.
    func check(_ arguments: [String], as user: ScriptUser) -> Verdict {
        var verdict = Verdict(arguments: arguments)
        if CommandLauncher.testedFile(arguments) != nil { return verdict }
        guard var path = arguments.first, !path.isEmpty else {
            return refuse(&verdict, .notFound)
        }
        if !path.contains("/") {
            guard let found = search(path, user, &verdict) else {
                return refuse(&verdict, .notFound)
            }
            path = found
        }
        let real: String
        let attributes: FileAttributes
        do throws(SystemError) {
            real = try machine.resolve(path)
            attributes = try machine.attributes(real, true)
        } catch {
            verdict.lines.append(
                .init("Script \(path) cannot be accessed - \(error.code.description)"))
            return refuse(&verdict, .notFound)
        }
        path = canonical(path, real)
        verdict.arguments?[0] = path
        verdict.isScript = true
        guard attributes.isExecutable(by: user) else {
            verdict.lines.append(
                .init(
                    "WARNING - script '\(path)' is not executable for uid:gid "
                        + "\(user.userID):\(user.groupID) - disabling."))
            return refuse(&verdict, .notExecutable)
        }
        guard user.userID == 0 || user.groupID == 0 || attributes.becomesRoot else {
            return verdict
        }
        for path in path == real ? [path] : [path, real] {
            if let refusal = checkWay(to: path, &verdict) { return refuse(&verdict, refusal) }
        }
        return verdict
    }

    private func refuse(_ verdict: inout Verdict, _ refusal: Refusal) -> Verdict {
        verdict.arguments = nil
        verdict.refusal = refusal
        return verdict
    }

    /// Looks a bare name up in PATH.
    private func search(_ name: String, _ user: ScriptUser, _ verdict: inout Verdict) -> String? {
        var isDenied = false
        for folder in machine.searchPath {
            let path = "\(folder)/\(name)"
            guard let attributes = try? machine.attributes(path, true) else { continue }
            guard attributes.kind == .file, attributes.isExecutable(by: user) else {
                isDenied = true
                continue
            }
            verdict.lines.append(
                .init(
                    "WARNING - script `\(name)` resolved by path search to `\(path)`."
                        + " Please specify full path."))
            return path
        }
        verdict.lines.append(
            .init(
                isDenied
                    ? "Permissions failure for script \(name) in path - disabling"
                    : "Cannot find script \(name) in path - disabling"))
        return nil
    }

    /// The path without links, but with the name that was written if that leads to the same file: a
    /// program may behave as it is called.
    private func canonical(_ path: String, _ real: String) -> String {
        func split(_ path: String) -> (folder: Substring, name: Substring) {
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            return (path[..<slash], path[slash...])
        }
        let candidate = String(split(real).folder + split(path).name)
        return (try? machine.resolve(candidate)) == real ? candidate : real
    }

    /// Whether nobody but root can change a file or what leads to it.
    private func checkWay(to path: String, _ verdict: inout Verdict) -> Refusal? {
        let parts = path.split(separator: "/")
        for count in 0...parts.count {
            let step = "/" + parts.prefix(count).joined(separator: "/")
            guard let attributes = try? machine.attributes(step, false) else {
                verdict.lines.append(
                    .init("check_script_secure could not find script '\(path)' - disabling"))
                return .notFound
            }
            let isLast = count == parts.count
            guard
                isLast
                    ? attributes.kind == .file || attributes.kind == .link
                    : attributes.kind == .folder
            else {
                verdict.lines.append(.init("Wrong file type found in script path '\(path)'."))
                return .inhibited
            }
            if attributes.isChangeable {
                verdict.lines.append(
                    .init(
                        "Unsafe permissions found for script '\(path)'"
                            + (isEnabled ? " - disabling." : ".")))
                verdict.isInsecure = true
                return isEnabled ? .inhibited : nil
            }
        }
        return nil
    }
}

extension FileAttributes {
    /// Whether a user in one group may execute it: root if anybody may.
    fileprivate func isExecutable(by user: ScriptUser) -> Bool {
        if user.userID == 0 { return mode & 0o111 != 0 }
        if user.userID == userID { return mode & 0o100 != 0 }
        return mode & (user.groupID == groupID ? 0o010 : 0o001) != 0
    }

    /// Whether executing it makes one root.
    fileprivate var becomesRoot: Bool {
        (userID == 0 && mode & 0o4100 == 0o4100) || (groupID == 0 && mode & 0o2010 == 0o2010)
    }

    /// Whether somebody else than root can write it. In a folder with the sticky bit nobody can
    /// replace what is not theirs; a link has no permissions of its own.
    fileprivate var isChangeable: Bool {
        if userID != 0 { return true }
        guard kind == .file || (kind == .folder && mode & 0o1000 == 0) else { return false }
        return (groupID != 0 && mode & 0o020 != 0) || mode & 0o002 != 0
    }
}

extension ScriptSecurity.Machine {
    /// This machine.
    ///
    /// - Throws: ``SystemError`` for an /etc/passwd that cannot be read.
    static func this(environment: [String]) throws(SystemError) -> Self {
        let path = environment.first { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? "/bin:/usr/bin"
        return Self(
            ownUser: ScriptUser(userID: UserDatabase.ownUserID, groupID: UserDatabase.ownGroupID),
            users: try UserDatabase.ofMachine(),
            searchPath: path.split(separator: ":").map(String.init),
            attributes: { (path, follows) throws(SystemError) in
                try FileSystem.attributes(path, followsLinks: follows).asSeenInside
            },
            resolve: { (path) throws(SystemError) in try FileSystem.resolve(path) })
    }
}
