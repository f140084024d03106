import KeepalivedConf
import NetworkTypes

// Another configuration: what is in both goes on as it was, in the kernel's table and in what is
// known of it.
extension LoadBalancer {
    mutating func reload(_ configuration: Configuration, _ now: MonotonicInstant) {
        actions.append(.cancelChecks)
        self.configuration = configuration
        let before = services
        services = before + states()
        let added = before.count..<services.count
        for index in before.indices {
            guard let successor = added.first(where: { services[$0].isSame(as: before[index]) })
            else {
                log(removal(of: before[index].server))
                end(index, isStopping: false)
                continue
            }
            migrate(from: index, to: successor)
            services[index].isAlive = false
        }
        services.removeFirst(before.count)
        generation += 1
        for service in services.indices {
            for server in services[service].servers.indices
            where !services[service].servers[server].isReloaded {
                lowerAlphaCheckers(service, server)
            }
        }
        for index in services.indices { begin(index) }
        scheduleCheckers(now, countsFirstFailure: false)
    }

    private func removal(of server: VirtualServer) -> String {
        if case .group(let name) = server.target {
            return "Removing Virtual Server Group [\(name)]"
        }
        return "Removing Virtual Server \(server.title)"
    }

    /// Lets a service go on under what the new configuration says of it.
    private mutating func migrate(from old: Int, to new: Int) {
        let before = services[old]
        services[new].isAlive = before.isAlive
        services[new].isQuorumUp = before.isQuorumUp
        services[new].addressCount = before.addressCount
        migrateEntries(from: old, to: new)
        for place in before.servers.indices {
            let server = before.servers[place].server
            let successor = services[new].servers.indices.first {
                services[new].servers[$0].server.address == server.address
                    && services[new].servers[$0].server.port == server.port
            }
            guard let successor else {
                log("service \(before.server.title(of: server)) no longer exist")
                // It is told even without `omega`, for the service goes on.
                services[old].server.notifiesAtEnd = true
                services[old].entries = services[new].entries
                endServer(old, place, isStopping: false)
                continue
            }
            migrate(before.servers[place], to: new, successor)
        }
        services[old].server.notifiesAtEnd = true
        loseQuorumIfDue(old, isStopping: false)
        migrateSorryServer(before, from: old, to: new)
    }

    /// The entries that are gone go, those that are new come with what is in the others, and those
    /// that have changed change.
    private mutating func migrateEntries(from old: Int, to new: Int) {
        let (before, after) = (services[old].entries, services[new].entries)
        for line in services[old].groupEntries where !services[new].groupEntries.contains(line) {
            log(
                "VS [\(services[old].server.title(of: line, isNew: false))] in group"
                    + " \(groupName(new)) no longer exists")
        }
        for entry in before where !after.contains(where: { $0.key == entry.key }) {
            if !isInTable(entry.key, except: old) { actions.append(.ipvs(.deleteService(entry))) }
        }
        for line in services[new].groupEntries where !services[old].groupEntries.contains(line) {
            log(
                "VS [\(services[new].server.title(of: line, isNew: true))] added into group"
                    + " \(groupName(new))")
        }
        for entry in after {
            guard let previous = before.first(where: { $0.key == entry.key }) else {
                actions.append(.ipvs(.addService(entry)))
                fill(entry, from: old)
                continue
            }
            if previous != entry { actions.append(.ipvs(.editService(entry))) }
        }
    }

    private func groupName(_ index: Int) -> String {
        if case .group(let name) = services[index].server.target { name } else { "" }
    }

    private mutating func fill(_ entry: IPVSService, from old: Int) {
        for state in services[old].servers where state.isSet {
            let isInhibited = state.server.isInhibitedOnFailure && !state.isAlive
            perform(
                .add,
                state.server.destination(
                    of: entry, weight: isInhibited ? 0 : state.kernelWeight), of: entry)
        }
        if let sorry = services[old].sorry, sorry.isSet {
            let weight: UInt32 = sorry.isAlive ? 1 : 0
            perform(.add, sorry.server.destination(of: entry, weight: weight), of: entry)
        }
    }

    private mutating func migrate(_ before: ServerState, to index: Int, _ place: Int) {
        services[index].servers[place].isAlive = before.isAlive
        services[index].servers[place].isSet = before.isSet
        services[index].servers[place].weight = before.weight
        services[index].servers[place].isReloaded = true
        migrateCheckers(before, index, place)
        let after = services[index].servers[place]
        if after.failedCheckers == 0, !after.isAlive {
            setAlive(true, index, place)
        } else if after.failedCheckers > 0, after.isSet != after.server.isInhibitedOnFailure {
            if after.isSet {
                services[index].servers[place].isSet = false
                perform(.delete, after.server, index, weight: 0)
            } else {
                addDestination(index, place)
            }
        }
        let now = services[index].servers[place]
        if now.isSet, before.server.isOtherwiseReached(than: now.server) {
            let isOut = now.server.isInhibitedOnFailure && !now.isAlive
            perform(.edit, now.server, index, weight: isOut ? 0 : now.kernelWeight)
        }
    }

    /// What checkers know that do the same as before is kept.
    private mutating func migrateCheckers(_ before: ServerState, _ index: Int, _ place: Int) {
        var state = services[index].servers[place]
        for number in state.checkers.indices {
            let definition = state.checkers[number].definition
            guard
                let old = before.checkers.first(where: { $0.definition.isSameCheck(as: definition) }
                )
            else { continue }
            if old.hasRun { state.checkers[number].isUp = old.isUp }
            state.checkers[number].hasRun = old.hasRun
            if old.failures > 0, definition.retries > 0 {
                state.checkers[number].failures = min(old.failures, definition.retries - 1)
            }
            state.checkers[number].lastStatus = old.lastStatus
            if case .misc(let check) = definition.kind, check.setsWeight, old.lastStatus != 1 {
                let status = Int(old.lastStatus)
                state.checkers[number].weight = status == 0 ? 0 : status - 2 - state.server.weight
            }
        }
        state.failedCheckers = state.checkers.count { $0.hasRun && !$0.isUp }
        // Where one has failed, those that know nothing yet do not count as well.
        if state.failedCheckers > 0 || !state.isAlive && !state.checkers.contains(where: \.hasRun) {
            for number in state.checkers.indices where !state.checkers[number].hasRun {
                let definition = state.checkers[number].definition
                if definition.startsDown { state.setChecker(number, isUp: false) }
                state.checkers[number].failures = definition.retries
            }
        }
        services[index].servers[place] = state
    }

    private mutating func migrateSorryServer(
        _ before: ServiceState, from old: Int, to new: Int
    ) {
        guard let sorry = before.sorry else { return }
        if let after = services[new].sorry, after.server.address == sorry.server.address,
            after.server.port == sorry.server.port
        {
            services[new].sorry?.isAlive = sorry.isAlive
            services[new].sorry?.isSet = sorry.isSet
            return
        }
        guard sorry.isSet else { return }
        log(
            "Removing sorry server"
                + " \(before.server.title(of: sorry.server.address, sorry.server.port))"
                + " from VS \(before.server.title)")
        services[old].entries = services[new].entries
        if !sorry.isRealServer { editSorryServer(old, weight: 1, verb: .delete) }
    }
}

extension ServiceState {
    /// Whether a service of another configuration is the same one.
    fileprivate func isSame(as other: ServiceState) -> Bool {
        switch (server.target, other.server.target) {
        case (.group(let own), .group(let others)):
            own == others && server.transportProtocol == other.server.transportProtocol
        case (.firewallMark(let own), .firewallMark(let others)):
            own == others && server.family == other.server.family
        case (.address(let address, let port), .address(let otherAddress, let otherPort)):
            address == otherAddress && port == otherPort
                && server.transportProtocol == other.server.transportProtocol
        case (.group, _), (.firewallMark, _), (.address, _): false
        }
    }
}

extension VirtualServer {
    /// How keepalived calls a line of its group that a reload adds or takes away.
    fileprivate func title(of entry: VirtualServerGroup.Entry, isNew: Bool) -> String {
        switch entry {
        case .firewallMark(let mark, _): isNew ? "FWM \(mark)" : "\(mark)"
        case .addresses(let first, let last, let port):
            title(of: first, port) + (first == last ? "" : "-\(last)")
        }
    }
}

extension RealServer {
    /// Whether the kernel reaches another version of it in another way.
    fileprivate func isOtherwiseReached(than other: RealServer) -> Bool {
        forwarding != other.forwarding || upperThreshold != other.upperThreshold
            || lowerThreshold != other.lowerThreshold
    }
}

extension Checker {
    /// Whether what another one has found holds for this one: it does the same, however often.
    fileprivate func isSameCheck(as other: Checker) -> Bool {
        switch (kind, other.kind) {
        case (.misc(let own), .misc(let others)):
            own.command.arguments == others.command.arguments
                && own.command.user == others.command.user && own.setsWeight == others.setsWeight
        case (.http(let own), .http(let others)):
            connection == other.connection && own.withoutPositions == others.withoutPositions
        default: connection == other.connection && kind == other.kind
        }
    }
}

extension HTTPCheck {
    fileprivate var withoutPositions: [Page] {
        pages.map { page in
            var page = page
            page.position = pages[0].position
            return page
        }
    }
}
