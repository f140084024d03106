import LabModel
import LinuxSystem
import NetworkTypes
import NodeProtocol

// What is waited for: that nodes and their services are up.

extension Supervisor {
    /// Calls `completion` once, as soon as `check` gives a result; it is asked again whenever a
    /// node or service changes.
    func wait(
        until check: @escaping () -> Result<Void, LabError>?,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        waiters.add(check: check, completion: completion)
        reconsiderSoon()
    }

    /// Asks the waiting again once what is being handled now is done.
    func reconsiderSoon() {
        loop.schedule(after: .zero) { [unowned self] in reconsider() }
    }

    func reconsider() { waiters.ask() }

    /// It is asked whenever something changes anywhere, so it begins where it got to the last time;
    /// who was ready then is asked once more in the end.
    func allReady() -> Result<Void, LabError>? {
        func first(from start: Int) -> Result<Void, LabError>? {
            for index in start..<bringUp.pluggedIn {
                readyCount = index
                guard let result = isReady(nodes[index]) else { return nil }
                if case .failure = result { return result }
            }
            return .success(())
        }
        guard areGatewaysOperational else { return nil }
        guard let result = first(from: readyCount) else { return nil }
        if case .failure = result { return result }
        return fabric.isOn ? first(from: 0) : nil
    }

    /// Whether a node and all services that start with it are up; nil while that is not decided.
    func isReady(_ node: RunningNode) -> Result<Void, LabError>? {
        let name = node.node.name
        if let failure = node.failure { return .failure(.machine("node \(name): \(failure)")) }
        guard node.isAlive else {
            return .failure(.failed("node \(name) ended while it was starting"))
        }
        guard node.isComplete else { return nil }
        var isComplete = fabric.ports(of: name).allSatisfy {
            fabric.isDown($0) || observer.operationalPorts.contains($0.index)
        }
        for service in node.node.services where node.isEnabled(service.name) {
            switch isReady(service.name, on: node, acceptsStopped: true) {
            case nil: isComplete = false
            case .success?: break
            case .failure(let error)?: return .failure(error)
            }
        }
        return isComplete ? .success(()) : nil
    }

    /// Whether a service is ready; nil while that is not decided.
    ///
    /// - Parameter acceptsStopped: whether one that a program of the node has stopped, as the
    ///   tutorials' notify scripts do, will do.
    func isReady(
        _ name: String, on node: RunningNode, acceptsStopped: Bool = false
    ) -> Result<Void, LabError>? {
        guard let record = node.services[name], let service = node.node.service(name) else {
            return nil
        }
        let verdict = ServiceVerdict(
            service, record.state, since: record.since, now: MonotonicClock.now,
            acceptsEnd: acceptsStopped && record.wasStopped)
        switch verdict {
        case .undecided: return nil
        case .undecidedUntil(let moment):
            loop.schedule(at: moment) { [unowned self] in reconsider() }
            return nil
        case .up: return .success(())
        case .failed(let reason): return .failure(.failed(describeFailure(reason, name, node)))
        }
    }

    private func describeFailure(_ reason: String, _ service: String, _ node: RunningNode) -> String
    {
        let name = node.node.name
        output.catchUp(node: name, service: service)
        let printed = output.lines(node: name, service: service).suffix(10)
            .map { "\n    " + $0.text }.joined()
        return "service \(name)/\(service)\(reason)"
            + (printed.isEmpty ? "" : "; the last it printed:" + printed)
    }
}
