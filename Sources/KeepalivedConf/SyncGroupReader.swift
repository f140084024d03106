import NetworkTypes

/// A sync group as far as it is written.
struct SyncGroupDraft {
    var definition: SyncGroupDefinition
    /// `group`; nil: not written.
    var members: [Word]?
    var smtpAlert: Bool?
    var notifiesPriorityChanges: Bool?
}

/// Reads a `vrrp_sync_group`.
struct SyncGroupReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private(set) var draft: SyncGroupDraft
    private let statement: Statement
    private let known: KnownDefinitions

    init(_ statement: Statement, known: KnownDefinitions) {
        self.statement = statement
        self.known = known
        draft = SyncGroupDraft(
            definition: SyncGroupDefinition(
                name: statement.value.text, position: statement.value.position))
    }

    private var name: String { draft.definition.name }

    /// Reads the block.
    mutating func read() {
        for inner in statement.body
        where !inner.rule.requiresParameter || !inner.arguments.isEmpty {
            read(inner)
        }
    }

    private mutating func read(_ inner: Statement) {
        switch inner.name {
        case "group": readMembers(inner)
        case "track_interface", "track_script", "track_file", "track_process", "track_bfd":
            readTracked(inner)
        case "smtp_alert":
            let message = "Invalid vrrp_group smtp_alert parameter \(inner.value.text)"
            draft.smtpAlert = bool(inner, else: message) ?? draft.smtpAlert
        case "notify_priority_changes":
            let message =
                "(\(name)) Invalid value '\(inner.value.text)' for sync group"
                + " notify_priority_changes specified"
            draft.notifiesPriorityChanges =
                bool(inner, else: message) ?? draft.notifiesPriorityChanges
        case "global_tracking":
            adjusted(
                inner.position,
                "(\(name)) global_tracking is deprecated. Use track_interface/script/file on the"
                    + " sync group")
            draft.definition.usesTrackingWeights = true
        case "sync_group_tracking_weight": draft.definition.usesTrackingWeights = true
        default:
            guard let path = VRRPInstance.NotifyCommands.path(of: inner.name) else { return }
            let known = draft.definition.notify[keyPath: path]
            draft.definition.notify[keyPath: path] = notifyCommand(
                inner, known: known, prefix: "vrrp group \(name):")
        }
    }

    private mutating func readMembers(_ inner: Statement) {
        guard draft.members == nil else {
            adjusted(inner.position, "Group list already specified for sync group \(name)")
            return
        }
        // The one list that may stand on a line of its own, and have several words to a line.
        let members = inner.entries.flatMap(\.words)
        guard !members.isEmpty else {
            adjusted(
                inner.endPosition ?? inner.position,
                "Warning - sync group \(name) has empty group block")
            return
        }
        draft.members = members
    }

    private mutating func readTracked(_ inner: Statement) {
        var reader = TrackReader(
            owner: name, known: known,
            lists: TrackedLists(
                interfaces: draft.definition.trackedInterfaces,
                scripts: draft.definition.trackedScripts, files: draft.definition.trackedFiles,
                processes: draft.definition.trackedProcesses))
        reader.read(inner)
        diagnostics += reader.diagnostics
        draft.definition.trackedInterfaces = reader.lists.interfaces
        draft.definition.trackedScripts = reader.lists.scripts
        draft.definition.trackedFiles = reader.lists.files
        draft.definition.trackedProcesses = reader.lists.processes
    }
}
