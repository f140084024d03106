import CLinux
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import NodeProtocol

// What `stop`, `start`, `restart`, `kill` and `reload` do, from the command line and in scenarios;
// `freeze` and `thaw` as far as they are like these.

extension Supervisor {
    /// How long a node's services may take to stop before its power is cut.
    static let powerOffTimeout: Duration = .seconds(30)

    /// Applies a verb to a node or service.
    ///
    /// The timeline bears it at the moment it is applied; `completion` is called when it is done:
    /// when what it starts is ready, when what it stops is gone.
    func control(
        _ verb: ControlVerb, _ target: Target, _ options: ControlOptions = ControlOptions(),
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        let time = MonotonicClock.now
        do throws(LabError) {
            if let problem = verb.problem(with: options, on: target) { throw .state(problem) }
            let node = try node(target.node)
            if node.isFrozen, target.service != nil || ![.thaw, .freeze, .kill].contains(verb) {
                throw .state(
                    "node \(target.node) is frozen: thaw it first"
                        + (target.service == nil ? ", or kill it" : ""))
            }
            // What came before the verb stands before it on the timeline.
            observer.catchUp()
            if let service = target.service {
                try control(
                    verb, service: service, on: node, clock: options.clock ?? .none,
                    completion: completion)
            } else {
                try control(verb, node, completion: completion)
            }
            begin(verb, target, until: options.lasting.map { time + $0 })
        } catch {
            completion(.failure(error))
        }
    }

    // MARK: Services

    private func control(
        _ verb: ControlVerb, service called: String, on node: RunningNode, clock: ClockOffset,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) throws(LabError) {
        let nodeName = node.node.name
        guard let service = node.node.unit(called) else {
            let names = node.node.services.map(\.name).joined(separator: ", ")
            throw .state(
                "node \(nodeName) has no service \(called)"
                    + (names.isEmpty ? "" : ": its services are \(names)"))
        }
        let name = service.name
        guard node.state == .running else {
            throw .state("node \(nodeName) is \(node.state.rawValue): start it first")
        }
        if [.kill, .reload, .freeze, .thaw].contains(verb), !isRunning(name, on: node) {
            throw .state("service \(nodeName)/\(name) is not running")
        }
        // Made before anything is stopped, since not every machine can.
        let namespace = try timeNamespace(clock)
        timeline.record(.control(verb, Target(node: nodeName, service: name)))
        func startAgain() {
            start(service, on: node, clock: clock, in: namespace, completion: completion)
        }
        switch verb {
        case .start: startAgain()
        case .stop: stop(name, on: node, request: .stop(service: name), completion: completion)
        case .kill: stop(name, on: node, request: .kill(service: name), completion: completion)
        case .reload:
            node.send(.reload(service: name))
            completion(.success(()))
        case .freeze, .thaw:
            setFrozen(verb == .freeze, service: name, on: node, completion: completion)
        case .restart:
            stop(name, on: node, request: .stop(service: name)) { result in
                guard case .success = result else { return completion(result) }
                startAgain()
            }
        }
    }

    func isRunning(_ service: String, on node: RunningNode) -> Bool {
        switch node.services[service]?.state {
        case .starting, .running, .ready, .stopping: true
        case .exited, .failed, nil: false
        }
    }

    private func start(
        _ service: Service, on node: RunningNode, clock: ClockOffset,
        in namespace: SharedDescriptor?,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        let target = Target(node: node.node.name, service: service.name)
        if isRunning(service.name, on: node) {
            guard clock == .none || clock == fabric.faults.clocks[target] else {
                return completion(
                    .failure(.state("service \(target) is running: restart it with its clock")))
            }
            return completion(.success(()))
        }
        let before = node.services[service.name]?.since
        node.send(
            .start(ServiceSpecification(service, of: node.node)),
            descriptors: namespace.map { [$0] } ?? [])
        note(clock, of: target)
        wait(
            until: { [unowned self, unowned node] in
                guard node.isAlive else {
                    return .failure(.failed("node \(node.node.name) is gone"))
                }
                // The state from before this start says nothing about it.
                if node.services[service.name]?.since == before { return nil }
                return isReady(service.name, on: node)
            }, completion: completion)
    }

    private func stop(
        _ service: String, on node: RunningNode, request: NodeRequest,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        if !isRunning(service, on: node) { return completion(.success(())) }
        node.send(request)
        wait(
            until: { [unowned self, unowned node] in
                node.isAlive && isRunning(service, on: node) ? nil : .success(())
            }, completion: completion)
    }

    // MARK: Nodes

    private func control(
        _ verb: ControlVerb, _ node: RunningNode,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) throws(LabError) {
        let name = node.node.name
        if verb == .reload {
            throw .state("a node cannot be reloaded: name a service of it, as \(name)/SERVICE")
        }
        if [.kill, .freeze, .thaw].contains(verb), !node.isAlive {
            throw .state("node \(name) is not running")
        }
        let time = MonotonicClock.now
        timeline.record(.control(verb, Target(node: name)), at: time, stamp: .origin)
        switch verb {
        case .start: start(node, completion: completion)
        case .stop: powerOff(node, completion: completion)
        case .kill: try cutPower(node, completion: completion)
        case .freeze, .thaw: setFrozen(verb == .freeze, node, completion: completion)
        case .reload: preconditionFailure("refused before")
        case .restart:
            powerOff(node) { [unowned self, unowned node] result in
                guard case .success = result else { return completion(result) }
                start(node, completion: completion)
            }
        }
    }

    private func start(
        _ node: RunningNode, completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        if node.isAlive { return completion(.success(())) }
        do {
            try boot(node)
        } catch {
            node.kill(as: .failed)
            return completion(.failure(error as? LabError ?? .machine("\(error)")))
        }
        wait(until: { [unowned self, unowned node] in isReady(node) }, completion: completion)
    }

    private func powerOff(
        _ node: RunningNode, completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        guard node.isAlive else { return completion(.success(())) }
        node.expectEnd(as: .stopped)
        cancelProbes(from: node.node.name, reason: "node \(node.node.name) is stopping")
        node.send(.powerOff)
        let process = node.process?.pid
        let timer = loop.schedule(after: Self.powerOffTimeout) { [unowned node] in
            if node.process?.pid == process { node.kill(as: .stopped) }
        }
        wait(until: { [unowned node] in node.isAlive ? nil : .success(()) }) {
            [unowned self] result in
            loop.cancel(timer)
            completion(result)
        }
    }

    // The switch port goes first, so that from the moment this returns nothing of the node is ever
    // answered, however long the kernel takes to bury it; then its first process, and with it every
    // other.
    private func cutPower(
        _ node: RunningNode, completion: @escaping (Result<Void, LabError>) -> Void
    ) throws(LabError) {
        cancelProbes(from: node.node.name, reason: "node \(node.node.name) was killed")
        do {
            try fabric.disconnect(node.node.name, pid: node.process?.pid)
        } catch {
            throw .machine("\(error)")
        }
        observer.disregard(node.node.name)
        node.kill()
        recordEnd(of: node)
        wait(until: { [unowned node] in node.isAlive ? nil : .success(()) }, completion: completion)
    }

    /// Puts on the timeline that a node has ended by itself. The kernel removes its network when it
    /// gets round to it, and answers for it until then: so its switch ports go first.
    func recordOwnEnd(of node: RunningNode) {
        do {
            try fabric.disconnect(node.node.name)
        } catch {
            StandardError.print("node \(node.node.name) is gone, not its switch ports: \(error)")
        }
        recordEnd(of: node)
    }
}
