import NetworkTypes

// How an instance is elected, authenticated and timed, defaults filled in.
extension InstanceCompletion {
    /// What of an election depends on each other.
    struct Election {
        var state: VRRPInstance.InitialState
        var priority: UInt8
        var nopreempt: Bool
        var preemptDelay: Duration
    }

    /// The state, the priority and preemption.
    mutating func completeElection() -> Election {
        let priority = draft.priority ?? (draft.state == .master ? 255 : 100)
        let isOwner = priority == 255
        var election = Election(
            state: draft.state ?? (isOwner ? .master : .backup), priority: priority,
            nopreempt: draft.nopreemptPosition != nil, preemptDelay: draft.preemptDelay)
        if isStrict, (election.state == .master) != isOwner {
            correct(draft.statePosition, "State MASTER must match being address owner")
            election.state = isOwner ? .master : .backup
        }
        completePreemption(of: &election)
        return election
    }

    private mutating func completePreemption(of election: inout Election) {
        // AH needs the number of an advertisement before it can send one.
        let startsAsMaster = election.state == .master && !waitsForSequenceNumber(election)
        if election.nopreempt, election.priority == 255 {
            correct(
                draft.nopreemptPosition,
                "nopreempt is incompatible with priority 255. resetting nopreempt")
            election.nopreempt = false
        } else if election.nopreempt, startsAsMaster {
            correct(
                draft.nopreemptPosition,
                "Warning - nopreempt will not work with initial state MASTER - clearing")
            election.nopreempt = false
        }
        guard election.preemptDelay != .zero else { return }
        if startsAsMaster {
            correct(
                draft.preemptDelayPosition,
                "Warning - preempt delay will not work with initial state MASTER - clearing")
            election.preemptDelay = .zero
            return
        }
        if isStrict {
            correct(
                draft.preemptDelayPosition,
                "preempt_delay is incompatible with strict mode - resetting")
            election.preemptDelay = .zero
        }
        if election.nopreempt {
            correct(
                draft.preemptDelayPosition,
                "preempt_delay is incompatible with nopreempt mode - resetting")
            election.preemptDelay = .zero
        }
    }

    private func waitsForSequenceNumber(_ election: Election) -> Bool {
        draft.authenticationType == .header && !draft.password.isEmpty && draft.family != .v6
            && !isStrict && election.priority != 255
            && (draft.version ?? globals.version ?? .v2) == .v2
    }

    // MARK: Authentication

    /// Authentication, and what follows from it for the state.
    mutating func completeAuthentication(of instance: inout VRRPInstance) {
        guard let position = draft.authenticationPosition else { return }
        guard let type = draft.authenticationType else {
            if !draft.password.isEmpty {
                // keepalived has no word on it.
                note(position, "\(tag) auth_pass without an auth_type: not authenticated")
            }
            return
        }
        guard !isStrict else {
            correct(position, "Strict mode does not support authentication. Ignoring.")
            return
        }
        guard instance.version == .v2 else {
            correct(position, "VRRP version 3 does not support authentication. Ignoring.")
            return
        }
        guard !draft.password.isEmpty else {
            correct(position, "Authentication specified but no password given. Ignoring")
            return
        }
        switch type {
        case .password: instance.authentication = .password(draft.password)
        case .header where instance.family == .v6:
            correct(position, "Cannot use AH authentication with IPv6. ignoring")
        case .header:
            instance.authentication = .header(key: draft.password)
            guard instance.initialState == .master, instance.priority != 255 else { return }
            correct(
                draft.statePosition,
                "Initial state master is incompatible with AH authentication - clearing")
            instance.initialState = .backup
        }
    }

    // MARK: Timers

    /// Version 2 counts whole seconds (RFC 3768 §5.3.7), version 3 centiseconds in 12 bits (RFC
    /// 5798 §5.2.7).
    mutating func completeInterval(version: VRRPInstance.Version) -> Duration {
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

    /// How many advertisements a master may miss.
    mutating func completeMasterDown() -> Int {
        let count = draft.masterDownAdvertisements ?? globals.masterDownAdvertisements ?? 3
        guard isStrict, count != 3 else { return count }
        correct(nil, "down_timer_adverts is incompatible with strict mode - resetting")
        return 3
    }

    // MARK: Switches that strict mode decides

    /// `accept`: by default all but strict instances do, and the owner.
    mutating func completeAcceptance(_ priority: UInt8, version: VRRPInstance.Version) -> Bool {
        let accepts = draft.acceptsPackets ?? (!isStrict || priority == 255)
        guard accepts, priority != 255, isStrict, version == .v2 else { return accepts }
        correct(
            draft.acceptPosition,
            "warning - accept mode for VRRP version 2 does not comply with RFC3768 - resetting")
        return false
    }

    /// `lower_prio_no_advert`.
    mutating func completeAnswer() -> Bool {
        guard let written = draft.ignoresLowerPriority else {
            return isStrict || globals.ignoresLowerPriority ?? false
        }
        guard isStrict, !written else { return written }
        correct(nil, "Strict mode requires no lower priority advert. resetting")
        return true
    }

    /// `higher_prio_send_advert`.
    mutating func completeYielding() -> Bool {
        guard let written = draft.advertisesBeforeYielding else {
            return !isStrict && globals.advertisesBeforeYielding
        }
        guard isStrict, written else { return written }
        correct(nil, "strict mode requires higher_prio_send_advert to be clear. resetting")
        return false
    }

    /// The instance's settings, else those of `global_defs`, else the defaults. The defaults for
    /// adverts of lower priority are the global ones for a new master, not the instance's.
    mutating func completeAnnouncements() -> AnnouncementSettings {
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
            own.refreshRepeat ?? global.refreshRepeat
            ?? (globals.minimalGARP ? 0 : settings.refreshRepeat)
        settings.lowerPriorityRepeat =
            own.lowerPriorityRepeat ?? (isStrict ? 0 : global.lowerPriorityRepeat ?? count)
        settings.lowerPriorityDelay =
            own.lowerPriorityDelay ?? (isStrict ? .zero : global.lowerPriorityDelay ?? delay)
        if isStrict, settings.lowerPriorityRepeat != 0 {
            correct(nil, "Strict mode requires no repeat garps. resetting")
            settings.lowerPriorityRepeat = 0
        }
        if isStrict, settings.lowerPriorityDelay != .zero {
            correct(nil, "Strict mode requires no repeat garp delay. resetting")
            settings.lowerPriorityDelay = .zero
        }
        return settings
    }
}
