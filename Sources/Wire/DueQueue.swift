public import NetworkTypes

/// What is to be done at set times: a heap that keeps the order among those with the same time.
///
/// Jitter may make the time of a frame earlier than that of one before it, which it then overtakes,
/// as in netem's queue. The storage grows with what waits and is the caller's to bound.
public struct DueQueue<Element> {
    @usableFromInline
    struct Entry {
        @usableFromInline var due: MonotonicInstant
        /// Which of all that were ever put in.
        @usableFromInline var number: UInt64
        @usableFromInline var element: Element

        @inlinable
        init(due: MonotonicInstant, number: UInt64, element: Element) {
            self.due = due
            self.number = number
            self.element = element
        }

        @inlinable
        func precedes(_ other: Entry) -> Bool {
            due == other.due ? number < other.number : due < other.due
        }
    }

    @usableFromInline var entries: [Entry] = []
    @usableFromInline var nextNumber: UInt64 = 0

    /// An empty queue.
    public init() {}

    /// How many wait.
    @inlinable public var count: Int { entries.count }
    /// Whether none waits.
    @inlinable public var isEmpty: Bool { entries.isEmpty }
    /// When the first is due; nil when none waits.
    @inlinable public var nextDue: MonotonicInstant? { entries.first?.due }

    /// Puts one in, behind those with the same time.
    @inlinable
    public mutating func insert(_ element: Element, due: MonotonicInstant) {
        let entry = Entry(due: due, number: nextNumber, element: element)
        nextNumber += 1
        entries.append(entry)
        var place = entries.count - 1
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry.precedes(entries[parent]) else { break }
            entries[place] = entries[parent]
            place = parent
        }
        entries[place] = entry
    }

    /// Takes the first out when it is due at `now`; nil when none is.
    @inlinable
    public mutating func popDue(at now: MonotonicInstant) -> (Element, due: MonotonicInstant)? {
        guard let first = entries.first, first.due <= now else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty { sink(last, from: 0) }
        return (first.element, first.due)
    }

    /// Takes all those out that are meant; the order of the others stays.
    public mutating func removeAll(where isMeant: (Element) -> Bool) {
        entries.removeAll { isMeant($0.element) }
        for place in stride(from: entries.count / 2 - 1, through: 0, by: -1) {
            sink(entries[place], from: place)
        }
    }

    /// Puts an entry where it belongs, at a place or below it.
    @inlinable
    mutating func sink(_ entry: Entry, from start: Int) {
        var place = start
        while true {
            var child = 2 * place + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].precedes(entries[child]) { child += 1 }
            guard entries[child].precedes(entry) else { break }
            entries[place] = entries[child]
            place = child
        }
        entries[place] = entry
    }
}
