import KeepalivedConf
import LinuxSystem

/// Every command of a configuration, checked once: what is run, as whom, and what keepalived says
/// about the rest.
struct ScriptBook {
    /// Something to say about the scripts.
    enum Remark: Equatable {
        /// For the log only: keepalived's `--config-test` does not show it.
        case line(LogLine)
        /// A configuration error, shown by `--config-test` too.
        case diagnostic(ConfDiagnostic)
    }

    /// What to say, in keepalived's order.
    private(set) var remarks: [Remark] = []
    /// Scripts run without `enable_script_security`: `--config-test` exits with status 6.
    private(set) var violation: ConfDiagnostic?

    private var invocations: [Command: CommandLauncher.Invocation] = [:]
    private var disabledScripts: Set<String> = []
    private let security: ScriptSecurity
    private let global: GlobalDefinitions
    /// Nil: no script without a user of its own can be run.
    private var defaultUser: ScriptUser?

    static let defaultUserName = "keepalived_script"

    /// - Parameters:
    ///   - machine: where the commands would run.
    ///   - leftOut: what instances would run that cannot; nil where none is written.
    ///   - includesInstances: whether what instances and groups run is looked at: not where
    ///     keepalived ends before, for want of an interface.
    ///   - includesCheckers: whether the scripts of virtual servers are looked at too, of which
    ///     none is run.
    init(
        _ configuration: Configuration, machine: ScriptSecurity.Machine,
        leftOut: [VRRPInstance.NotifyCommands]? = nil, includesInstances: Bool = true,
        includesCheckers: Bool = false
    ) {
        global = configuration.global
        security = ScriptSecurity(machine: machine, isEnabled: global.scriptSecurity)
        var checks = Checks()
        // keepalived looks for that user when the first command asks for it.
        let checkerCommands = includesCheckers ? configuration.checkerCommands : []
        let needsDefaultUser = (leftOut ?? []).flatMap(\.all).contains(where: \.user.isEmpty)
        if needsDefaultUser || !configuration.commandsWithoutUser.isEmpty
            || !global.notifyFIFOs.isEmpty || checkerCommands.contains(where: \.user.isEmpty)
        {
            defaultUser = findDefaultUser()
            if defaultUser == nil, global.scriptUser.isEmpty {
                let others =
                    (leftOut ?? []).flatMap(\.all) + global.notifyFIFOs.compactMap(\.script)
                    + checkerCommands
                reportMissingUser(
                    configuration, configuration.commandsWithoutUser + others)
            }
        }
        // Start and shutdown scripts are the parent's, which has its own violation.
        for (name, command) in [
            ("startup", global.startupScript), ("shutdown", global.shutdownScript),
        ] {
            guard let command else { continue }
            add(command, "startup/shutdown", &checks)
            guard command.user.isEmpty, defaultUser == nil else { continue }
            remarks.append(
                .diagnostic(
                    ConfDiagnostic(
                        command.position, .error, .lossOfConfiguration, "Invalid \(name) script")))
        }
        report(checks, "start/shutdown scripts")
        // keepalived checks what its instances run, and nothing without an instance.
        if includesInstances, leftOut != nil || !configuration.instances.isEmpty {
            addInstances(configuration, leftOut ?? [])
        }
        checks = Checks()
        for command in checkerCommands { add(command, "check", &checks) }
        report(checks, "check scripts")
    }

    private mutating func addInstances(
        _ configuration: Configuration, _ leftOut: [VRRPInstance.NotifyCommands]
    ) {
        var checks = Checks()
        for script in configuration.scripts { add(script, &checks) }
        for commands in configuration.instances.map(\.notify) + leftOut { add(commands, &checks) }
        for group in configuration.syncGroups + configuration.removedSyncGroups {
            add(group.notify, &checks)
        }
        for script in global.notifyFIFOs.compactMap(\.script) { add(script, "fifo", &checks) }
        report(checks, "scripts")
    }

    /// How to run a command; nil: not at all.
    func invocation(of command: Command) -> CommandLauncher.Invocation? { invocations[command] }

    /// Whether a script is run; an instance does not track one that is not.
    func runs(_ script: VRRPScript) -> Bool { !disabledScripts.contains(script.name) }

    /// Whom a FIFO belongs to, and scripts run as that say nothing; nil: the daemon's own.
    var fallbackUser: ScriptUser? { unlessOwn(defaultUser) }

    // MARK: Users

    private func unlessOwn(_ user: ScriptUser?) -> ScriptUser? {
        user == security.machine.ownUser ? nil : user
    }

    private mutating func findDefaultUser() -> ScriptUser? {
        if !global.scriptUser.isEmpty { return find(global.scriptUser) }
        if let user = find([Self.defaultUserName]) { return user }
        return global.scriptSecurity ? nil : security.machine.ownUser
    }

    /// Says that there is nobody to run commands as, where the first stands that wants it, once.
    ///
    /// A `script_user` that there is not is reported where it stands, and so is a script that is
    /// removed.
    private mutating func reportMissingUser(
        _ configuration: Configuration, _ commands: [Command]
    ) {
        let positions = commands.filter(\.user.isEmpty).map(\.position)
        guard configuration.removedScripts.isEmpty,
            let first = positions.min(by: { $0.line < $1.line })
        else { return }
        remarks.append(
            .diagnostic(
                ConfDiagnostic(
                    first, .error, .lossOfConfiguration,
                    "Unable to set default user \(Self.defaultUserName) for script")))
    }

    /// The user and group of those names, keepalived's words where there is none.
    private mutating func find(_ names: [String]) -> ScriptUser? {
        let users = security.machine.users
        guard let user = names.first.flatMap({ users.user(named: $0) }) else {
            remarks.append(.line(.init("Script user '\(names.first ?? "")' does not exist")))
            return nil
        }
        guard names.count > 1 else {
            return ScriptUser(userID: user.userID, groupID: user.groupID)
        }
        guard let group = users.groupID(named: names[1]) else {
            remarks.append(.line(.init("Script group '\(names[1])' does not exist")))
            return nil
        }
        return ScriptUser(userID: user.userID, groupID: group)
    }

    /// The user of a command; nil: it cannot be run.
    private mutating func user(
        of command: Command, _ what: String, isScript: Bool
    ) -> ScriptUser? {
        let name = command.arguments.first ?? ""
        if !command.user.isEmpty {
            if let user = find(command.user) { return user }
            remarks.append(
                .line(.init("Invalid user/group for \(what) script \(name) - ignoring")))
            return nil
        }
        if let defaultUser { return defaultUser }
        if !isScript {
            remarks.append(
                .line(.init("Failed to set default user for \(what) script \(name) - ignoring")))
        }
        return nil
    }

    // MARK: Checks

    /// What the checks of a set of scripts found.
    private struct Checks {
        var hasScripts = false
        var hasInsecureScripts = false
        var firstPosition: SourcePosition?
    }

    private mutating func add(_ notify: VRRPInstance.NotifyCommands, _ checks: inout Checks) {
        for command in notify.all { add(command, "notify", &checks) }
    }

    @discardableResult
    private mutating func add(
        _ command: Command, _ what: String, isScript: Bool = false, _ checks: inout Checks
    ) -> ScriptSecurity.Refusal? {
        guard let user = user(of: command, what, isScript: isScript) else { return .inhibited }
        let verdict = security.check(command.arguments, as: user)
        remarks += verdict.lines.map(Remark.line)
        checks.hasScripts = checks.hasScripts || verdict.isScript
        checks.hasInsecureScripts = checks.hasInsecureScripts || verdict.isInsecure
        checks.firstPosition = checks.firstPosition ?? command.position
        if let arguments = verdict.arguments {
            invocations[command] = .init(arguments, user: unlessOwn(user))
        }
        return verdict.refusal
    }

    private mutating func add(_ script: VRRPScript, _ checks: inout Checks) {
        let isKnown = defaultUser != nil || !script.command.user.isEmpty
        let refusal = add(script.command, "vrrp", isScript: true, &checks)
        guard let refusal else { return }
        disabledScripts.insert(script.name)
        let reason: String? =
            switch refusal {
            case .inhibited where !isKnown: nil
            case .inhibited: "due to insecure"
            case .notFound: "since not found/accessible"
            case .notExecutable: nil
            }
        guard let reason else { return }
        remarks.append(
            .diagnostic(
                ConfDiagnostic(
                    script.command.position, .error, .lossOfConfiguration,
                    "Disabling track script \(script.name) \(reason)", namesLine: false)))
    }

    private mutating func report(_ checks: Checks, _ what: String) {
        guard checks.hasScripts, !global.scriptSecurity, let position = checks.firstPosition
        else { return }
        let violation = ConfDiagnostic(
            position, .warning, .noEffect,
            "SECURITY VIOLATION - \(what) are being executed but script_security not enabled."
                + (checks.hasInsecureScripts ? " There are insecure scripts." : ""),
            namesLine: false)
        self.violation = self.violation ?? violation
        remarks.append(.diagnostic(violation))
    }
}

// MARK: What the dumps tell

extension ScriptBook {
    /// What each command comes down to, by the command as it is shown.
    var programs: [Command: AgentReport.ProgramReport] {
        var programs: [Command: AgentReport.ProgramReport] = [:]
        for (command, invocation) in invocations {
            let user = invocation.user ?? security.machine.ownUser
            var command = command
            command.arguments = invocation.arguments
            programs[command] = .init(
                path: invocation.arguments.first ?? "", userID: user.userID, groupID: user.groupID)
        }
        return programs
    }

    /// A configuration as the dumps tell it: without the commands that are not run and what tracks
    /// them, and with the programs that were found for the others.
    func shown(_ configuration: Configuration) -> Configuration {
        var shown = configuration
        shown.scripts = configuration.scripts.compactMap { script in
            guard runs(script), let command = self.shown(script.command) else { return nil }
            var script = script
            script.command = command
            return script
        }
        for index in shown.instances.indices {
            shown.instances[index] = self.shown(configuration.instances[index])
        }
        for index in shown.syncGroups.indices {
            shown.syncGroups[index].trackedScripts.removeAll { disabledScripts.contains($0.name) }
            shown.syncGroups[index].notify = self.shown(configuration.syncGroups[index].notify)
        }
        return shown
    }

    /// An instance as the dumps tell it.
    func shown(_ instance: VRRPInstance) -> VRRPInstance {
        var shown = instance
        shown.trackedScripts.removeAll { disabledScripts.contains($0.name) }
        shown.notify = self.shown(instance.notify)
        return shown
    }

    private func shown(_ notify: VRRPInstance.NotifyCommands) -> VRRPInstance.NotifyCommands {
        var shown = notify
        for command in VRRPInstance.NotifyCommands.all {
            shown[keyPath: command] = notify[keyPath: command].flatMap(self.shown)
        }
        return shown
    }

    private func shown(_ command: Command) -> Command? {
        guard let invocation = invocations[command] else { return nil }
        var command = command
        command.arguments = invocation.arguments
        return command
    }
}

extension Configuration {
    /// What is to be run for which no user is written.
    fileprivate var commandsWithoutUser: [Command] {
        var commands = [global.startupScript, global.shutdownScript].compactMap(\.self)
        commands += (scripts + removedScripts).map(\.command)
        for instance in instances { commands += instance.notify.all }
        for group in syncGroups + removedSyncGroups { commands += group.notify.all }
        return commands.filter(\.user.isEmpty)
    }

    /// What virtual servers and their checks run, in the order in which keepalived checks it.
    fileprivate var checkerCommands: [Command] {
        guard !virtualServers.isEmpty else { return [] }
        let checkers = virtualServers.flatMap(\.realServers).flatMap(\.checkers)
        let checks = checkers.compactMap { checker -> Command? in
            if case .misc(let check) = checker.kind { check.command } else { nil }
        }
        let notified = virtualServers.flatMap { server in
            [server.quorumUp, server.quorumDown]
                + server.realServers.flatMap { [$0.notifyUp, $0.notifyDown] }
        }
        return checks + (notified + global.notifyFIFOs.map(\.script)).compactMap(\.self)
    }
}

extension VRRPInstance.NotifyCommands {
    /// All of them, in the order in which keepalived checks them.
    fileprivate var all: [Command] {
        isEmpty ? [] : Self.all.compactMap { self[keyPath: $0] }
    }

    fileprivate static var all: [WritableKeyPath<Self, Command?>] {
        [
            \.backup, \.master, \.fault, \.stop, \.deleted, \.any,
            \.masterReceivedLowerPriority,
        ]
    }
}
