import NetworkTypes

/// Fills in what an instance leaves to defaults and corrects what does not go together, in the
/// order of keepalived's `vrrp_complete_instance`, of which the messages are.
struct InstanceCompletion: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private let draft: InstanceDraft
    private let globals: GlobalReader

    init(_ draft: InstanceDraft, globals: GlobalReader) {
        self.draft = draft
        self.globals = globals
    }

    private var tag: String { "(\(draft.name))" }

    private mutating func correct(_ position: SourcePosition?, _ message: String) {
        adjusted(position ?? draft.position, "\(tag) \(message)", namesLine: false)
    }

    /// The instance; nil when keepalived would not run for what is missing.
    mutating func complete() -> VRRPInstance? {
        let family = draft.family ?? .v4
        let version = draft.version ?? (family == .v6 ? .v3 : globals.version ?? .v2)
        guard let virtualRouterID = draft.virtualRouterID else {
            missing(
                "\(tag) the virtual router id must be set", at: draft.virtualRouterIDPosition)
            return nil
        }
        guard let interface = draft.interface else {
            missing("\(tag) Unknown interface!", at: draft.interfacePosition)
            return nil
        }
        checkAddresses(version: version)
        let isStrict = draft.isStrict ?? globals.isStrict
        let election = completeElection(isStrict: isStrict)
        let authentication = completeAuthentication(version: version, isStrict: isStrict)
        let interval = completeInterval(version: version)
        let tracked = draft.trackedInterfaces.filter { $0.interface != interface }
        for own in draft.trackedInterfaces where own.interface == interface {
            correct(own.position, "Ignoring track_interface \(interface) since own interface")
        }
        if draft.unicastPosition != nil, draft.unicastPeers.isEmpty {
            correct(
                draft.unicastPosition,
                "A unicast keyword has been specified without any unicast peers. Defaulting to"
                    + " multicast. This usage is deprecated - please update your configuration.")
        }
        return VRRPInstance(
            name: draft.name, interface: interface, virtualRouterID: virtualRouterID,
            version: version, family: family, initialState: election.state,
            priority: election.priority, advertisementInterval: interval,
            nopreemptWritten: draft.nopreemptPosition != nil, nopreempt: election.nopreempt,
            preemptDelay: election.preemptDelay, authentication: authentication,
            virtualAddresses: draft.virtualAddresses.map { $0.completed(on: interface) },
            excludedAddresses: draft.excludedAddresses.map { $0.completed(on: interface) },
            announcements: announcements(isStrict: isStrict),
            sourceAddress: draft.sourceAddress, unicastPeers: draft.unicastPeers,
            skipsAddressCheck: draft.skipsAddressCheck ?? globals.skipsAddressCheck,
            acceptsPackets: draft.acceptsPackets ?? (!isStrict || election.priority == 255),
            isStrict: isStrict,
            masterDownAdvertisements: draft.masterDownAdvertisements
                ?? globals.masterDownAdvertisements ?? 3,
            ignoresLowerPriority: draft.ignoresLowerPriority ?? globals.ignoresLowerPriority
                ?? isStrict,
            advertisesBeforeYielding: draft.advertisesBeforeYielding
                ?? globals.advertisesBeforeYielding,
            ignoresOwnInterface: draft.ignoresOwnInterface, trackedInterfaces: tracked,
            trackedScripts: draft.trackedScripts, notify: draft.notify,
            smtpAlert: draft.smtpAlert ?? globals.definitions.smtpAlert,
            position: draft.position,
            interfacePosition: draft.interfacePosition ?? draft.position)
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

    private mutating func checkAddresses(version: VRRPInstance.Version) {
        guard draft.virtualAddresses.isEmpty else { return }
        switch version {
        case .v2: correct(draft.position, "No VIP specified; at least one is sensible")
        case .v3:
            refused(
                draft.position, "\(tag) No VIP specified; at least one is required",
                namesLine: false)
        }
    }

    // MARK: Election

    private struct Election {
        var state: VRRPInstance.InitialState
        var priority: UInt8
        var nopreempt: Bool
        var preemptDelay: Duration
    }

    private mutating func completeElection(isStrict: Bool) -> Election {
        let priority = draft.priority ?? (draft.state == .master ? 255 : 100)
        let isOwner = priority == 255
        var election = Election(
            state: isOwner ? .master : draft.state ?? .backup, priority: priority,
            nopreempt: draft.nopreemptPosition != nil, preemptDelay: draft.preemptDelay)
        if isStrict, !isOwner, election.state == .master {
            correct(draft.statePosition, "State MASTER must match being address owner")
            election.state = .backup
        }
        if draft.authenticationType == .header, election.state == .master, !isOwner, !isStrict {
            correct(
                draft.statePosition,
                "Initial state master is incompatible with AH authentication - clearing")
            election.state = .backup
        }
        if election.nopreempt, isOwner {
            correct(
                draft.nopreemptPosition,
                "nopreempt is incompatible with priority 255. resetting nopreempt")
            election.nopreempt = false
        } else if election.nopreempt, election.state == .master {
            correct(
                draft.nopreemptPosition,
                "Warning - nopreempt will not work with initial state MASTER - clearing")
            election.nopreempt = false
        }
        guard election.preemptDelay != .zero else { return election }
        if isStrict {
            correct(
                draft.preemptDelayPosition,
                "preempt_delay is incompatible with strict mode - resetting")
        } else if election.state == .master {
            correct(
                draft.preemptDelayPosition,
                "Warning - preempt delay will not work with initial state MASTER - clearing")
        } else if election.nopreempt {
            correct(
                draft.preemptDelayPosition,
                "preempt_delay is incompatible with nopreempt mode - resetting")
        } else {
            return election
        }
        election.preemptDelay = .zero
        return election
    }

    // MARK: Authentication

    private mutating func completeAuthentication(
        version: VRRPInstance.Version, isStrict: Bool
    ) -> VRRPInstance.Authentication? {
        guard let position = draft.authenticationPosition else { return nil }
        guard let type = draft.authenticationType else {
            if !draft.password.isEmpty {
                correct(position, "auth_pass without an auth_type: not authenticated")
            }
            return nil
        }
        guard version == .v2 else {
            correct(position, "VRRP version 3 does not support authentication. Ignoring.")
            return nil
        }
        guard !isStrict else {
            correct(position, "Strict mode does not support authentication. Ignoring.")
            return nil
        }
        guard !draft.password.isEmpty else {
            correct(position, "Authentication specified but no password given. Ignoring")
            return nil
        }
        switch type {
        case .password: return .password(draft.password)
        case .header:
            // Without the header, no peer would accept a packet: that is no small difference.
            diagnostics.append(
                ConfDiagnostic(
                    position, .error, .notSupportedYet,
                    "auth_type AH: known to keepalived, not supported yet by vrrp-agent"))
            return .header(key: draft.password)
        }
    }

    // MARK: Timers

    /// Version 2 counts whole seconds (RFC 3768 §5.3.7), version 3 centiseconds in 12 bits (RFC
    /// 5798 §5.2.7).
    private mutating func completeInterval(version: VRRPInstance.Version) -> Duration {
        let interval = draft.advertisementInterval
        let micros = interval.wholeNanoseconds / 1000
        let unit: Int64 = version == .v2 ? 1_000_000 : 10_000
        let rounded = max((micros + unit / 2) / unit, 1) * unit
        switch version {
        case .v2:
            guard rounded != micros else { return interval }
            correct(
                draft.intervalPosition,
                "VRRPv2 advertisement interval \(sixDecimals(interval))s must be an integer."
                    + " rounding")
        case .v3:
            let limit: Duration = .milliseconds(40_950)
            if interval > limit {
                correct(
                    draft.intervalPosition,
                    "VRRPv3 advertisement interval \(decimals(interval, count: 2))s is out of"
                        + " range. Must be less than 40.96s. Setting to 40.95s")
                return limit
            }
            guard rounded != micros else { return interval }
            correct(
                draft.intervalPosition,
                "VRRPv3 advertisement interval \(sixDecimals(interval))s must be in units of 10ms"
                    + " - rounding")
        }
        return .microseconds(rounded)
    }

    /// The instance's settings, else those of `global_defs`, else the defaults. The defaults for
    /// adverts of lower priority are the global ones for a new master, not the instance's.
    private func announcements(isStrict: Bool) -> AnnouncementSettings {
        var settings = AnnouncementSettings()
        let own = draft.garp
        let global = globals.garp
        let delay = global.masterDelay ?? (globals.minimalGARP ? .zero : settings.masterDelay)
        let count = global.masterRepeat ?? (globals.minimalGARP ? 1 : settings.masterRepeat)
        settings.masterDelay = own.masterDelay ?? delay
        settings.masterRepeat = own.masterRepeat ?? count
        settings.refreshInterval =
            own.refreshInterval ?? global.refreshInterval ?? settings.refreshInterval
        settings.refreshRepeat =
            own.refreshRepeat ?? global.refreshRepeat ?? settings.refreshRepeat
        settings.lowerPriorityDelay =
            own.lowerPriorityDelay ?? global.lowerPriorityDelay ?? (isStrict ? .zero : delay)
        settings.lowerPriorityRepeat =
            own.lowerPriorityRepeat ?? global.lowerPriorityRepeat ?? (isStrict ? 0 : count)
        return settings
    }
}

extension VirtualAddressDraft {
    /// The address on its own device or on the instance's.
    fileprivate func completed(on interface: InterfaceName) -> VirtualAddress {
        VirtualAddress(
            address: address, interface: device ?? interface, label: label, broadcast: broadcast,
            scope: scope, isTracked: isTracked, position: position)
    }
}
