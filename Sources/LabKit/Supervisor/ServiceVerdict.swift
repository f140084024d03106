import LabModel
import NetworkTypes

/// Whether a service that has been started has come up: what `up` and `start` wait for.
enum ServiceVerdict: Equatable {
    /// Nothing can be said before something changes.
    case undecided
    /// Nothing can be said before that moment, unless something changes.
    case undecidedUntil(MonotonicInstant)
    /// It is ready, or has done what it is there for.
    case up
    /// It is not, and why: the end of a sentence that begins with its name.
    case failed(String)

    /// How long a program that has no way to say that it is ready must have lived to count as
    /// ready, and how long an end waits for the report that explains it. Enough for a shell that
    /// does not find its command, too little for anybody to notice.
    static let settlingTime: Duration = .milliseconds(100)
    /// How long an end waits for the restart that the service's policy promises: longer than the
    /// longest wait before one.
    static let restartTime: Duration = .seconds(6)

    /// Judges a service by its last reported state and when it came into it.
    ///
    /// - Parameter acceptsEnd: whether its end is no failure to come up: somebody wants it down.
    init(
        _ service: Service, _ state: TimelineEvent.ServiceState?, since: MonotonicInstant,
        now: MonotonicInstant, acceptsEnd: Bool = false
    ) {
        // Like systemd's Type=oneshot, a command is done when it has ended with status 0.
        let mayEnd = service.kind == .command && service.readiness ?? .started == .started
        switch state {
        case nil, .starting, .running, .stopping: self = .undecided
        case .failed(let reason): self = .failed(": \(reason)")
        case .ready:
            let settled = since + (mayEnd ? Self.settlingTime : .zero)
            self = now < settled ? .undecidedUntil(settled) : .up
        case .exited where acceptsEnd: self = .up
        case .exited(.status(0)) where mayEnd && service.restart != .always: self = .up
        case .exited(let reason):
            let isRestarted =
                switch service.restart {
                case .no: false
                case .onFailure: reason != .status(0)
                case .always: true
                }
            let settled = since + (isRestarted ? Self.restartTime : Self.settlingTime)
            self = now < settled ? .undecidedUntil(settled) : .failed(" ended with \(reason)")
        }
    }
}
