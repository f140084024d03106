import LabModel

/// What was done to nodes and services for a time, and whether it is still to be taken back: only
/// as long as nobody has done anything else to them.
struct Tenures {
    /// One deed at a node or service.
    struct Tenure: Equatable {
        fileprivate var number: Int
        let verb: ControlVerb
        let target: Target
    }

    private var last: [Target: Int] = [:]
    private var count = 0

    /// Notes a deed. It ends those before it at the same node or service, and, when it is done to a
    /// node that then runs no longer as it did, those at its services.
    mutating func begin(_ verb: ControlVerb, _ target: Target) -> Tenure {
        count += 1
        if target.service == nil, verb != .freeze, verb != .thaw {
            last = last.filter { $0.key.node != target.node }
        }
        last[target] = count
        return Tenure(number: count, verb: verb, target: target)
    }

    /// Whether it is the last deed there.
    func holds(_ tenure: Tenure) -> Bool { last[tenure.target] == tenure.number }

    /// What the end of a deed has come to when its time is over.
    enum End: Equatable {
        /// It is to be taken back now.
        case due
        /// It is to be taken back when what stands in the way is over: the node is frozen, or what
        /// is stopping has not ended.
        case later
        /// It is so no longer, by itself or by somebody else.
        case over
    }

    /// What is known of a node.
    struct NodeView: Equatable {
        var isAlive: Bool
        /// Whether it is on its way down.
        var isStopping: Bool
        var isFrozen: Bool
    }

    /// What is known of a service; nil of a node.
    struct ServiceView: Equatable {
        var isRunning: Bool
        var isStopping: Bool
        var isFrozen: Bool
    }

    /// Decides what is to come of a deed whose time is over.
    static func end(of verb: ControlVerb, node: NodeView, service: ServiceView?) -> End {
        guard let service else {
            switch verb {
            case .freeze: return node.isAlive && node.isFrozen ? .due : .over
            case .stop, .kill:
                guard node.isAlive else { return .due }
                return node.isStopping ? .later : .over
            case .start, .restart, .reload, .thaw: return .over
            }
        }
        // What starts with a node is the node's own business.
        guard node.isAlive, !node.isStopping else { return .over }
        switch verb {
        case .freeze:
            guard service.isRunning, service.isFrozen else { return .over }
            return node.isFrozen ? .later : .due
        case .stop, .kill:
            if service.isRunning { return service.isStopping ? .later : .over }
            return node.isFrozen ? .later : .due
        case .start, .restart, .reload, .thaw: return .over
        }
    }
}
