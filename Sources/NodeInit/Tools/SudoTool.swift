import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// `sudo`, where the host has none: becomes the command, as root or another user.
///
/// Only for root, who everybody is that enters a node: it has no program that makes one root.
struct SudoTool {
    private let console: Console

    init(_ console: Console) { self.console = console }

    /// Why nothing is run.
    private struct Refusal: Error { var message: String }

    /// Does what the arguments say; returns only where no command was run, with the exit status.
    func run(_ arguments: [String]) -> Int32 {
        do {
            let arguments = try SudoArguments(arguments)
            switch arguments.action {
            case .version: console.print("Sudo version 1.9.13 (labctl's node-init)")
            case .help: console.print(SudoArguments.usage)
            case .nothing, .list, .run, .shell:
                let users = try UserDatabase.ofMachine()
                let caller = try permitted(users)
                if arguments.action == .nothing { return 0 }
                if arguments.action == .list { return try list(arguments, caller) }
                try become(arguments, caller, users)
            }
            return 0
        } catch let error as UsageError {
            console.printError(error.message)
        } catch let error as Refusal {
            console.printError("sudo: \(error.message)")
        } catch {
            console.printError("sudo: \(error)")
        }
        return EXIT_FAILURE
    }

    /// The caller, if it is one that may.
    private func permitted(_ users: UserDatabase) throws(Refusal) -> UserDatabase.User {
        let number = UserDatabase.ownUserID
        let caller = users.user(users.userName(number) ?? "\(number)")
        guard number == 0 else {
            throw Refusal(message: "\(caller?.name ?? "\(number)") is not in the sudoers file")
        }
        return caller ?? UserDatabase.User(name: "root", userID: 0, groupID: 0, home: "/root")
    }

    private func list(
        _ arguments: SudoArguments, _ caller: UserDatabase.User
    ) throws(Refusal) -> Int32 {
        guard let name = arguments.command.first else {
            console.print("User \(caller.name) may run the following commands on this node:")
            console.print("    (ALL : ALL) ALL")
            return 0
        }
        let path = try Self.path(of: name)
        console.print(([path] + arguments.command.dropFirst()).joined(separator: " "))
        return 0
    }

    /// The path of a command, which sudo looks for before it changes anything.
    private static func path(of name: String) throws(Refusal) -> String {
        guard let path = Program.lookUp(name, path: NodeEnvironment.path),
            access(path, X_OK) == 0, FileSystem.isRegularFile(path)
        else { throw Refusal(message: "\(name): command not found") }
        return path
    }

    /// Replaces this process by the command.
    private func become(
        _ arguments: SudoArguments, _ caller: UserDatabase.User, _ users: UserDatabase
    ) throws {
        let name = arguments.user ?? "root"
        // As a number it has a mark, and without is a name.
        guard
            let user = name.hasPrefix("#")
                ? users.user(String(name.dropFirst()))
                : users.user(named: name)
        else { throw Refusal(message: "unknown user \(name)") }
        var group = user.groupID
        if let name = arguments.group {
            guard
                let number = name.hasPrefix("#")
                    ? UInt32(name.dropFirst()) : users.groupID(named: name)
            else { throw Refusal(message: "unknown group \(name)") }
            group = number
        }
        let inherited = try ProcessEntry.environment(of: getpid())
        let shell = try shell(of: user, arguments, inherited)
        let words = arguments.words(shell: shell)
        let isCommand = arguments.action == .run
        let path = try Self.path(of: isCommand ? words[0] : shell)
        let environment = arguments.environment(
            inherited: inherited, caller: caller, user: user, shell: shell,
            program: [path] + words.dropFirst())
        try changeUser(user, group, users.groupIDs(of: user))
        if let folder = arguments.folder {
            try systemCall("enter \(folder)") { chdir(folder) }
        } else if arguments.action == .shell(isLogin: true), chdir(user.home) != 0 {
            // Not every user has a home; it is where it is then.
            console.printError(
                "sudo: unable to change directory to \(user.home): \(Errno(rawValue: errno))")
        }
        try execute(path, words, environment.variables)
    }

    private func shell(
        of user: UserDatabase.User, _ arguments: SudoArguments, _ inherited: [String]
    ) throws -> String {
        if arguments.action == .shell(isLogin: false),
            let own = NodeEnvironment(inherited)["SHELL"], !own.isEmpty
        {
            return own
        }
        return Self.shell(of: user.name, passwd: try FileSystem.readText("/etc/passwd"))
    }

    /// What a user logs in to, by the text of /etc/passwd (passwd(5)).
    static func shell(of name: String, passwd: String) -> String {
        let lines = passwd.split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false)
        }
        guard let line = lines.first(where: { $0.count == 7 && $0[0] == name }), !line[6].isEmpty
        else { return "/bin/sh" }
        return String(line[6])
    }

    private func changeUser(
        _ user: UserDatabase.User, _ group: UInt32, _ groups: [UInt32]
    ) throws(SystemError) {
        if user.userID == 0, group == 0, IDMap.isRootAlone { return }
        // The user last, who may not change groups.
        try systemCall("set the groups of \(user.name)") { setgroups(groups.count, groups) }
        try systemCall("set the group of \(user.name)") { setgid(group) }
        try systemCall("become \(user.name)") { setuid(user.userID) }
    }

    private func execute(_ path: String, _ words: [String], _ variables: [String]) throws {
        // Nobody is left to free them where it works, and it ends where it does not.
        let environment = variables.map { strdup($0) } + [nil]
        execve(path, words.map { strdup($0) } + [nil], environment)
        var reason = Errno(rawValue: errno)
        if reason == .execFormatError {
            // As execvp(3) does, gives a script without `#!` to the shell.
            let script = ["sh", path] + words.dropFirst()
            execve("/bin/sh", script.map { strdup($0) } + [nil], environment)
            reason = Errno(rawValue: errno)
        }
        throw Refusal(message: "unable to execute \(path): \(reason)")
    }
}
