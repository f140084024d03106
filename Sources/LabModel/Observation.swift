import NetworkTypes

/// What the timeline has shown so far, as far as expectations and their bounds ask for it.
struct Observation: Sendable {
    var ownership = Ownership()
    var services = ServiceLog()
    var stalls = StallLog()
    /// One meter for each of the scenario's probes, by name.
    var meters: [String: OutageMeter] = [:]

    init(probes: [Probe]) {
        for probe in probes { meters[probe.name] = OutageMeter(interval: probe.interval) }
    }

    /// Takes an event into account; whether it can change what an expectation sees.
    mutating func fold(_ event: TimelineEvent) -> Bool {
        if case .probe(let result) = event.kind {
            guard let probe = result.probe, meters[probe] != nil else { return false }
            meters[probe]?.record(result, ended: event.time)
            return true
        }
        let ownersChanged = ownership.fold(event)
        let servicesChanged = services.fold(event)
        return stalls.fold(event) || servicesChanged || ownersChanged
    }
}
