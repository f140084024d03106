import LabModel
import LinuxSystem
import NetworkTypes

// What is done to nodes and services for a time, and everything frozen thawed at once.

extension Supervisor {
    /// Notes what has been done, and takes it back when its time is over, unless something else has
    /// been done by then.
    func begin(_ verb: ControlVerb, _ target: Target, until end: MonotonicInstant?) {
        // By the name that the lab's file has for it.
        var target = target
        if let node = nodesByName[target.node], let name = target.service {
            target.service = node.node.unit(name)?.name ?? name
        }
        let tenure = tenures.begin(verb, target)
        guard let end, let ending = verb.ending else { return }
        loop.schedule(at: end) { [unowned self] in takeBack(tenure, by: ending) }
    }

    private func takeBack(_ tenure: Tenures.Tenure, by ending: ControlVerb) {
        var isDue = false
        wait(until: { [unowned self] in
            guard tenures.holds(tenure) else { return .success(()) }
            switch self.end(of: tenure) {
            case .later: return nil
            case .over: return .success(())
            case .due:
                isDue = true
                return .success(())
            }
        }) { [unowned self] _ in
            // Several may have waited for the same.
            guard isDue, tenures.holds(tenure) else { return }
            control(ending, tenure.target) { result in
                guard case .failure(let error) = result else { return }
                StandardError.print(
                    "\(tenure.verb.rawValue) \(tenure.target) is not taken back: \(error)")
            }
        }
    }

    private func end(of tenure: Tenures.Tenure) -> Tenures.End {
        guard let node = nodesByName[tenure.target.node] else {
            return .over
        }
        let view = Tenures.NodeView(
            isAlive: node.isAlive,
            isStopping: node.isAlive && node.state != .running && node.state != .starting,
            isFrozen: node.isFrozen)
        let service = tenure.target.service.map { name in
            Tenures.ServiceView(
                isRunning: isRunning(name, on: node),
                isStopping: node.services[name]?.state == .stopping,
                isFrozen: node.services[name]?.isFrozen ?? false)
        }
        return Tenures.end(of: tenure.verb, node: view, service: service)
    }

    /// Lets everything go on that stands still: with the network healed, nothing is wrong any more.
    ///
    /// - Parameter completion: called when it goes on, or has ended.
    func thawAll(completion: @escaping () -> Void) {
        var left = 1
        func oneLess() {
            left -= 1
            if left == 0 { completion() }
        }
        for node in nodes where node.isAlive {
            let name = node.node.name
            let services = node.node.services.map(\.name).filter {
                isRunning($0, on: node) && node.services[$0]?.isFrozen == true
            }
            func thawServices() {
                left += services.count
                for service in services {
                    control(.thaw, Target(node: name, service: service)) { _ in oneLess() }
                }
            }
            guard node.isFrozen else {
                thawServices()
                continue
            }
            left += 1
            control(.thaw, Target(node: name)) { _ in
                thawServices()
                oneLess()
            }
        }
        oneLess()
    }
}
