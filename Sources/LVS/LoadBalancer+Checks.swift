import KeepalivedConf
import NetworkTypes

// When checks begin, and what their results mean. Each kind of keepalived's checkers counts retries
// in its own way; so do these.
extension LoadBalancer {
    subscript(id: CheckerID) -> CheckerState {
        get { services[id.service].servers[id.server].checkers[id.checker] }
        set { services[id.service].servers[id.server].checkers[id.checker] = newValue }
    }

    /// All checkers, in the order of the file.
    var checkerIDs: [CheckerID] {
        services.indices.flatMap { service in
            services[service].servers.indices.flatMap { server in
                services[service].servers[server].checkers.indices.map {
                    CheckerID(
                        generation: generation, service: service, server: server, checker: $0)
                }
            }
        }
    }

    // MARK: Schedule

    /// Arranges the first checks.
    ///
    /// - Parameter countsFirstFailure: whether one failure decides as long as nothing is known.
    mutating func scheduleCheckers(_ now: MonotonicInstant, countsFirstFailure: Bool) {
        for id in checkerIDs where self[id].isScheduled {
            let (service, server) = (services[id.service], services[id.service].servers[id.server])
            let definition = self[id].definition
            if service.server.suspendsWithoutAddress, service.addressCount == 0 {
                self[id].isEnabled = false
            }
            if countsFirstFailure { self[id].failures = definition.retries }
            log(
                "\(self[id].isEnabled ? "A" : "Dea")ctivating healthchecker for service"
                    + " \(service.server.title(of: server.server)) for VS \(service.server.title)")
            let microseconds = Int(definition.warmup / .microseconds(1))
            let warmup = microseconds > 0 ? random(0...microseconds) : 0
            self[id].due = now + Self.bootstrapDelay + .microseconds(warmup)
        }
    }

    /// Begins the checks whose time has come.
    mutating func beginDueChecks(_ now: MonotonicInstant) {
        for id in checkerIDs {
            guard let due = self[id].due, due <= now else { continue }
            guard self[id].isEnabled else {
                self[id].due = now + self[id].definition.delayLoop
                continue
            }
            self[id].due = nil
            self[id].lastBegin = now
            actions.append(.check(id, page: self[id].page))
        }
    }

    /// An address has come or gone: `ha_suspend`.
    mutating func setPresence(_ isPresent: Bool, of address: IPAddress) {
        for index in services.indices {
            let service = services[index].server
            // keepalived looks at no group here.
            guard service.suspendsWithoutAddress, case .address(address, _) = service.target else {
                continue
            }
            services[index].addressCount += isPresent ? 1 : -1
            let count = services[index].addressCount
            for id in checkerIDs where id.service == index && self[id].isScheduled {
                guard self[id].isEnabled != isPresent, isPresent || count == 0 else { continue }
                self[id].isEnabled = isPresent
                let server = services[index].servers[id.server].server
                log(
                    "\(isPresent ? "Activat" : "Suspend")ing healthchecker for service"
                        + " \(service.title(of: server)) for VS \(service.title)")
            }
        }
    }

    // MARK: Results

    /// Takes what came of a check.
    mutating func take(_ result: CheckResult, of id: CheckerID, _ now: MonotonicInstant) {
        guard target(of: id) != nil, self[id].due == nil, self[id].isScheduled else { return }
        if case .notTried(let line) = result {
            log(line)
            self[id].due = now + self[id].definition.delayLoop
            return
        }
        let delay: Duration
        switch self[id].definition.kind {
        case .tcp: delay = takeConnection(result, id)
        case .ping, .udp: delay = takePacket(result, id)
        case .http(let check): delay = takePage(result, id, check)
        case .smtp: delay = takeSMTP(result, id)
        case .dns: delay = takeDNS(result, id)
        case .misc(let check):
            takeCommand(result, id, check)
            // From one start to the next, however long the command takes.
            let definition = self[id].definition
            let pause =
                self[id].failures > 0 ? definition.delayBeforeRetry : definition.delayLoop
            self[id].due = max(self[id].lastBegin + pause, now)
            self[id].hasRun = true
            return
        case .file, .bfd: return
        }
        self[id].due = now + delay
    }

    /// How the machine is called in lines about its checkers.
    func title(_ id: CheckerID) -> String {
        let service = services[id.service]
        return service.server.title(of: service.servers[id.server].server)
    }

    private func serviceTitle(_ id: CheckerID) -> String { services[id.service].server.title }

    /// Whether every failure is logged.
    func logsAll(_ id: CheckerID) -> Bool {
        self[id].definition.logsAllFailures || configuration.global.lvs.logsAllFailures
    }

    /// A checker has succeeded or failed: what that means for the machine, and a mail about it.
    mutating func decide(_ isUp: Bool, _ id: CheckerID, mail body: String) {
        let wasUp = self[id].isUp
        let wasAlive = services[id.service].servers[id.server].isAlive
        setUp(isUp, id)
        let state = services[id.service].servers[id.server]
        guard state.server.smtpAlert, wasUp != isUp,
            wasAlive != state.isAlive || !configuration.global.lvs.suppressesCheckerMail
        else { return }
        mail(id.service, server: id.server, body: body)
    }

    private mutating func setUp(_ isUp: Bool, _ id: CheckerID) {
        guard self[id].isUp != isUp else {
            if !self[id].hasRun {
                // The first result is told even when it is what was assumed, in alpha mode.
                if self[id].definition.startsDown || !isUp {
                    notify(id.service, server: id.server)
                }
                self[id].hasRun = true
            }
            return
        }
        self[id].hasRun = true
        let failed = services[id.service].servers[id.server].failedCheckers
        if isUp ? failed <= 1 : failed == 0 { setAlive(isUp, id.service, id.server) }
        services[id.service].servers[id.server].setChecker(id.checker, isUp: isUp)
    }

    // MARK: TCP_CHECK

    private mutating func takeConnection(_ result: CheckResult, _ id: CheckerID) -> Duration {
        let before = self[id]
        let isSuccess = result.isSuccess
        if case .failure(let reason) = result, before.isUp, logsAll(id) {
            log("TCP connection to \(title(id)) \(reason).")
        }
        defer { self[id].hasRun = true }
        guard isSuccess || before.failures >= before.definition.retries else {
            self[id].failures += 1
            return before.definition.delayBeforeRetry
        }
        self[id].failures = 0
        if isSuccess, !before.isUp || !before.hasRun {
            log("TCP connection to \(title(id)) success.")
            decide(true, id, mail: "=> TCP CHECK succeed on service <=")
        } else if !isSuccess, before.isUp || !before.hasRun {
            log("TCP_CHECK on service \(title(id)) failed\(before.afterRetries).")
            decide(false, id, mail: "=> TCP CHECK failed on service <=")
        }
        return before.definition.delayLoop
    }

    // MARK: PING_CHECK and UDP_CHECK

    private mutating func takePacket(_ result: CheckResult, _ id: CheckerID) -> Duration {
        let before = self[id]
        let isPing = before.definition.kind == .ping
        let name = isPing ? "ICMP" : "UDP"
        let isSuccess = result.isSuccess
        if case .failure(let reason) = result, before.isUp, logsAll(id) {
            switch (isPing, reason) {
            case (true, "timeout"): log("ICMP connection to address \(title(id)) timeout.")
            case (true, _): log("ICMP connection to \(title(id)) of \(serviceTitle(id)) failed.")
            case (false, "failed"): log("UDP connection to \(title(id)) failed.")
            case (false, _): log("UDP check to \(title(id)) \(reason).")
            }
        }
        defer { self[id].hasRun = true }
        let isUndecided = before.isUp || !before.hasRun
        guard isSuccess || isUndecided && before.failures >= before.definition.retries else {
            guard before.isUp else { return before.definition.delayLoop }
            self[id].failures += 1
            return before.definition.delayBeforeRetry
        }
        self[id].failures = 0
        if isSuccess, !before.isUp || !before.hasRun {
            log("\(name) connection to \(title(id)) success.")
            decide(true, id, mail: "=> \(name) CHECK succeed on service <=")
        } else if !isSuccess {
            let words = isPing ? "ICMP CHECK" : "UDP_CHECK"
            let service = isPing && before.saysRetries ? " of \(serviceTitle(id))" : ""
            log("\(words) on service \(title(id))\(service) failed\(before.afterRetries).")
            decide(false, id, mail: "=> \(name) CHECK failed on service <=")
        }
        return before.definition.delayLoop
    }

    // MARK: SMTP_CHECK and DNS_CHECK

    private mutating func takeSMTP(_ result: CheckResult, _ id: CheckerID) -> Duration {
        let before = self[id]
        let definition = before.definition
        guard case .failure(let reason) = result else {
            self[id].failures = 0
            if !before.isUp || !before.hasRun {
                log("Remote SMTP server \(title(id)) succeed on service.")
                decide(true, id, mail: "=> CHECK succeed on service <=")
            }
            self[id].hasRun = true
            return definition.delayLoop
        }
        let isUndecided = before.isUp || !before.hasRun
        if isUndecided, logsAll(id) || before.failures >= definition.retries {
            log("SMTP_CHECK \(reason)")
        }
        guard before.failures >= definition.retries else {
            self[id].failures += 1
            return definition.delayBeforeRetry
        }
        self[id].failures = 0
        if isUndecided { decide(false, id, mail: "=> CHECK failed on service : \(reason) <=") }
        return definition.delayLoop
    }

    private mutating func takeDNS(_ result: CheckResult, _ id: CheckerID) -> Duration {
        let before = self[id]
        let definition = before.definition
        guard case .failure(let reason) = result else {
            if !before.isUp || !before.hasRun {
                decide(true, id, mail: "=> DNS_CHECK: succeed on service <=")
            }
            self[id].failures = 0
            return definition.delayLoop
        }
        if before.isUp || !before.hasRun {
            let isLast = before.failures >= definition.retries
            if isLast || logsAll(id) {
                let after =
                    before.hasRun && isLast ? " after \(definition.retries) retries" : ""
                log("DNS_CHECK (\(title(id))) \(reason)\(after)")
            }
            guard isLast else {
                self[id].failures += 1
                self[id].hasRun = true
                return definition.delayBeforeRetry
            }
            decide(false, id, mail: "=> DNS_CHECK: failed on service <=")
        }
        self[id].failures = 0
        return definition.delayLoop
    }
}

extension CheckResult {
    /// Whether what was checked is well.
    var isSuccess: Bool {
        if case .success = self { true } else { false }
    }
}

extension CheckerState {
    /// Whether a line about a failure counts the retries before it.
    var saysRetries: Bool { definition.retries > 0 && hasRun }

    /// The end of such a line.
    var afterRetries: String { saysRetries ? " after \(definition.retries) retries" : "" }
}
