import KeepalivedConf
import NetworkTypes

/// `interface_up_down_delays`, as a value: how long a change of an interface's state must last to
/// count.
///
/// A state that comes back before its time is up has never changed.
struct LinkDelays: Equatable {
    private struct Entry: Equatable {
        var delay: InterfaceDelay
        /// What counts.
        var isUp: Bool
        /// When the opposite counts; nil while nothing is under way.
        var due: MonotonicInstant?
    }

    private var entries: [InterfaceName: Entry] = [:]

    /// - Parameter isUp: how the interfaces are at the start, which counts at once.
    init(_ delays: [InterfaceDelay], isUp: (InterfaceName) -> Bool) {
        for delay in delays {
            entries[delay.interface] = Entry(delay: delay, isUp: isUp(delay.interface), due: nil)
        }
    }

    /// When `due(at:)` has something; nil while nothing is under way.
    var deadline: MonotonicInstant? { entries.values.compactMap(\.due).min() }

    /// Whether an interface counts as up; nil for one without a delay, which counts as it is.
    func isUp(_ name: InterfaceName) -> Bool? { entries[name]?.isUp }

    /// Takes how an interface is now.
    mutating func update(_ name: InterfaceName, isUp: Bool, now: MonotonicInstant) {
        guard let entry = entries[name] else { return }
        guard isUp != entry.isUp else {
            entries[name]?.due = nil
            return
        }
        let delay = isUp ? entry.delay.up : entry.delay.down
        if delay == .zero {
            entries[name]?.isUp = isUp
            entries[name]?.due = nil
        } else if entry.due == nil {
            entries[name]?.due = now + delay
        }
    }

    /// Lets those changes count that have lasted long enough, and says of which interfaces.
    mutating func due(at now: MonotonicInstant) -> [InterfaceName] {
        let names = entries.filter { $0.value.due.map { $0 <= now } ?? false }.keys.sorted()
        for name in names {
            entries[name]?.isUp.toggle()
            entries[name]?.due = nil
        }
        return names
    }
}
