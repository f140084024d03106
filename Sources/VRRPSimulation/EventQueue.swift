import NetworkTypes

/// What will happen, soonest first; what is to happen at the same time happens in the order in
/// which it was put in, so that nothing depends on how a heap is built.
struct EventQueue {
    /// Something that happens. Numbers are indices into the simulation's arrays.
    enum Occurrence {
        /// A router's deadline may have come.
        case wake(instance: Int32)
        /// A packet reaches a node.
        case arrival(packet: Int32, node: Int32)
        /// A virtual router on a part of the network has had the time to converge.
        case audit(group: Int32)
        /// A machine starts.
        case start(node: Int32)
        /// A disturbance, of whatever kind the dice say.
        case disturbance
        /// Somebody sends a packet that every router must refuse.
        case forgery
        /// Trouble and quiet take turns.
        case phase
    }

    struct Entry {
        var instant: MonotonicInstant
        var order: UInt64
        var occurrence: Occurrence

        func isBefore(_ other: Entry) -> Bool {
            instant.nanoseconds != other.instant.nanoseconds
                ? instant.nanoseconds < other.instant.nanoseconds : order < other.order
        }
    }

    /// A binary heap: each entry is before those at twice its index plus one and plus two.
    private var entries: [Entry] = []
    private var order: UInt64 = 0

    mutating func insert(_ occurrence: Occurrence, at instant: MonotonicInstant) {
        order += 1
        entries.append(Entry(instant: instant, order: order, occurrence: occurrence))
        var index = entries.count - 1
        let entry = entries[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.isBefore(entries[parent]) else { break }
            entries[index] = entries[parent]
            index = parent
        }
        entries[index] = entry
    }

    mutating func removeFirst() -> Entry? {
        guard let last = entries.popLast() else { return nil }
        guard let first = entries.first else { return last }
        var index = 0
        while case let left = 2 * index + 1, left < entries.count {
            let right = left + 1
            let child =
                right < entries.count && entries[right].isBefore(entries[left]) ? right : left
            guard entries[child].isBefore(last) else { break }
            entries[index] = entries[child]
            index = child
        }
        entries[index] = last
        return first
    }
}
