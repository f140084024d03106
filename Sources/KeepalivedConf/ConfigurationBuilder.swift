import NetworkTypes

/// Makes a configuration of statements, in two steps as keepalived does: it reads everything, then
/// completes the instances with the defaults, which may stand after them.
struct ConfigurationBuilder: Reading {
    private(set) var configuration = Configuration()
    var diagnostics: [ConfDiagnostic] = []
    /// The interfaces that the file names and the configuration does not.
    private(set) var mentions: [InterfaceMention] = []
    /// What instances would run that lack something.
    private(set) var leftOutCommands: [VRRPInstance.NotifyCommands] = []
    private let context: ConfigurationContext
    private var globals: GlobalReader
    private var topLevel = TopLevelReader()
    private var known = KnownDefinitions()
    private var drafts: [InstanceDraft] = []
    private var groups: [SyncGroupDraft] = []
    private var servers = VirtualServerBuilder()

    init(context: ConfigurationContext) {
        self.context = context
        globals = GlobalReader(context: context)
    }

    /// Reads the statements of the top level.
    mutating func read(_ statements: [Statement]) {
        // Nearly all of many statements are instances.
        drafts.reserveCapacity(statements.count)
        // keepalived's parent reads all global definitions before it starts the others.
        for statement in statements where statement.name == "global_defs" {
            for inner in statement.body { globals.read(inner) }
        }
        diagnostics += drain(&globals)
        for statement in statements {
            reportSupport(of: statement)
            let lacksName = statement.rule.requiresParameter && statement.arguments.isEmpty
            switch statement.name {
            case _ where lacksName: break
            case "global_defs": break
            case "vrrp_script", "track_file", "vrrp_track_file", "vrrp_track_process":
                readTracked(statement)
            case "vrrp_sync_group": readGroup(statement)
            case "bfd_instance": known.bfdInstances.insert(statement.value.text)
            case "vrrp_instance": readInstance(statement)
            case "virtual_server", "virtual_server_group", "SSL":
                servers.read(statement, files: known.files.map(\.name))
                diagnostics += drain(&servers)
            default:
                topLevel.rulePriorities = known.rulePriorities
                if topLevel.read(statement) { diagnostics += drain(&topLevel) }
                known.rulePriorities = topLevel.rulePriorities
            }
        }
    }

    private mutating func readInstance(_ statement: Statement) {
        var reader = InstanceReader(statement, known: known)
        reader.read()
        diagnostics += drain(&reader)
        known = reader.known
        drafts.append(reader.draft)
    }

    /// Says what is wrong with instances that are lost as a whole.
    mutating func review(_ lost: [Statement]) {
        for statement in lost {
            var reader = InstanceReader(statement, known: known)
            reader.read()
            for var diagnostic in drain(&reader) {
                diagnostic.severity = .note
                diagnostic.kind = .consequence
                diagnostics.append(diagnostic)
            }
        }
    }

    private mutating func readGroup(_ statement: Statement) {
        guard statement.arguments.count == 1 else {
            lost(
                statement.position, "vrrp_sync_group must have a name - skipping",
                detail: "one word, or in double quotes")
            return
        }
        let name = statement.value
        guard !groups.contains(where: { $0.definition.name == name.text }) else {
            lost(name.position, "vrrp sync group \(name.text) already defined")
            return
        }
        var reader = SyncGroupReader(statement, known: known)
        reader.read()
        diagnostics += drain(&reader)
        groups.append(reader.draft)
    }

    private mutating func readTracked(_ statement: Statement) {
        // Of two with one name, keepalived tracks the first.
        switch statement.name {
        case "vrrp_script":
            let missingUser = globals.missingDefaultUser
            var reader = ScriptReader(
                statement, context: context,
                hasDefaultUser: globals.hasScriptUser && missingUser == nil)
            if let script = reader.read() { known.scripts.append(script) }
            if let removed = reader.removed, let missingUser {
                // keepalived looks for the user once.
                if configuration.removedScripts.isEmpty {
                    lost(
                        statement.endPosition ?? statement.position,
                        "Unable to set default user \(missingUser) for script")
                }
                configuration.removedScripts.append(removed)
            }
            diagnostics += drain(&reader)
        case "vrrp_track_process":
            var reader = TrackProcessReader(statement)
            if let process = reader.read() { known.processes.append(process) }
            diagnostics += drain(&reader)
        default:
            var reader = TrackFileReader(statement)
            if let file = reader.read() { known.files.append(file) }
            diagnostics += drain(&reader)
        }
    }

    /// Completes what was read.
    mutating func complete() {
        configuration.global = globals.completed
        topLevel.complete(&configuration.global)
        mentions += topLevel.removedInterfaces
        configuration.scripts = known.scripts
        configuration.files = known.files
        configuration.processes = known.processes
        configuration.staticRoutes = topLevel.routes
        configuration.staticRules = topLevel.rules
        let fallback = configuration.global.defaultInterface ?? InterfaceName("eth0")
        if let fallback {
            configuration.staticAddresses = topLevel.addresses.map { $0.completed(on: fallback) }
        }
        completeInstances()
        reportUnusedScripts()
        servers.complete(configuration.global)
        diagnostics += drain(&servers)
        configuration.virtualServerGroups = servers.groups
        configuration.virtualServers = servers.servers
    }

    private mutating func completeInstances() {
        var groupCompletion = SyncGroupCompletion(groups, drafts: drafts, globals: globals)
        groupCompletion.findMembers()
        diagnostics += drain(&groupCompletion)
        var namesInUse = Set(known.virtualInterfaces.keys)
        configuration.instances.reserveCapacity(drafts.count)
        for draft in drafts {
            var completion = InstanceCompletion(
                draft, globals: globals, group: groupCompletion.group(of: draft.name),
                known: known, namesInUse: namesInUse)
            let instance = completion.complete()
            diagnostics += drain(&completion)
            mentions += draft.replacedInterfaces
            guard let instance else {
                mentions += draft.mentions
                leftOutCommands.append(draft.notify)
                continue
            }
            if let name = instance.virtualInterface?.name { namesInUse.insert(name) }
            configuration.instances.append(instance)
        }
        var conflicts = ConflictCheck(configuration.instances, drafts: drafts)
        conflicts.run(configuration.global)
        diagnostics += drain(&conflicts)
        configuration.instances = conflicts.instances
        groupCompletion.complete(&configuration.instances, known: known)
        diagnostics += drain(&groupCompletion)
        configuration.syncGroups = groupCompletion.definitions
        configuration.removedSyncGroups = groupCompletion.removed
    }

    /// keepalived says so once it runs, and forgets the script.
    private mutating func reportUnusedScripts() {
        let tracked = Set(
            (configuration.instances.flatMap(\.trackedScripts)
                + configuration.syncGroups.flatMap(\.trackedScripts)).map(\.name))
        for script in configuration.scripts where !tracked.contains(script.name) {
            note(script.position, "Warning - script \(script.name) is not used")
        }
    }

    // MARK: What is not supported

    /// Says what vrrp-agent does not do, once for each keyword, or for the block it stands in.
    private mutating func reportSupport(of statement: Statement) {
        switch statement.rule.support {
        case .full:
            for inner in statement.body { reportSupport(of: inner) }
        case .notYet:
            diagnostics.append(
                ConfDiagnostic(
                    statement.position, .warning, .notSupportedYet,
                    "'\(statement.name)': known to keepalived, not supported by vrrp-agent"))
        case .newer:
            diagnostics.append(
                ConfDiagnostic(
                    statement.position, .note, .noEffect,
                    "'\(statement.name)' is newer than keepalived 2.2.7, which does not know it"))
        case .noEffect:
            diagnostics.append(
                ConfDiagnostic(
                    statement.position, .note, .noEffect,
                    "'\(statement.name)' has no effect in vrrp-agent"))
        }
    }
}

/// What a reader has to say, which it forgets.
private func drain(_ reader: inout some Reading) -> [ConfDiagnostic] {
    defer { reader.diagnostics = [] }
    return reader.diagnostics
}
