import FoundationEssentials
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

/// One life of many pairs of routers side by side in one lab: they elect a master; its power is
/// cut; it comes back; the daemon of whoever is master then is stopped.
struct InteropRun: Sendable {
    let cells: [InteropCell]
    /// The timeline, in order.
    private(set) var events: [TimelineEvent] = []
    /// When all masters were elected and known.
    private(set) var elected = MonotonicInstant.zero
    /// What tcpdump printed on the clients, by node.
    private(set) var captures: [String: String] = [:]
    /// The clients' neighbour entries of the virtual addresses, by node: with the first master, and
    /// with the second.
    private(set) var neighbours: [String: [String]] = [:]
    /// What the daemons printed, by node.
    private(set) var logs: [String: [String]] = [:]

    /// An advertisement of a cell's node.
    struct Advertisement: Sendable {
        var node: String
        var family: IPAddress.Family
        var priority: Int
        var time: MonotonicInstant
    }

    /// The advertisements of a cell, in one family, in order.
    func advertisements(of cell: InteropCell, _ family: IPAddress.Family) -> [Advertisement] {
        events.compactMap { event in
            guard case .advertisement(let seen) = event.kind, seen.source.family == family,
                seen.node == cell.masterNode || seen.node == cell.backupNode
            else { return nil }
            return Advertisement(
                node: seen.node, family: family, priority: seen.priority, time: event.time)
        }
    }

    /// When a verb was applied to a cell's node or service; nil if it never was.
    func time(of verb: ControlVerb, _ target: String) -> MonotonicInstant? {
        events.first { event in
            if case .control(verb, let seen) = event.kind {
                seen.description == target
            } else {
                false
            }
        }?.time
    }

    /// Who is master of a cell when its power has come back.
    static func holderAfterReturn(_ cell: InteropCell) -> String {
        cell.form.preempts ? cell.masterNode : cell.backupNode
    }

    /// Lives the life.
    static func record(_ name: String, _ cells: [InteropCell]) throws -> InteropRun {
        var yaml = "networks:\n" + cells.map(\.network).joined()
        yaml += "nodes:\n" + cells.map(\.nodes).joined()
        let lab = try LabUnderTest(
            name, yaml, files: cells.map(\.files).reduce(into: [:]) { $0.merge($1) { $1 } })
        try lab.up()
        let timeline = try WatchedTimeline(of: lab)
        var run = InteropRun(cells: cells)
        try timeline.awaitMasters("the masters are elected", cells, since: .zero) {
            $0.masterNode
        }
        let late = cells.filter { !$0.form.preempts }
        try lab.applyAtOnce("start", late.map { "\($0.backupNode)/vrrp" })
        run.elected = timeline.lastTime
        try run.askAroundAsClient(lab) { $0.masterNode }

        let kills = MonotonicClock.now
        try lab.applyAtOnce("kill", cells.map(\.masterNode))
        try timeline.awaitMasters("the backups take over", cells, since: kills) {
            $0.backupNode
        }
        try run.askAroundAsClient(lab) { $0.backupNode }

        let starts = MonotonicClock.now
        try lab.applyAtOnce("start", cells.map(\.masterNode))
        try timeline.awaitMasters(
            "the masters come back", cells, since: starts, holderAfterReturn)

        let stops = MonotonicClock.now
        try lab.applyAtOnce("stop", cells.map { "\(holderAfterReturn($0))/vrrp" })
        try timeline.awaitMasters("the backups take over again", cells, since: stops) {
            $0.other(holderAfterReturn($0))
        }
        try run.readLogs(lab)
        run.events = timeline.finish()
        try lab.down()
        return run
    }

    /// Reaches the virtual addresses from the clients and notes whose MAC address they have there.
    ///
    /// First the holder gets to know the client: where it has to ask for the client's MAC address,
    /// it asks as the virtual address from the interface below, and so teaches the client that
    /// one's.
    private mutating func askAroundAsClient(
        _ lab: LabUnderTest, holder: (InteropCell) -> String
    ) throws {
        for cell in cells where cell.form.isVirtualMAC {
            let address = try #require(cell.virtualAddresses.last)
            let own = cell.address(of: holder(cell), address.family)
            let entry = try lab.shell(
                cell.clientNode,
                """
                set -e
                ping -c 1 -W 2 -q \(own) >/dev/null
                ip neigh flush to \(address)
                ping -c 1 -W 2 -q \(address) >/dev/null
                ip neigh show \(address)
                """)
            neighbours[cell.clientNode, default: []].append(entry)
        }
    }

    private mutating func readLogs(_ lab: LabUnderTest) throws {
        func log(_ service: String) throws -> String {
            let result = try Labctl.run("logs", "-l", lab.name, service)
            #expect(result.status == 0, "\(result.errors)")
            return result.output
        }
        for cell in cells {
            for node in [cell.masterNode, cell.backupNode] {
                logs[node] = try log("\(node)/vrrp").split(separator: "\n").map(String.init)
            }
            if cell.form.isVirtualMAC {
                captures[cell.clientNode] = try log("\(cell.clientNode)/watch")
            }
        }
    }
}

/// The timeline of a lab that is up, as it grows.
final class WatchedTimeline {
    private let follower: RunningProgram
    private(set) var events: [TimelineEvent] = []
    private(set) var ownership = Ownership()
    private var lastAdvertisements: [String: [IPAddress.Family: MonotonicInstant]] = [:]

    init(of lab: LabUnderTest) throws {
        follower = try Labctl.start(["events", "-l", lab.name, "--follow", "--format", "json"])
    }

    /// Whether a node has advertised itself as master since then.
    func hasHeard(
        _ node: String, _ family: IPAddress.Family, since time: MonotonicInstant
    ) -> Bool {
        lastAdvertisements[node]?[family].map { $0 > time } ?? false
    }

    /// When the last event so far happened.
    var lastTime: MonotonicInstant { events.last?.time ?? .zero }

    /// Waits until what has been seen so far is as wanted.
    func await(
        _ what: String, within patience: Duration = .seconds(30), _ holds: () throws -> Bool
    ) throws {
        let deadline = MonotonicClock.now + patience
        while !(try holds()) {
            let rest = max(deadline - MonotonicClock.now, .zero)
            guard let line = try? follower.nextLine(within: rest) else {
                throw NodeUnderTest.TimedOut(description: "it never came true that \(what)")
            }
            let event = try JSONDecoder().decode(TimelineEvent.self, from: Data(line.utf8))
            events.append(event)
            ownership.fold(event)
            if case .advertisement(let seen) = event.kind, seen.priority > 0 {
                lastAdvertisements[seen.node, default: [:]][seen.source.family] = event.time
            }
        }
    }

    /// Waits until each cell's addresses are on that one node and no other, and it has advertised
    /// itself since then in every family.
    func awaitMasters(
        _ what: String, _ cells: [InteropCell], since time: MonotonicInstant,
        _ node: (InteropCell) -> String
    ) throws {
        var waiting: [InteropCell] = cells
        do {
            try self.await(what) {
                waiting = waiting.filter { cell in
                    !cell.virtualAddresses.allSatisfy {
                        ownership.holders(of: $0) == [node(cell)]
                            && hasHeard(node(cell), $0.family, since: time)
                    }
                }
                return waiting.isEmpty
            }
        } catch let error as NodeUnderTest.TimedOut {
            let pending = waiting.map { cell in
                let holders = cell.virtualAddresses.map { "\($0): \(ownership.holders(of: $0))" }
                return "\(cell.number), \(cell.testDescription): \(holders)"
            }
            throw NodeUnderTest.TimedOut(description: "\(error.description): \(pending)")
        }
    }

    /// All events, in order: as they arrive they are almost so, since frames carry the kernel's
    /// stamp.
    func finish() -> [TimelineEvent] { events.sorted { $0.time < $1.time } }
}

extension LabUnderTest {
    /// Applies a verb to several nodes or services, all at once; it must succeed.
    func applyAtOnce(_ verb: String, _ targets: [String]) throws {
        let verbs = try targets.map { try Labctl.start([verb, "-l", name, $0]) }
        for running in verbs {
            let result = try running.finish()
            try #require(result.status == 0, "\(verb): \(result.errors)")
        }
    }
}
