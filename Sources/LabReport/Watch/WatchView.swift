public import LabModel
import NetworkTypes

/// The live picture of a lab, `labctl watch`: events, keys and a size go in, lines and requests
/// come out.
///
/// A value without terminal and clock; whoever shows it reads keys, draws ``screen(now:)`` where it
/// has changed, and does what ``press(_:)`` asks for.
public struct WatchView: Sendable {
    /// The terminal's size in cells.
    public var size: WatchSize
    /// The characters that probes are drawn with.
    public var glyphs: Sparkline.Glyphs

    let lab: Lab
    let routers: [VirtualRouterFacts]
    var scene: WatchScene
    /// The place of the selected node in the lab's.
    private(set) var selection = 0
    /// The first node that is shown, where there is no room for all.
    private var firstNode = 0
    /// What was asked for last, and what came of it.
    var message: Message?

    /// What is said of a request.
    enum Message: Equatable, Sendable {
        case doing(String)
        case done(String)
        case failed(String)
    }

    /// A picture of a lab of which nothing has happened yet.
    public init(
        lab: Lab, routers: [VirtualRouterFacts], size: WatchSize,
        glyphs: Sparkline.Glyphs = .ascii
    ) {
        self.lab = lab
        self.routers = routers
        self.size = size
        self.glyphs = glyphs
        scene = WatchScene(lab, routers)
    }

    /// Takes an event of the timeline into account.
    public mutating func fold(_ event: TimelineEvent) { scene.fold(event) }

    /// The name of the selected node.
    public var selectedNode: String { lab.nodes[selection].name }

    /// Takes a key; what is to be done because of it, if anything.
    public mutating func press(_ key: WatchKey) -> WatchRequest? {
        switch key {
        case .up: selection = max(0, selection - 1)
        case .down: selection = min(lab.nodes.count - 1, selection + 1)
        case .first: selection = 0
        case .last: selection = lab.nodes.count - 1
        case .character("q"), .interrupt: return .quit
        case .character(let letter):
            guard let request = request(for: letter) else { return nil }
            message = .doing(request.description)
            return request
        }
        return nil
    }

    /// Says that a request is done, or why it cannot be.
    public mutating func note(_ request: WatchRequest, problem: String? = nil) {
        message =
            problem.map { .failed("\(request): \($0)") } ?? .done(request.description)
    }

    private func request(for letter: Character) -> WatchRequest? {
        let node = lab.nodes[selection]
        let target = Target(node: node.name)
        let endpoints = node.interfaces.map { Endpoint(node: node.name, interface: $0.name) }
        switch letter {
        case "k": return .control(.kill, target)
        case "s": return .control(.start, target)
        case "f": return .control(.freeze, target)
        case "t": return .control(.thaw, target)
        case "c": return endpoints.isEmpty ? nil : .faults(endpoints.map(Fault.linkDown))
        case "h": return endpoints.isEmpty ? nil : .faults(endpoints.map { .heal($0) })
        default: return nil
        }
    }

    /// The first node to show in `rows` rows, so that the selected one is among them; moves as
    /// little as it can.
    mutating func scrollNodes(toFit rows: Int) -> Int {
        firstNode = min(firstNode, selection)
        firstNode = max(firstNode, selection - max(rows, 1) + 1)
        firstNode = max(0, min(firstNode, lab.nodes.count - rows))
        return firstNode
    }
}

/// The size of a terminal, in cells.
public struct WatchSize: Equatable, Sendable {
    public var rows: Int
    public var columns: Int
    public init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }
}

/// A key, as far as anything happens at it.
public enum WatchKey: Equatable, Sendable {
    case up, down, first, last
    /// Control-C.
    case interrupt
    case character(Character)
}

/// What the user asks for.
public enum WatchRequest: Equatable, Sendable, CustomStringConvertible {
    case control(ControlVerb, Target)
    /// In this order.
    case faults([Fault])
    case quit

    public var description: String {
        switch self {
        case .control(let verb, let target): "\(verb.rawValue) \(target)"
        case .faults(let faults): faults.map(\.description).joined(separator: ", ")
        case .quit: "quit"
        }
    }
}
