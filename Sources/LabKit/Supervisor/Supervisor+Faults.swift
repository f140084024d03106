import LabModel
import LinuxSystem
import NetworkTypes
import NodeProtocol

// What `link`, `plug`, `impair`, `partition`, `cut`, `imposter`, `limit`, `heal`, `freeze` and
// `thaw` do, from the command line and in scenarios.

extension Supervisor {
    /// How long a node may take to stand still: as long as the kernel keeps one of its processes.
    static let freezePatience: Duration = .seconds(5)
    /// How long a node may take to see that its carrier is gone, until its cable is plugged in
    /// elsewhere all the same.
    static let carrierPatience: Duration = .seconds(1)

    /// Breaks or mends something in the network.
    ///
    /// The timeline bears it at the moment it is applied; `completion` is called when it is done:
    /// when ports that are up again deliver frames, and what stood still goes on.
    ///
    /// - Parameter duration: after how long it is taken back, unless something else has done so.
    func apply(
        _ fault: Fault, lasting duration: Duration? = nil,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        let fault = order.lab.normalized(fault)
        do throws(LabError) {
            try require(fault)
        } catch {
            return completion(.failure(error))
        }
        if let prepare = preparation(for: fault) {
            return prepare { [unowned self] result in
                switch result {
                case .success: apply(fault, lasting: duration, completion: completion)
                case .failure: completion(result)
                }
            }
        }
        // What came before it stands before it on the timeline.
        observer.catchUp()
        var downBefore = fabric.plan.ports.filter { fabric.isDown($0) }
        let time = MonotonicClock.now
        do {
            try carryOut(fault)
        } catch {
            return completion(.failure(LabError(refusal: error)))
        }
        timeline.record(.fault(fault), at: time, stamp: .origin)
        var isThawing = false
        if case .heal(nil) = fault {
            isThawing = true
            thawAll { [unowned self] in
                isThawing = false
                reconsiderSoon()
            }
        }
        if let duration { takeBack(fault, at: time + duration) }
        flaps.note(fault, at: time)
        observer.catchUp()
        downBefore.removeAll { fabric.isDown($0) && !fabric.moving.contains($0.endpoint) }
        let moving = fabric.plan.ports.filter { fabric.moving.contains($0.endpoint) }
        let mended = downBefore + moving.filter { !downBefore.contains($0) }
        updateCarriers { [unowned self] wired in
            if case .failure = wired { takeBack(fault) }
            endMove(of: moving) { [unowned self] moved in
                guard case .success = wired else { return completion(wired) }
                guard case .success = moved else { return completion(moved) }
                wait(
                    until: { [unowned self] in
                        guard !isThawing else { return nil }
                        return mended.allSatisfy { fabric.isDown($0) || deliversOrCannot($0) }
                            ? .success(()) : nil
                    }, completion: completion)
            }
        }
    }

    /// - Throws: ``LabError`` when the lab has not what it is about, or this machine cannot do it.
    private func require(_ fault: Fault) throws(LabError) {
        if let problem = fault.problem(in: order.lab) ?? impostureProblem(of: fault) {
            throw .state(problem)
        }
        if case .limit(_, let limits) = fault { try limiter.require(limits) }
        if case .impair(_, let impairment) = fault, impairment.path == .netem {
            do {
                try Fabric.tryNetem()
            } catch {
                throw .machine("\(fault): \(error)")
            }
        }
    }

    /// What makes what a fault needs before it is there; nil where nothing is missing.
    private func preparation(
        for fault: Fault
    ) -> ((@escaping (Result<Void, LabError>) -> Void) -> Void)? {
        if case .impair(let endpoint, _) = fault, fabric.splices[endpoint] == nil {
            return { [unowned self] in prepare(endpoint, completion: $0) }
        }
        guard let network = lacksStand(for: fault) else { return nil }
        return { [unowned self] in prepareStand(on: network, completion: $0) }
    }

    /// Does it to nodes and switches, or to neither.
    private func carryOut(_ fault: Fault) throws {
        var next = fabric.faults
        next.apply(fault)
        do {
            try limiter.bring(to: next.limits)
            try fabric.apply(fault)
        } catch {
            do {
                try limiter.bring(to: fabric.faults.limits)
            } catch {
                StandardError.print("\(fault) is not taken back: \(error)")
            }
            throw error
        }
    }

    /// Brings relay and imposters into line with what is broken.
    private func updateCarriers(completion: @escaping (Result<Void, LabError>) -> Void) {
        wires.update { [unowned self] result in
            guard case .success = result else { return completion(result) }
            updateImposters(completion: completion)
        }
    }

    /// Takes a fault back when its time is over, unless something else has done so.
    private func takeBack(_ fault: Fault, at time: MonotonicInstant) {
        guard let ending = fault.ending else { return }
        loop.schedule(at: time) { [unowned self] in
            guard fabric.faults.holds(fault) else { return }
            apply(ending) { result in
                guard case .failure(let error) = result else { return }
                StandardError.print("\(fault) is not taken back: \(error)")
            }
        }
    }

    /// Notes that a cable has come up for the last time.
    func endFlap(of endpoint: Endpoint) {
        apply(.linkUp(endpoint)) { result in
            guard case .failure(let error) = result else { return }
            StandardError.print("link \(endpoint) is not up again: \(error)")
        }
    }

    /// Lets cables come up in the switches that they have been put into, once their nodes know that
    /// they were out: a carrier that goes and comes within one look of the kernel
    /// (net/core/link_watch.c) is no change for anybody.
    private func endMove(
        of ports: [DeploymentPlan.Port], completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        guard !ports.isEmpty else { return completion(.success(())) }
        let deadline = MonotonicClock.now + Self.carrierPatience
        let listener = timeline.addListener { [unowned self] event in
            if case .link = event.kind { reconsiderSoon() }
        }
        let timer = loop.schedule(at: deadline) { [unowned self] in reconsider() }
        wait(until: { [unowned self] in
            ports.allSatisfy(hasNoCarrier) || MonotonicClock.now >= deadline ? .success(()) : nil
        }) { [unowned self] _ in
            timeline.removeListener(listener)
            loop.cancel(timer)
            do {
                try fabric.endMoves(of: Set(ports.map(\.endpoint)))
                observer.catchUp()
                completion(.success(()))
            } catch {
                completion(.failure(LabError(refusal: error)))
            }
        }
    }

    /// Whether the node at a port's other end sees no carrier; also where there is none that could.
    private func hasNoCarrier(_ port: DeploymentPlan.Port) -> Bool {
        guard let node = nodesByName[port.node], node.isAlive,
            let interface = observer.interfaces(of: port.node)[port.interfaceIndex]
        else { return true }
        return !interface.hasCarrier
    }

    /// Takes back what cannot be carried out: without a relay nothing passes a cable at all, and an
    /// imposter that does nothing is none.
    private func takeBack(_ fault: Fault) {
        switch fault {
        case .impair, .imposter: break
        case .linkDown, .blackhole, .flap, .linkUp, .plug, .unplug, .partition, .cut, .limit,
            .clock,
            .heal:
            return
        }
        guard let ending = fault.ending, fabric.faults.holds(fault) else { return }
        do {
            try fabric.apply(ending)
            timeline.record(.fault(ending))
            updateCarriers { _ in }
        } catch {
            StandardError.print("\(fault) is not taken back: \(error)")
        }
    }

    /// Makes what an impaired cable needs, before anything is done to its frames.
    private func prepare(
        _ endpoint: Endpoint, completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        do {
            let index = try fabric.prepareSplice(for: endpoint)
            wait(
                until: { [unowned self] in
                    observer.operationalPorts.contains(index) ? .success(()) : nil
                }, completion: completion)
        } catch {
            completion(.failure(LabError(refusal: error)))
        }
    }

    /// Whether a port that is up delivers frames; one whose other end is down, or not there, never
    /// will.
    private func deliversOrCannot(_ port: DeploymentPlan.Port) -> Bool {
        if observer.operationalPorts.contains(port.index) { return true }
        guard let node = nodesByName[port.node], node.isAlive,
            node.state == .running
        else { return true }
        return observer.interfaces(of: port.node)[port.interfaceIndex]?.isUp != true
    }

    /// Lets a service stand still, or go on.
    func setFrozen(
        _ isFrozen: Bool, service name: String, on node: RunningNode,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        node.send(.freeze(service: name, isFrozen))
        wait(
            until: { [unowned self, unowned node] in
                guard node.isAlive, isRunning(name, on: node) else {
                    return .failure(.failed("service \(node.node.name)/\(name) has ended"))
                }
                return node.services[name]?.isFrozen == isFrozen ? .success(()) : nil
            }, completion: completion)
    }

    /// Lets a node stand still, or go on: by its control group, where it has one; else its first
    /// process stops all others.
    func setFrozen(
        _ isFrozen: Bool, _ node: RunningNode,
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        let name = node.node.name
        let end = "node \(name) has ended"
        guard let freezer, freezer.has(name) else {
            node.send(.freeze(service: nil, isFrozen))
            return wait(
                until: { [unowned node] in
                    guard node.isAlive else { return .failure(.failed(end)) }
                    return node.isFrozen == isFrozen ? .success(()) : nil
                }, completion: completion)
        }
        do {
            let events = try freezer.openEvents(of: name)
            try freezer.set(name, isFrozen: isFrozen)
            node.isFrozen = isFrozen
            // Something of it may be in the kernel's hands for a moment.
            let deadline = MonotonicClock.now + Self.freezePatience
            try loop.add(events.rawValue, Freezer.changed) { [unowned self] _ in
                if Freezer.isFrozen(events) == isFrozen { reconsiderSoon() }
            }
            let timer = loop.schedule(at: deadline) { [unowned self] in reconsiderSoon() }
            wait(until: { [unowned node] in
                if Freezer.isFrozen(events) == isFrozen { return .success(()) }
                guard node.isAlive else { return .failure(.failed(end)) }
                return MonotonicClock.now < deadline
                    ? nil : .failure(.failed("node \(name) does not stand still"))
            }) { [unowned self] result in
                loop.cancel(timer)
                loop.remove(events.rawValue)
                events.close()
                completion(result)
            }
        } catch {
            completion(.failure(LabError(refusal: error)))
        }
    }
}
