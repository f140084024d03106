import NetworkTypes

/// What will happen, soonest first; what is to happen at the same time happens in the order in
/// which it was put in, so that nothing depends on how a heap is built.
struct EventQueue {
    /// Something that happens. Numbers are indices into the simulation's arrays.
    enum Occurrence: Equatable {
        /// A router's deadline may have come.
        case wake(instance: Int)
        /// A packet reaches a node.
        case arrival(packet: Int, node: Int)
        /// A unit on a part of the network has had the time to converge.
        case audit(election: Int)
        /// A machine starts.
        case start(node: Int)
        /// The scripts of a machine answer.
        case answers(node: Int)
        /// A stalled process goes on.
        case thaw(node: Int)
        /// A disturbance, of whatever kind the dice say.
        case disturbance
        /// Somebody sends a packet that every router must refuse.
        case forgery
        /// Trouble and quiet take turns.
        case phase
    }

    /// A binary heap of keys, each before those at twice its index plus one and plus two. A key is
    /// the instant, then the order, then the occurrence, from the highest bit on, so that one
    /// comparison of numbers decides, and an entry is sixteen octets.
    private var keys: [UInt128] = []
    private var order: UInt32 = 0

    mutating func insert(_ occurrence: Occurrence, at instant: MonotonicInstant) {
        order += 1
        let key =
            UInt128(truncatingIfNeeded: instant.nanoseconds) << 64 | UInt128(order) << 32
            | UInt128(occurrence.number)
        keys.append(key)
        rise(key, from: keys.count - 1)
    }

    /// The next occurrence and its time.
    mutating func removeFirst() -> (instant: MonotonicInstant, occurrence: Occurrence)? {
        guard let last = keys.popLast() else { return nil }
        var first = last
        if !keys.isEmpty {
            first = keys[0]
            // The hole sinks to the bottom, and the last key, which is nearly always late, rises
            // from there: half the comparisons of letting it sink.
            var hole = 0
            while case let right = 2 * hole + 2, right < keys.count {
                let child = keys[right] < keys[right - 1] ? right : right - 1
                keys[hole] = keys[child]
                hole = child
            }
            if 2 * hole + 1 < keys.count {
                keys[hole] = keys[2 * hole + 1]
                hole = 2 * hole + 1
            }
            rise(last, from: hole)
        }
        return (
            MonotonicInstant(nanoseconds: Int64(truncatingIfNeeded: first >> 64)),
            Occurrence(number: UInt32(truncatingIfNeeded: first))
        )
    }

    private mutating func rise(_ key: UInt128, from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard key < keys[parent] else { break }
            keys[index] = keys[parent]
            index = parent
        }
        keys[index] = key
    }
}

extension EventQueue.Occurrence {
    /// Bits for what it is, for a node, and for a packet or the like.
    private static let kindBits: UInt32 = 4
    private static let nodeBits: UInt32 = 6

    /// The occurrence as a number, which `init(number:)` reads.
    fileprivate var number: UInt32 {
        let (kind, node, index): (UInt32, Int, Int) =
            switch self {
            case .wake(let instance): (0, 0, instance)
            case .arrival(let packet, let node): (1, node, packet)
            case .audit(let election): (2, 0, election)
            case .start(let node): (3, node, 0)
            case .answers(let node): (4, node, 0)
            case .thaw(let node): (5, node, 0)
            case .disturbance: (6, 0, 0)
            case .forgery: (7, 0, 0)
            case .phase: (8, 0, 0)
            }
        return kind | UInt32(node) << Self.kindBits
            | UInt32(index) << (Self.kindBits + Self.nodeBits)
    }

    fileprivate init(number: UInt32) {
        let node = Int(number >> Self.kindBits & (1 << Self.nodeBits - 1))
        let index = Int(number >> (Self.kindBits + Self.nodeBits))
        self =
            switch number & (1 << Self.kindBits - 1) {
            case 0: .wake(instance: index)
            case 1: .arrival(packet: index, node: node)
            case 2: .audit(election: index)
            case 3: .start(node: node)
            case 4: .answers(node: node)
            case 5: .thaw(node: node)
            case 6: .disturbance
            case 7: .forgery
            default: .phase
            }
    }
}
