import KeepalivedConf
import NetworkTypes

// HTTP_GET, SSL_GET and MISC_CHECK, which do more than succeed or fail.
extension LoadBalancer {
    // MARK: HTTP_GET and SSL_GET

    /// One page after the other is asked for, each a delay after the last. A page that has failed
    /// is asked for again and again, and when it is right, all are once more.
    mutating func takePage(
        _ result: CheckResult, _ id: CheckerID, _ check: HTTPCheck
    ) -> Duration {
        switch result {
        case .success(let basis):
            let path = check.pages[self[id].page].path
            if !self[id].isUp { log("\(basis) success to \(title(id)) url(\(path))") }
            return pageSucceeded(id, check)
        case .failure(let reason):
            guard self[id].isUp || !self[id].hasRun else {
                return pauseAfterFailure(id, check)
            }
            if logsAll(id) { log("\(reason) server \(title(id)).") }
            self[id].hasRun = true
            return pageFailed(id, check)
        case .notTried, .exited, .signalled: return self[id].definition.delayLoop
        }
    }

    private mutating func pageSucceeded(_ id: CheckerID, _ check: HTTPCheck) -> Duration {
        let definition = self[id].definition
        self[id].failures = 0
        let isLast = self[id].page + 1 >= check.pages.count
        self[id].page = isLast ? 0 : self[id].page + 1
        if self[id].failedPage != nil {
            self[id].failedPage = nil
            self[id].page = 0
        } else if isLast, !self[id].isUp || !self[id].hasRun {
            log("Remote Web server \(title(id)) succeed on service.")
            decide(true, id, mail: "=> CHECK succeed on service <=")
            self[id].hasRun = true
        }
        if !self[id].hasRun { self[id].failures = definition.retries }
        return isHurried(id, check) ? .zero : definition.delayLoop
    }

    private mutating func pageFailed(_ id: CheckerID, _ check: HTTPCheck) -> Duration {
        let retries = self[id].definition.retries
        self[id].failures += 1
        guard self[id].failures > retries else { return pauseAfterFailure(id, check) }
        log(
            "HTTP_CHECK on service \(title(id)) failed"
                + (retries > 0 ? " after \(self[id].failures - 1) retries." : "."))
        decide(false, id, mail: "=> CHECK failed on service : HTTP request failed <=")
        self[id].failedPage = self[id].page
        return pauseAfterFailure(id, check)
    }

    private func pauseAfterFailure(_ id: CheckerID, _ check: HTTPCheck) -> Duration {
        if isHurried(id, check) { return .zero }
        let definition = self[id].definition
        return self[id].failedPage == nil
            ? definition.delayBeforeRetry
            : max(definition.delayBeforeRetry, definition.delayLoop)
    }

    /// `fast_recovery`: no pause while nothing is known to be wrong and the machine is not up yet.
    private func isHurried(_ id: CheckerID, _ check: HTTPCheck) -> Bool {
        check.recoversFast
            && (!self[id].hasRun || !self[id].isUp && self[id].failedPage == nil)
    }

    // MARK: MISC_CHECK

    mutating func takeCommand(_ result: CheckResult, _ id: CheckerID, _ check: MiscCheck) {
        switch result {
        case .exited(let status)
        where status == 0 || check.setsWeight && (2...255).contains(status):
            setDynamicWeight(status, id)
            self[id].failures = 0
            guard !self[id].isUp || !self[id].hasRun else { return }
            logCommand(id, check, "succeeded.")
            decideCommand(true, id, "succeeded")
        case .exited(let status):
            guard self[id].isUp || !self[id].hasRun else { return }
            if self[id].failures >= self[id].definition.retries {
                services[id.service].servers[id.server].weight -= self[id].weight
                self[id].weight = 0
                self[id].lastStatus = status
            }
            commandFailed(id, check, "failed", " (exited with status \(status))")
        case .signalled(let signal, let isTimeout):
            guard self[id].isUp || !self[id].hasRun else { return }
            commandFailed(
                id, check, isTimeout ? "timed out" : "failed",
                isTimeout ? "" : " (due to signal \(signal))")
        case .failure(let reason):
            guard self[id].isUp || !self[id].hasRun else { return }
            commandFailed(id, check, "failed", " (\(reason))")
        case .success, .notTried: break
        }
    }

    /// `misc_dynamic`: a status of 2 or more is a weight, less 2.
    private mutating func setDynamicWeight(_ status: Int32, _ id: CheckerID) {
        guard status != self[id].lastStatus else { return }
        let state = services[id.service].servers[id.server]
        let added = status == 0 ? 0 : Int(status) - 2 - state.server.weight
        let weight = state.weight - self[id].weight + added
        self[id].weight = added
        self[id].lastStatus = status
        setWeight(weight, id.service, id.server, updatesQuorum: true)
    }

    private mutating func commandFailed(
        _ id: CheckerID, _ check: MiscCheck, _ how: String, _ reason: String
    ) {
        let retries = self[id].definition.retries
        let isLast = self[id].failures >= retries
        self[id].failures = isLast ? 0 : self[id].failures + 1
        guard isLast || logsAll(id) else { return }
        let noun = retries == 1 ? "retry" : "retries"
        let count: String
        switch self[id].failures {
        case _ where retries == 0: count = " with retry disabled"
        case 0: count = " after \(retries) \(noun)"
        case 1: count = ", will do \(retries) \(noun)"
        default: count = " on retry \(self[id].failures - 1)/\(retries)"
        }
        logCommand(id, check, "\(how)\(count)\(reason).")
        if isLast { decideCommand(false, id, how) }
    }

    private mutating func logCommand(_ id: CheckerID, _ check: MiscCheck, _ what: String) {
        log(
            "Misc check for [\(title(id)) VS \(services[id.service].server.title)] by"
                + " [\(check.command.arguments.first ?? "")] \(what)")
    }

    private mutating func decideCommand(_ isUp: Bool, _ id: CheckerID, _ how: String) {
        decide(isUp, id, mail: "=> MISC CHECK \(how) on service <=")
        if !isUp { self[id].weight = 0 }
    }
}
