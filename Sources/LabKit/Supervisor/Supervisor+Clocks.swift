import LabModel
import LinuxSystem
import NetworkTypes

// Services whose clocks are off.

extension Supervisor {
    /// The time namespace that a service is to be started in; nil for the machine's own clocks.
    ///
    /// Made here, where the capability for it is: a node has given it up (``Capabilities``).
    ///
    /// - Throws: ``LabError/state(_:)`` for a clock that would be before zero,
    ///   ``LabError/machine(_:)`` where the kernel makes no such namespace.
    func timeNamespace(_ clock: ClockOffset) throws(LabError) -> SharedDescriptor? {
        guard clock != .none else { return nil }
        let now = MonotonicClock.now.nanoseconds
        guard clock.duration.wholeNanoseconds > -now else {
            throw .state(
                "clock \(clock) is before the start of this machine, "
                    + "\(Duration.nanoseconds(now).text) ago: clocks begin at zero")
        }
        do {
            return try TimeNamespace.make(ahead: clock.duration)
        } catch {
            throw .machine("\(error); \(Self.clockRemedy)")
        }
    }

    /// What is needed for clocks that are off.
    static let clockRemedy = "clocks of services need Linux 5.6 with CONFIG_TIME_NS"

    /// Notes with which clock a service has been started.
    func note(_ clock: ClockOffset, of target: Target) {
        guard clock != fabric.faults.clocks[target] ?? .none else { return }
        fabric.faults.apply(.clock(target, clock))
        timeline.record(.fault(.clock(target, clock)))
    }

    /// Notes that nothing runs any more on a node.
    func forgetClocks(of node: String) {
        for target in fabric.faults.clocks.keys.sorted(by: { $0.description < $1.description })
        where target.node == node {
            note(.none, of: target)
        }
    }

    /// A moment that a service has read on its own clock, on the machine's.
    func machineTime(_ time: MonotonicInstant, of target: Target) -> MonotonicInstant {
        time - (fabric.faults.clocks[target]?.duration ?? .zero)
    }
}
