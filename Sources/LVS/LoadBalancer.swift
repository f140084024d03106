public import KeepalivedConf
public import NetworkTypes

/// What keepalived's checker process decides: which machines are behind which services of the
/// kernel's load balancer, from checks of their health.
///
/// A value without sockets, processes or clocks. The rules, the log lines and the order of what is
/// told are those of keepalived 2.2.7.
public struct LoadBalancer: Sendable {
    /// Names a checker. One that a reload has replaced has another generation.
    public struct CheckerID: Hashable, Sendable {
        public var generation: Int
        /// The virtual server, the machine behind it, and the checker of that, counted from 0.
        public var service: Int
        public var server: Int
        public var checker: Int

        public init(generation: Int = 0, service: Int, server: Int, checker: Int) {
            self.generation = generation
            self.service = service
            self.server = server
            self.checker = checker
        }
    }

    /// What happens to it.
    public enum Event: Sendable {
        /// The daemon begins.
        case start
        /// The deadline has come.
        case timer
        /// A check that was asked for is over.
        case result(CheckerID, CheckResult)
        /// An address has come to this machine or has gone: `ha_suspend`.
        case address(IPAddress, isPresent: Bool)
        /// Another configuration is in force.
        case reload(Configuration)
        /// The daemon ends.
        case stop
    }

    /// What to do, in order.
    public enum Action: Hashable, Sendable {
        /// Change the kernel's table.
        case ipvs(IPVSCommand)
        /// Write a line to the log.
        case log(String)
        /// Start a notify script.
        case run(Command)
        /// Write a line, without its end, to the FIFOs: `VS [192.0.2.1]:tcp:80 UP`.
        case tell(String)
        /// Send a mail; the subject is without `[ROUTER_ID]`.
        case mail(subject: String, body: String)
        /// Begin a check; of a checker that asks for pages, this one.
        case check(CheckerID, page: Int)
        /// Abandon all checks that run: nobody waits for their results.
        case cancelChecks
    }

    /// The time before the first check of all, to which its warm-up is added.
    static let bootstrapDelay: Duration = .seconds(1)

    var configuration: Configuration
    var services: [ServiceState] = []
    var generation = 0
    /// What is to be done about the event that is being handled.
    var actions: [Action] = []
    /// A number of a range, for warm-ups.
    let random: @Sendable (ClosedRange<Int>) -> Int

    /// - Parameter random: picks a number, so that checks of one machine are not all at once.
    public init(
        _ configuration: Configuration,
        random: @escaping @Sendable (ClosedRange<Int>) -> Int
    ) {
        self.configuration = configuration
        self.random = random
    }

    /// Takes an event. One that means nothing (a result nobody waits for, an early timer) changes
    /// nothing.
    public mutating func handle(_ event: Event, now: MonotonicInstant) -> [Action] {
        actions = []
        switch event {
        case .start: start(now)
        case .timer: beginDueChecks(now)
        case .result(let id, let result): take(result, of: id, now)
        case .address(let address, let isPresent): setPresence(isPresent, of: address)
        case .reload(let configuration): reload(configuration, now)
        case .stop: stop()
        }
        return actions
    }

    /// When `.timer` is due; nil while nothing is scheduled.
    public var deadline: MonotonicInstant? {
        var earliest: MonotonicInstant?
        for service in services {
            for server in service.servers {
                for checker in server.checkers {
                    guard let due = checker.due, due < earliest ?? .never else { continue }
                    earliest = due
                }
            }
        }
        return earliest
    }

    /// What a check of that name is to do, and for whom; nil when a reload has taken it away.
    public func target(
        of id: CheckerID
    ) -> (service: VirtualServer, server: RealServer, checker: Checker)? {
        guard id.generation == generation, !services.isEmpty else { return nil }
        let service = services[id.service]
        let server = service.servers[id.server]
        return (service.server, server.server, server.checkers[id.checker].definition)
    }

    // MARK: Start

    private mutating func start(_ now: MonotonicInstant) {
        guard services.isEmpty else { return }
        services = states()
        for service in services.indices {
            for server in services[service].servers.indices { lowerAlphaCheckers(service, server) }
            services[service].isQuorumUp =
                services[service].server.quorum + services[service].server.hysteresis <= 0
        }
        if configuration.global.lvs.flushesAtStart { actions.append(.ipvs(.flush)) }
        for index in services.indices { begin(index) }
        scheduleCheckers(now, countsFirstFailure: true)
    }

    /// The states of the configuration's virtual servers before anything is known.
    func states() -> [ServiceState] {
        configuration.virtualServers.map { server in
            ServiceState(server, groups: configuration.virtualServerGroups)
        }
    }

    /// In alpha mode what has not been checked counts as failed.
    mutating func lowerAlphaCheckers(_ service: Int, _ server: Int) {
        for index in services[service].servers[server].checkers.indices
        where services[service].servers[server].checkers[index].definition.startsDown {
            services[service].servers[server].setChecker(index, isUp: false)
            services[service].servers[server].isAlive = false
        }
    }

    /// Puts a service into the kernel's table.
    mutating func begin(_ index: Int) {
        if !services[index].isAlive {
            for entry in services[index].entries where !isInTable(entry.key, except: index) {
                actions.append(.ipvs(.addService(entry)))
            }
            services[index].isAlive = true
        }
        beginServers(index)
        updateQuorum(index, isInitial: true)
        guard let sorry = services[index].sorry, sorry.server.isInhibited, !sorry.isSet else {
            return
        }
        services[index].sorry?.isSet = true
        if !sorry.isRealServer { editSorryServer(index, weight: 0, verb: IPVSVerb.add) }
    }

    private mutating func beginServers(_ index: Int) {
        for place in services[index].servers.indices {
            let server = services[index].servers[place]
            if server.isReloaded {
                let weight = server.server.weight + server.checkers.reduce(0) { $0 + $1.weight }
                setWeight(weight, index, place, updatesQuorum: false)
                continue
            }
            let isWell = server.failedCheckers == 0
            guard isWell && !server.isAlive || server.server.isInhibitedOnFailure && !server.isSet
            else { continue }
            addDestination(index, place)
            guard isWell else { continue }
            services[index].servers[place].isAlive = true
            if configuration.global.lvs.notifiesInitialServers { notify(index, server: place) }
        }
    }

    /// Whether another service has the same entry in the table.
    func isInTable(_ key: IPVSService.Key, except index: Int) -> Bool {
        services.indices.contains { other in
            other != index && services[other].isAlive
                && services[other].entries.contains { $0.key == key }
        }
    }

    // MARK: End

    private mutating func stop() {
        actions.append(.cancelChecks)
        let flush = configuration.global.lvs.flushAtStop
        if flush == .all { actions.append(.ipvs(.flush)) }
        for index in services.indices {
            if flush == .all {
                loseQuorumIfDue(index, isStopping: true)
                services[index].isAlive = false
            } else {
                end(index, isStopping: true)
            }
        }
        services = []
        generation += 1
    }

    /// Takes a service out of the kernel's table.
    mutating func end(_ index: Int, isStopping: Bool) {
        if configuration.global.lvs.flushAtStop == .none {
            if let sorry = services[index].sorry, sorry.isSet {
                if !sorry.isRealServer { editSorryServer(index, weight: 1, verb: .delete) }
                services[index].sorry?.isSet = false
                services[index].sorry?.isAlive = false
            }
            for place in services[index].servers.indices {
                endServer(index, place, isStopping: isStopping)
            }
        }
        loseQuorumIfDue(index, isStopping: isStopping)
        services[index].isAlive = false
        for entry in services[index].entries where !isInTable(entry.key, except: index) {
            actions.append(.ipvs(.deleteService(entry)))
        }
    }

    /// Takes a machine away for good.
    mutating func endServer(_ index: Int, _ place: Int, isStopping: Bool) {
        let (service, state) = (services[index].server, services[index].servers[place])
        if state.isSet || isStopping {
            let inhibited = state.server.isInhibitedOnFailure && !state.isAlive
            log(
                "\(isStopping ? "Shutting down" : "Removing") \(inhibited ? "(inhibited) " : "")"
                    + "service \(service.title(of: state.server)) from VS \(service.title)")
        }
        guard state.isSet else { return }
        services[index].servers[place].isSet = false
        perform(.delete, state.server, index, weight: state.kernelWeight)
        guard state.isAlive else { return }
        services[index].servers[place].isAlive = false
        // With `omega`, and where only a part goes, it is told as if it had failed.
        if isStopping, !service.notifiesAtEnd { return }
        notify(index, server: place)
        if state.server.smtpAlert {
            mail(
                index, server: place,
                body: isStopping ? "=> Shutting down <=" : "=> Removing <=")
        }
    }

    mutating func log(_ text: String) { actions.append(.log(text)) }
}

extension MonotonicInstant {
    /// Later than everything.
    static let never = MonotonicInstant(nanoseconds: .max)
}
