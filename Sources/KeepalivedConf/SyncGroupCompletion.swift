/// Finds the members of the sync groups, and fills in what groups and members have of each other;
/// the messages are those of keepalived's `vrrp_sync_set_group` and `sync_group_tracking_init`.
struct SyncGroupCompletion: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private(set) var definitions: [SyncGroupDefinition] = []
    /// The groups that have no members.
    private(set) var removed: [SyncGroupDefinition] = []
    private let groups: [SyncGroupDraft]
    private let drafts: [InstanceDraft]
    private let globals: GlobalReader
    private var groupsByMember: [String: SyncGroupDraft] = [:]

    init(_ groups: [SyncGroupDraft], drafts: [InstanceDraft], globals: GlobalReader) {
        self.groups = groups
        self.drafts = drafts
        self.globals = globals
    }

    /// The group of the instance of that name, once members are found.
    func group(of instance: String) -> SyncGroupDraft? { groupsByMember[instance] }

    // MARK: Members

    /// Finds the members of all groups.
    mutating func findMembers() {
        for var group in groups {
            let name = group.definition.name
            guard let members = group.members else {
                say(group, "Sync group \(name) has no virtual router(s). removing")
                removed.append(group.definition)
                continue
            }
            for member in members { add(member, to: &group) }
            guard !group.definition.members.isEmpty else {
                say(
                    group,
                    "Sync group \(name), no matching virtual router found in group declaration -"
                        + " removing")
                removed.append(group.definition)
                continue
            }
            if group.definition.members.count == 1 {
                say(
                    group,
                    "Sync group \(name) has only 1 virtual router(s) - this probably isn't what"
                        + " you want")
            }
            reportMixedOwners(of: group)
            group.definition.smtpAlert =
                group.smtpAlert ?? globals.smtpAlertOfInstances
            group.definition.notifiesPriorityChanges = group.notifiesPriorityChanges ?? false
            for member in group.definition.members { groupsByMember[member] = group }
            definitions.append(group.definition)
        }
    }

    private mutating func add(_ member: Word, to group: inout SyncGroupDraft) {
        let name = group.definition.name
        guard drafts.contains(where: { $0.name == member.text }) else {
            adjusted(
                member.position,
                "Virtual router \(member.text) specified in sync group \(name) doesn't exist -"
                    + " ignoring", namesLine: false)
            return
        }
        let isTaken =
            groupsByMember[member.text] != nil
            || group.definition.members.contains(member.text)
        guard !isTaken else {
            adjusted(
                member.position,
                "Virtual router \(member.text) cannot exist in more than one sync group;"
                    + " ignoring \(name)", namesLine: false)
            return
        }
        group.definition.members.append(member.text)
    }

    /// Says so when a member that is written to be backup follows an owner.
    private mutating func reportMixedOwners(of group: SyncGroupDraft) {
        var isOwners: Bool?
        for name in group.definition.members {
            guard let member = drafts.first(where: { $0.name == name }) else { continue }
            if isOwners == true, member.state == .backup {
                say(
                    group,
                    "Sync group \(group.definition.name) has some member(s) as address owner and"
                        + " some not as address owner. This won't work.")
            }
            if isOwners != false { isOwners = member.state == .master && member.priority == 255 }
        }
    }

    private mutating func say(_ group: SyncGroupDraft, _ message: String) {
        adjusted(group.definition.position, message, namesLine: false)
    }

    // MARK: What follows for members

    /// Clears what cannot be tracked in a group, and the wish of members to start as master when
    /// not all of them can.
    mutating func complete(_ instances: inout [VRRPInstance], known: KnownDefinitions) {
        for index in definitions.indices {
            let members = instances.filter { definitions[index].members.contains($0.name) }
            for member in members { reportDoubleTracking(member, definitions[index]) }
            if members.contains(where: { $0.priority == 255 }) {
                var group = definitions[index]
                clearWeights(of: &group, known: known)
                definitions[index] = group
            }
            let anyMaster = members.contains { $0.initialState == .master }
            let anyOther = members.contains { $0.initialState == .backup || $0.priority != 255 }
            guard anyMaster, anyOther else { continue }
            for member in instances.indices
            where definitions[index].members.contains(instances[member].name) {
                instances[member].initialState = .backup
            }
        }
    }

    private mutating func reportDoubleTracking(
        _ member: VRRPInstance, _ group: SyncGroupDefinition
    ) {
        var interfaces = Set(member.trackedInterfaces.map(\.interface))
        if !member.ignoresOwnInterface { interfaces.insert(member.interface) }
        for tracked in group.trackedInterfaces where interfaces.contains(tracked.interface) {
            adjusted(
                tracked.position,
                "(\(member.name)) track_interface \(tracked.interface) is configured on VRRP"
                    + " instance and sync group. Remove vrrp instance or sync group config",
                namesLine: false)
        }
    }

    private mutating func clearWeights(
        of group: inout SyncGroupDefinition, known: KnownDefinitions
    ) {
        let name = group.name
        clearWeights(of: &group.trackedScripts, "script", name, "clearing weight") { script in
            known.scripts.first { $0.name == script }?.weight
        }
        clearWeights(of: &group.trackedFiles, "file", name, "setting weight 0") { file in
            known.files.first { $0.name == file }?.weight
        }
        clearWeights(of: &group.trackedProcesses, "process", name, "setting weight 0") { process in
            known.processes.first { $0.name == process }?.weight
        }
        for index in group.trackedInterfaces.indices
        where group.trackedInterfaces[index].weight != 0 {
            let tracked = group.trackedInterfaces[index]
            reportWeight(
                "interface '\(tracked.interface)'", tracked.position, name, "clearing weight")
            group.trackedInterfaces[index].weight = 0
        }
    }

    private mutating func clearWeights<Tracked: TrackedByName>(
        of list: inout [Tracked], _ kind: String, _ group: String, _ consequence: String,
        ownWeight: (String) -> Int?
    ) {
        for index in list.indices {
            let tracked = list[index]
            guard tracked.weight ?? ownWeight(tracked.name) ?? 0 != 0 else { continue }
            reportWeight("\(kind) '\(tracked.name)'", tracked.position, group, consequence)
            list[index].weight = 0
        }
    }

    private mutating func reportWeight(
        _ tracked: String, _ position: SourcePosition, _ group: String, _ consequence: String
    ) {
        adjusted(
            position,
            "(\(group)) Cannot have weighted track \(tracked) with member having priority 255 -"
                + " \(consequence)", namesLine: false)
    }
}

/// What is tracked by the name of its definition, which may have a weight of its own.
private protocol TrackedByName {
    var name: String { get }
    var weight: Int? { get set }
    var position: SourcePosition { get }
}

extension VRRPInstance.TrackedScript: TrackedByName {}
extension VRRPInstance.TrackedObject: TrackedByName {}
