import NetworkTypes

/// Fills in what an instance leaves to defaults and corrects what does not go together, in the
/// order of keepalived's `vrrp_complete_instance`, of which the messages are.
struct InstanceCompletion: Reading {
    var diagnostics: [ConfDiagnostic] = []
    let draft: InstanceDraft
    let globals: GlobalReader
    let known: KnownDefinitions
    /// Names of interfaces that instances make, as far as they are given away.
    let namesInUse: Set<InterfaceName>
    private let group: SyncGroupDraft?

    init(
        _ draft: InstanceDraft, globals: GlobalReader, group: SyncGroupDraft?,
        known: KnownDefinitions, namesInUse: Set<InterfaceName>
    ) {
        self.draft = draft
        self.globals = globals
        self.group = group
        self.known = known
        self.namesInUse = namesInUse
    }

    var tag: String { "(\(draft.name))" }
    var isStrict: Bool { draft.isStrict ?? globals.isStrict }
    /// The name of its group, when that clears the weights of what members track.
    var weightClearingGroup: String? {
        group.flatMap { $0.definition.usesTrackingWeights ? nil : $0.definition.name }
    }

    mutating func correct(_ position: SourcePosition?, _ message: String) {
        adjusted(position ?? draft.position, "\(tag) \(message)", namesLine: false)
    }

    /// The instance; nil when keepalived would not run for what is missing.
    mutating func complete() -> VRRPInstance? {
        guard let virtualRouterID = draft.virtualRouterID else {
            missing(
                "\(tag) the virtual router id must be set", at: draft.virtualRouterIDPosition)
            return nil
        }
        guard let interface = draft.interface else {
            missing("\(tag) Unknown interface!", at: draft.interfacePosition)
            return nil
        }
        let family = draft.family ?? .v4
        let version = completeVersion(family)
        checkAddresses(family, version: version)
        let election = completeElection()
        var instance = VRRPInstance(
            name: draft.name, interface: interface, virtualRouterID: virtualRouterID,
            version: version, family: family, initialState: election.state,
            priority: election.priority, advertisementInterval: completeInterval(version: version),
            nopreemptWritten: draft.nopreemptPosition != nil, nopreempt: election.nopreempt,
            preemptDelay: election.preemptDelay, authentication: nil,
            virtualAddresses: draft.virtualAddresses.map { $0.completed(on: interface) },
            excludedAddresses: draft.excludedAddresses.map { $0.completed(on: interface) },
            announcements: completeAnnouncements(),
            sourceAddress: draft.sourceAddress, unicastPeers: draft.unicastPeers,
            skipsAddressCheck: draft.skipsAddressCheck ?? globals.skipsAddressCheck,
            acceptsPackets: completeAcceptance(election.priority, version: version),
            isStrict: isStrict, masterDownAdvertisements: completeMasterDown(),
            ignoresLowerPriority: completeAnswer(), advertisesBeforeYielding: completeYielding(),
            ignoresOwnInterface: draft.ignoresOwnInterface, trackedInterfaces: [],
            trackedScripts: [], notify: draft.notify,
            smtpAlert: draft.smtpAlert ?? globals.smtpAlertOfInstances,
            position: draft.position,
            interfacePosition: draft.interfacePosition ?? draft.position)
        completeAuthentication(of: &instance)
        limitAddresses(of: &instance)
        completeOptions(of: &instance)
        completeUnicast(of: &instance)
        completeVirtualInterface(of: &instance)
        completeTracking(of: &instance)
        return instance
    }

    /// Reports what an instance cannot do without; a consequence, where its line is there but was
    /// reported to be wrong.
    private mutating func missing(_ message: String, at position: SourcePosition?) {
        guard let position else {
            refused(draft.position, message, namesLine: false)
            return
        }
        diagnostics.append(
            ConfDiagnostic(position, .note, .consequence, message, namesLine: false))
    }

    private mutating func completeVersion(_ family: IPAddress.Family) -> VRRPInstance.Version {
        guard family == .v6 else { return draft.version ?? globals.version ?? .v2 }
        guard draft.version == .v2, isStrict else { return draft.version ?? .v3 }
        correct(
            draft.versionPosition,
            "cannot use IPv6 with VRRP version 2; setting version 3")
        return .v3
    }

    // MARK: Addresses

    private mutating func checkAddresses(
        _ family: IPAddress.Family, version: VRRPInstance.Version
    ) {
        guard let first = draft.virtualAddresses.first else {
            if version == .v3 || isStrict || family == .v6 {
                refused(
                    draft.position, "\(tag) No VIP specified; at least one is required",
                    namesLine: false)
            } else {
                correct(draft.position, "No VIP specified; at least one is sensible")
            }
            return
        }
        guard case .v6(let address) = first.address.address, draft.unicastPeers.isEmpty,
            !address.isLinkLocal
        else { return }
        if isStrict {
            correct(first.position, "the first IPv6 VIP address must be link local")
        } else {
            note(first.position, "\(tag) the first IPv6 VIP address should be link local")
        }
    }

    /// An advertisement counts its addresses in eight bits (RFC 3768 §5.3.5), and must fit a frame:
    /// the Ethernet header, as keepalived has it, is a part of the 1500 bytes.
    private mutating func limitAddresses(of instance: inout VRRPInstance) {
        let limit = instance.family == .v4 ? 255 : (1500 - 14 - 40 - 8) / 16
        let addresses = instance.virtualAddresses
        guard addresses.count > limit else { return }
        correct(
            addresses[limit].position,
            "Number of VIPs (\(addresses.count)) exceeds maximum/space available in packet (max"
                + " \(limit) addresses) - excess moved to eVIPs")
        instance.virtualAddresses = Array(addresses[..<limit])
        instance.excludedAddresses += addresses[limit...]
    }

    // MARK: What is said as it is meant

    private func completeOptions(of instance: inout VRRPInstance) {
        instance.virtualRoutes = draft.virtualRoutes
        instance.virtualRules = draft.virtualRules
        instance.tracksSourceAddress = draft.tracksSourceAddress && draft.sourceAddress != nil
        instance.checksumOmitsPseudoHeader =
            draft.checksumOmitsPseudoHeader || globals.checksumOmitsPseudoHeader
        instance.promotesSecondaries = draft.promotesSecondariesPosition != nil
        instance.notifiesDeletion = draft.notifiesDeletion
        instance.notifiesPriorityChanges =
            draft.notifiesPriorityChanges ?? group?.notifiesPriorityChanges
            ?? globals.definitions.notifiesPriorityChanges
        instance.extraAnnouncementInterval =
            draft.extraAnnouncementInterval ?? globals.extraAnnouncementInterval
        instance.announcesOnAllInterfaces =
            draft.announcesOnAllInterfaces
            || draft.extraAnnouncementInterval == nil && globals.announcesOnAllInterfaces
        instance.syncGroup = group?.definition.name
    }

    // MARK: Unicast

    private mutating func completeUnicast(of instance: inout VRRPInstance) {
        instance.unicastPeerTimesToLive = draft.unicastPeerTimesToLive
        instance.unicastTimeToLive = draft.unicastTimeToLive
        instance.checksUnicastSource = draft.checksUnicastSource || globals.checksUnicastSource
        instance.faultsWithoutPeer = draft.faultsWithoutPeer
        instance.unicastChecksum = draft.unicastChecksum
        instance.multicastGroup = draft.multicastGroup
        if instance.usesUnicast, draft.multicastGroup != nil {
            correct(
                draft.multicastGroupPosition,
                "multicast destination specified with unicast - ignoring")
            instance.multicastGroup = nil
        }
        guard let position = draft.unicastPosition, !instance.usesUnicast else { return }
        if draft.faultsWithoutPeer {
            let message = "Cannot use unicast without any peers - going to fault state"
            note(position, "\(tag) \(message)")
            instance.configurationFaults.append(message)
        } else {
            correct(
                position,
                "A unicast keyword has been specified without any unicast peers. Defaulting to"
                    + " multicast. This usage is deprecated - please update your configuration.")
        }
    }

    // MARK: What is tracked

    /// A member of a group, and the owner of the addresses, cannot have weights that move its
    /// priority.
    private mutating func completeTracking(of instance: inout VRRPInstance) {
        instance.trackedInterfaces = draft.tracked.interfaces.filter {
            $0.interface != instance.interface
        }
        for own in draft.tracked.interfaces where own.interface == instance.interface {
            correct(
                own.position, "Ignoring track_interface \(own.interface) since own interface")
        }
        instance.trackedScripts = draft.tracked.scripts
        instance.trackedFiles = draft.tracked.files
        instance.trackedProcesses = draft.tracked.processes
        let isMember = weightClearingGroup != nil
        guard isMember || instance.priority == 255 else { return }
        let cause = isMember ? "SYNC group" : "address_owner"
        for index in instance.trackedInterfaces.indices.reversed()
        where instance.trackedInterfaces[index].weight != 0 {
            let tracked = instance.trackedInterfaces[index]
            correct(
                tracked.position,
                "ignoring \(tracked.interface) tracked interface \(isMember ? "weight " : "")due"
                    + " to \(isMember ? "SYNC group" : "address owner")")
            // keepalived clears a member's weight when it counts already: it stays in force.
            if !isMember { instance.trackedInterfaces.remove(at: index) }
        }
        for tracked in instance.trackedScripts where weight(of: tracked) != 0 {
            correct(
                tracked.position,
                "ignoring tracked script \(tracked.name) with weights due to \(cause)")
        }
        instance.trackedScripts.removeAll { weight(of: $0) != 0 }
        clearFileWeights(of: &instance, cause: cause)
    }

    private mutating func clearFileWeights(of instance: inout VRRPInstance, cause: String) {
        for index in instance.trackedFiles.indices.reversed() {
            let tracked = instance.trackedFiles[index]
            let own = known.files.first { $0.name == tracked.name }?.weight
            switch tracked.weight ?? own ?? 1 {
            case 0: break
            case 1:
                correct(
                    tracked.position,
                    "ignoring weight from tracked file \(tracked.name) due to \(cause). specify"
                        + " weight 0")
                instance.trackedFiles[index].weight = 0
            case let weight:
                correct(
                    tracked.position,
                    "ignoring tracked file \(tracked.name) with weight \(weight) due to \(cause)")
                instance.trackedFiles.remove(at: index)
            }
        }
    }

    private func weight(of tracked: VRRPInstance.TrackedScript) -> Int {
        tracked.weight ?? known.scripts.first { $0.name == tracked.name }?.weight ?? 0
    }
}
