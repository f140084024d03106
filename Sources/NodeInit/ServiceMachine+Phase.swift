import CLinux
import Glibc
import NodeProtocol

extension ServiceMachine {
    /// Where it is, in systemd's words.
    var phase: UnitReport.Phase {
        switch state {
        case .down(let last): isForgiven || last?.isCleanEnd ?? true ? .inactive : .failed
        case .launching, .starting, .forked: .activating
        case .running: .active
        case .stopping: .deactivating
        case .waiting: .restarting
        case .failed: isForgiven ? .inactive : .failed
        }
    }
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
