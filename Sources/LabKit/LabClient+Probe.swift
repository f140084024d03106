import Glibc
public import LabModel
public import NetworkTypes

extension LabClient {
    /// Asks from a node at a fixed rate, as a scenario's probe does, until enough is known,
    /// `interrupt` is readable, the lab is taken down, or nobody reads standard output any more.
    ///
    /// Results are on the timeline, too: under the probe's name, with a number behind it where a
    /// scenario or another client has a probe of that name.
    ///
    /// - Parameters:
    ///   - interrupt: a descriptor.
    ///   - onResult: gets each result and when it came, in the order in which requests ended;
    ///     whether to go on.
    /// - Throws: ``LabError/state(_:)`` when there is no such node.
    public func probe(
        _ probe: Probe, until interrupt: CInt,
        onResult: (ProbeResult, MonotonicInstant) -> Bool
    ) throws(LabError) {
        let connection = try ControlConnection(directory)
        try connection.send(.probe(probe))
        while true {
            switch try connection.next(unless: [interrupt, STDOUT_FILENO]) {
            case .ended, .other: return
            case .reply(.event(let event)):
                guard case .probe(let result) = event.kind else { throw connection.unexpected }
                if !onResult(result, event.time) { return }
            case .reply: throw connection.unexpected
            }
        }
    }
}
