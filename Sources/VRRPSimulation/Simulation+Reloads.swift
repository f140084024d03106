import NetworkTypes
import VRRP

// What a daemon is told while it runs: by its scripts, and by a file that somebody has edited.
extension Simulation {
    // MARK: Scripts

    /// A script begins to fail, or to succeed.
    mutating func changeScript(at node: Int) {
        let script = generator.number(below: Plan.scriptCount)
        nodes[node].areScriptsWell[script].toggle()
        note(
            "script s\(script) " + (nodes[node].areScriptsWell[script] ? "succeeds" : "fails"),
            node: node)
        tellScripts(node)
    }

    /// Scripts have run for the first time since the start.
    mutating func answer(_ node: Int) {
        guard nodes[node].isRunning, !nodes[node].isFrozen else {
            // They run when the process does.
            if nodes[node].isFrozen {
                queue.insert(
                    .answers(node: node),
                    at: now.advanced(byNanoseconds: plan.longestIntervalNanoseconds))
            }
            return
        }
        note("its scripts answer", node: node)
        tellScripts(node)
    }

    private mutating func tellScripts(_ node: Int) {
        for unit in plan.units.indices {
            let station = station(node: node, unit: unit)
            guard stations[station].isConfigured,
                plan.units[unit].weights.contains(where: { $0 != nil })
            else { continue }
            markDisturbed(election(ofStation: station))
            for index in members(node: node, unit: unit) {
                instances[index].hasAnswers = true
                instances[index].isHindered = isHindered(index, areAnswersKnown: true)
                for script in 0..<Plan.scriptCount { tell(script, at: index) }
                judgePriority(at: index)
            }
        }
    }

    private mutating func tell(_ script: Int, at index: Int) {
        let isWell = nodes[node(of: index)].areScriptsWell[script]
        for event in instances[index].tracking.update(
            .script("s\(script)"), isWell ? .well : .failing)
        {
            if case .priorityChanged(let priority) = event {
                instances[index].expected.change(
                    priority: priority, now: instances[index].clock.reading(at: now))
            }
            deliver(event, to: index)
        }
    }

    private mutating func judgePriority(at index: Int) {
        let right = weightedPriority(of: index)
        let priority = instances[index].router.priority
        // An owner may have given way to another owner.
        guard right != Advertisement.ownerPriority, priority != right else { return }
        report(.rightPriority, "has priority \(priority) and not \(right)", at: index)
    }

    /// What the manual says of weights: added while a script with a positive one is well, taken
    /// away while one with a negative one fails, within 1 and 254, and never for an owner.
    private func weightedPriority(of index: Int) -> UInt8 {
        let base = configuration(of: index).priority
        guard base != Advertisement.ownerPriority else { return base }
        var sum = Int(base)
        for (script, weight) in plan.units[unit(of: index)].weights.enumerated() {
            guard let weight else { continue }
            let isWell = nodes[node(of: index)].areScriptsWell[script]
            let sign = weight.isReversed ? -1 : 1
            if isWell == (weight.value > 0) { sum += sign * weight.value }
        }
        return UInt8(min(max(sum, 1), 254))
    }

    /// Whether a script without weight keeps the router from taking part, by its answer, or by not
    /// having answered yet.
    func isHindered(_ index: Int, areAnswersKnown: Bool) -> Bool {
        plan.units[unit(of: index)].weights.enumerated().contains { script, weight in
            guard let weight, weight.value == 0 else { return false }
            return !areAnswersKnown
                || nodes[node(of: index)].areScriptsWell[script] == weight.isReversed
        }
    }

    // MARK: Reloads

    /// SIGHUP: one of a machine's units is set up differently, taken out of the file, or is in it
    /// again.
    mutating func reload(_ node: Int) {
        let unit = generator.number(below: plan.units.count)
        let station = station(node: node, unit: unit)
        guard stations[station].isConfigured else {
            note("reloads, and has the virtual router again", node: node, unit: unit)
            stations[station].isConfigured = true
            return start(unit: unit, at: node)
        }
        if generator.chance(percent: 15) { return remove(unit: unit, at: node) }
        // Before, since one election may lose a router, and after, since another may get one.
        markDisturbed(election(ofStation: station))
        draw(station, unit: unit)
        markDisturbed(
            election(ofStation: station), until: max(now, stations[station].startupEnd))
        note("reloads: " + settings(station, unit: unit), node: node, unit: unit)
        let previous = stations[station].group?.state
        stations[station].group = nil
        stations[station].isChanging = true
        for index in members(node: node, unit: unit) { reload(instance: index) }
        makeGroup(unit: unit, at: node, previous: previous)
        stations[station].isChanging = false
        judgeAgreement(unit: unit, at: node)
    }

    /// What somebody has written into the file.
    private mutating func draw(_ station: Int, unit: Int) {
        if plan.dialectCount(unit: unit) > 1, generator.chance(percent: 50) {
            stations[station].dialect = 1 - stations[station].dialect
        }
        let index = members(node: station / plan.units.count, unit: unit).lowerBound
        let isOwner = configuration(of: index).priority == Advertisement.ownerPriority
        if !isOwner, generator.chance(percent: 40) {
            stations[station].priority = UInt8(generator.number(in: 1...254))
        }
        if generator.chance(percent: 30) {
            stations[station].preempts = generator.chance(percent: 50)
        }
    }

    private func settings(_ station: Int, unit: Int) -> String {
        let index = members(node: station / plan.units.count, unit: unit).lowerBound
        let configuration = configuration(of: index)
        let dialect =
            plan.virtualRouters[plan.units[unit].virtualRouters.lowerBound].dialects[
                stations[station].dialect]
        return "\(dialect.difference), priority \(configuration.priority)"
            + (configuration.preempts ? "" : ", nopreempt")
    }

    private mutating func reload(instance index: Int) {
        let configuration = configuration(of: index)
        instances[index].dialect = stations[station(of: index)].dialect
        let before = Set(instances[index].router.configuration.addresses)
        let events = instances[index].tracking.replace(
            with: weights(of: index, base: configuration.priority))
        // Scripts that have not answered yet count for nothing.
        instances[index].expected.reload(
            configuration,
            priority: instances[index].hasAnswers
                ? weightedPriority(of: index) : configuration.priority,
            now: instances[index].clock.reading(at: now))
        deliver(
            .reconfigured(
                VirtualRouter.Reconfiguration(
                    planted(configuration),
                    effectivePriority: instances[index].tracking.value,
                    addsAddresses: !before.isSuperset(of: configuration.addresses))),
            to: index)
        for event in events { deliver(event, to: index) }
    }

    private mutating func remove(unit: Int, at node: Int) {
        note("reloads, and has the virtual router no more", node: node, unit: unit)
        let station = station(node: node, unit: unit)
        markResigned(unit: unit, at: node)
        stations[station].group = nil
        stations[station].isChanging = true
        for index in members(node: node, unit: unit) {
            deliver(.deletion, to: index)
            instances[index].isConfigured = false
        }
        stations[station].isConfigured = false
        stations[station].isChanging = false
    }

    private mutating func note(_ text: String, node: Int, unit: Int) {
        for virtualRouter in plan.units[unit].virtualRouters {
            note(text, node: node, virtualRouter: virtualRouter)
        }
    }
}
