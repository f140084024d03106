import KeepalivedConf
import NetworkTypes

/// What is done with a destination.
enum IPVSVerb {
    case add
    case edit
    case delete
}

// Which machines are in the kernel's table: quorum, sorry server, weights.
extension LoadBalancer {
    // MARK: Destinations

    /// Puts a machine into the table, or gives it its weight back.
    mutating func addDestination(_ index: Int, _ place: Int) {
        let state = services[index].servers[place]
        let isInhibited = state.server.isInhibitedOnFailure
        guard !state.isSet else {
            if isInhibited { perform(.edit, state.server, index, weight: state.kernelWeight) }
            return
        }
        services[index].servers[place].isSet = true
        let weight = isInhibited && state.failedCheckers > 0 ? 0 : state.kernelWeight
        perform(.add, state.server, index, weight: weight)
    }

    /// Takes a machine out of the table; with `inhibit_on_failure`, its weight.
    mutating func removeDestination(_ index: Int, _ place: Int) {
        let state = services[index].servers[place]
        if state.server.isInhibitedOnFailure {
            perform(.edit, state.server, index, weight: 0)
        } else if state.isSet {
            services[index].servers[place].isSet = false
            perform(.delete, state.server, index, weight: state.kernelWeight)
        }
    }

    /// Asks the kernel, for every entry that the service has in the table.
    mutating func perform(_ verb: IPVSVerb, _ server: RealServer, _ index: Int, weight: UInt32) {
        for entry in services[index].entries {
            perform(verb, server.destination(of: entry, weight: weight), of: entry)
        }
    }

    mutating func perform(
        _ verb: IPVSVerb, _ destination: IPVSDestination, of entry: IPVSService
    ) {
        let command: IPVSCommand =
            switch verb {
            case .add: .addDestination(destination, to: entry)
            case .edit: .editDestination(destination, of: entry)
            case .delete: .deleteDestination(destination, of: entry)
            }
        actions.append(.ipvs(command))
    }

    mutating func editSorryServer(_ index: Int, weight: UInt32, verb: IPVSVerb) {
        guard let sorry = services[index].sorry?.server else { return }
        for entry in services[index].entries {
            perform(verb, sorry.destination(of: entry, weight: weight), of: entry)
        }
    }

    // MARK: Quorum

    /// Looks whether the quorum is gained or lost, and does what follows from it.
    mutating func updateQuorum(_ index: Int, isInitial: Bool) {
        let state = services[index]
        let weight = state.liveWeight
        let sign = state.isQuorumUp ? -1 : 1
        let threshold = state.server.quorum + sign * state.server.hysteresis
        if !state.isQuorumUp, weight >= threshold {
            services[index].isQuorumUp = true
            log(
                "Gained quorum \(state.server.quorum)+\(state.server.hysteresis)=\(threshold)"
                    + " <= \(weight) for VS \(state.server.title)")
            if state.sorry?.isAlive ?? false { dismissSorryServer(index) }
        } else if state.isQuorumUp && (weight == 0 || weight < threshold)
            || isInitial && !state.isQuorumUp && state.sorry.map({ !$0.isAlive }) ?? false
        {
            services[index].isQuorumUp = false
            log(
                "\(isInitial ? "Starting with quorum down" : "Lost quorum")"
                    + " \(state.server.quorum)-\(state.server.hysteresis)=\(threshold)"
                    + " > \(weight) for VS \(state.server.title)")
            if let sorry = state.sorry, !sorry.isAlive { callSorryServer(index) }
        } else {
            return
        }
        notify(
            index, isInitial: isInitial, threshold: threshold, weight: weight, isStopping: false)
    }

    private mutating func dismissSorryServer(_ index: Int) {
        guard let sorry = services[index].sorry?.server else { return }
        let title = services[index].server.title
        log(
            "\(sorry.isInhibited ? "Disabling" : "Removing") sorry server"
                + " \(services[index].server.title(of: sorry.address, sorry.port)) from VS \(title)"
        )
        if sorry.isInhibited {
            editSorryServer(index, weight: 0, verb: .edit)
        } else {
            editSorryServer(index, weight: 1, verb: .delete)
            services[index].sorry?.isSet = false
        }
        services[index].sorry?.isAlive = false
        log("Adding alive servers to the pool for VS \(title)")
        for place in services[index].servers.indices where services[index].servers[place].isAlive {
            addDestination(index, place)
        }
    }

    private mutating func callSorryServer(_ index: Int) {
        guard let sorry = services[index].sorry else { return }
        let title = services[index].server.title
        log(
            "\(sorry.server.isInhibited ? "Enabling" : "Adding") sorry server"
                + " \(services[index].server.title(of: sorry.server.address, sorry.server.port))"
                + " to VS \(title)")
        log("Removing alive servers from the pool for VS \(title)")
        for place in services[index].servers.indices where services[index].servers[place].isAlive {
            removeDestination(index, place)
        }
        editSorryServer(index, weight: 1, verb: sorry.isSet ? .edit : .add)
        services[index].sorry?.isSet = true
        services[index].sorry?.isAlive = true
    }

    /// Tells of a quorum that goes with what is taken away. No sorry server steps in for that.
    mutating func loseQuorumIfDue(_ index: Int, isStopping: Bool) {
        let state = services[index]
        let threshold = state.server.quorum - state.server.hysteresis
        let weight = state.liveWeight
        guard isStopping || state.isQuorumUp && (weight == 0 || weight < threshold) else { return }
        services[index].isQuorumUp = false
        notify(
            index, isInitial: false, threshold: threshold, weight: weight, isStopping: isStopping)
    }

    // MARK: Machines

    /// A machine lives, or does not.
    mutating func setAlive(_ isAlive: Bool, _ index: Int, _ place: Int) {
        let (service, server) = (services[index].server, services[index].servers[place])
        guard server.isAlive != isAlive else { return }
        let isInhibited = server.server.isInhibitedOnFailure
        let verb = isAlive ? (isInhibited ? "Enabl" : "Add") : (isInhibited ? "Disabl" : "Remov")
        let preposition = isInhibited ? "of" : isAlive ? "to" : "from"
        log(
            "\(verb)ing service \(service.title(of: server.server)) \(preposition)"
                + " VS \(service.title)")
        if services[index].showsServers {
            if isAlive { addDestination(index, place) } else { removeDestination(index, place) }
        }
        services[index].servers[place].isAlive = isAlive
        notify(index, server: place)
        updateQuorum(index, isInitial: false)
    }

    /// A machine has another weight.
    mutating func setWeight(_ weight: Int, _ index: Int, _ place: Int, updatesQuorum: Bool) {
        let before = services[index].servers[place].kernelWeight
        services[index].servers[place].weight = weight
        let (service, server) = (services[index].server, services[index].servers[place])
        guard server.kernelWeight != before else { return }
        log(
            "Changing weight from \(before) to \(server.kernelWeight) for"
                + " \(server.isAlive ? "" : "in")active service"
                + " \(service.title(of: server.server)) of VS \(service.title)")
        // What is not in the table gets it when it comes there.
        if server.isSet, server.isAlive, services[index].showsServers {
            perform(.edit, server.server, index, weight: server.kernelWeight)
        }
        if updatesQuorum { updateQuorum(index, isInitial: false) }
    }
}

extension RealServer {
    /// What it is in the table under an entry. Only address translation can change the port.
    func destination(of entry: IPVSService, weight: UInt32) -> IPVSDestination {
        var destination = IPVSDestination(
            address, port: forwarding.port(own: port, of: entry), forwarding.method, weight: weight)
        destination.upperThreshold = UInt32(clamping: upperThreshold)
        destination.lowerThreshold = UInt32(clamping: lowerThreshold)
        return destination
    }
}

extension VirtualServer.SorryServer {
    /// The same for what stands in, whose weight is 1.
    func destination(of entry: IPVSService, weight: UInt32) -> IPVSDestination {
        IPVSDestination(
            address, port: forwarding.port(own: port, of: entry), forwarding.method, weight: weight)
    }
}

extension VirtualServer.Forwarding {
    fileprivate func port(own: UInt16?, of entry: IPVSService) -> UInt16 {
        switch (self, entry.key) {
        case (.translation, .address(_, _, let port)): own ?? port
        case (.translation, .mark): own ?? 0
        case (_, .address(_, _, let port)): port
        case (_, .mark): 0
        }
    }
}
