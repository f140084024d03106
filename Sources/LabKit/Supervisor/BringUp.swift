import Glibc

/// In which order a lab's nodes come up: their first processes some way ahead of their links, so
/// that nodes build their file systems while links are made, and not so many at once that the one
/// who makes the links is one of hundreds who want a processor.
struct BringUp: Equatable {
    /// What is to be done next; a node is its number in the lab.
    enum Step: Equatable {
        case startFirstProcess(Int)
        case plugIn(Int)
    }

    /// So many for each processor keep it busy, whatever one of them waits for.
    private static let bootingForEachProcessor = 4

    /// The limit for this machine.
    static var maximumBooting: Int {
        max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1) * bootingForEachProcessor
    }

    private let count: Int
    private let maximumBooting: Int
    private var booting: Set<Int> = []
    /// So many of the first nodes have been started.
    private(set) var started = 0
    /// So many of the first nodes have their links.
    private(set) var pluggedIn = 0

    /// - Parameters:
    ///   - count: of the lab's nodes.
    ///   - maximumBooting: of those that build their file systems at once.
    init(count: Int, maximumBooting: Int) {
        precondition(maximumBooting > 0, "somebody must begin")
        self.count = count
        self.maximumBooting = maximumBooting
    }

    /// Whether all nodes have their links.
    var hasPluggedInAll: Bool { pluggedIn == count }

    /// The next step, which counts as done; nil when there is none before another node has
    /// settled, or none at all.
    mutating func next() -> Step? {
        if started < count, booting.count < maximumBooting {
            booting.insert(started)
            started += 1
            return .startFirstProcess(started - 1)
        }
        guard pluggedIn < started else { return nil }
        pluggedIn += 1
        return .plugIn(pluggedIn - 1)
    }

    /// A node has its file system, or has ended without.
    mutating func settle(_ node: Int) { booting.remove(node) }
}
