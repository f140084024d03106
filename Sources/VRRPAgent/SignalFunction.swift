import CLinux
import Glibc

/// What the daemon does on a signal: keepalived's functions, by keepalived's numbers.
///
/// Scripts that ended are noticed by pidfd, not by SIGCHLD; SIGPIPE stays blocked, so that a write
/// to a pipe without a reader is an error of that write.
enum SignalFunction: String, CaseIterable {
    /// Farewell to all and end; SIGINT does the same.
    case stop = "STOP"
    /// Read the configuration again.
    case reload = "RELOAD"
    /// Write keepalived.data.
    case dumpState = "DATA"
    /// Write keepalived.stats.
    case dumpStatistics = "STATS"
    /// Write keepalived.stats, then count from 0.
    case clearStatistics = "STATS_CLEAR"
    /// Write keepalived.json.
    case dumpJSON = "JSON"

    /// Its signal: what `--signum` prints.
    var number: Int32 {
        switch self {
        case .stop: SIGTERM
        case .reload: SIGHUP
        case .dumpState: SIGUSR1
        case .dumpStatistics: SIGUSR2
        case .clearStatistics: 63  // SIGRTMAX - 1
        case .dumpJSON: clinux_sigrtmin() + 2
        }
    }

    /// The function of a signal; nil for a signal that means nothing here.
    init?(signal: Int32) {
        if signal == SIGINT {
            self = .stop
        } else if let function = Self.allCases.first(where: { $0.number == signal }) {
            self = function
        } else {
            return nil
        }
    }

    /// What a `SignalDescriptor` is made for.
    static var signals: [Int32] { [SIGINT] + allCases.map(\.number) }

    /// What to do, and in which order, about signals that have arrived together: several of one
    /// kind are one, dumps show what was before anything changes, and an end makes a reload
    /// pointless.
    static func functions(of signals: [Int32]) -> [SignalFunction] {
        let asked = Set(signals.compactMap(SignalFunction.init(signal:)))
        let order: [SignalFunction] = [
            .dumpState, .dumpStatistics, .dumpJSON, .clearStatistics, .reload, .stop,
        ]
        return order.filter { asked.contains($0) && !($0 == .reload && asked.contains(.stop)) }
    }
}
