import CLinux
import Glibc
import NodeProtocol

extension ServiceMachine {
    /// Where it is, in systemd's words.
    var phase: UnitReport.Phase {
        switch state {
        case .down where isForgiven: .inactive
        case .down(let last): !hasOutlivedStop && last?.isCleanEnd ?? true ? .inactive : .failed
        case .launching, .starting, .forked: .activating
        case .running: .active
        case .stopping: .deactivating
        case .waiting: .restarting
        case .failed: isForgiven ? .inactive : .failed
        }
    }

    /// Why it has failed, where that is not how its process ended.
    var failure: String? {
        switch state {
        case .failed(let reason) where !isForgiven: return reason
        case .down where hasOutlivedStop && !isForgiven:
            let milliseconds = specification.stopTimeoutNanoseconds / 1_000_000
            return "\(UnitReport.notStopped) after \(milliseconds) ms"
        default: return nil
        }
    }
}

extension UnitReport {
    /// How the reasons begin of failures that are systemd's timeouts.
    static let notReady = "not ready"
    static let notStopped = "not stopped"
}

extension NodeReport.ServiceState {
    /// The signals that a daemon may be ended by without having failed (systemd.service(5),
    /// SuccessExitStatus=).
    private static let cleanSignals: Set<Int32> = [SIGHUP, SIGINT, SIGTERM, SIGPIPE]

    /// Whether it is an end that is no failure.
    fileprivate var isCleanEnd: Bool {
        switch self {
        case .exited(let status): status == 0
        case .signalled(let signal): Self.cleanSignals.contains(signal)
        case .failed: false
        case .running, .ready, .stopping: true
        }
    }
}
