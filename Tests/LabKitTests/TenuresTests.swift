import LabModel
import Testing

@testable import LabKit

@Suite("What is done to nodes and services for a time")
struct TenuresTests {
    private let node = Target(node: "a")
    private let web = Target(node: "a", service: "web")

    @Test("a deed holds until something else is done to the same")
    func succession() {
        var tenures = Tenures()
        let first = tenures.begin(.freeze, node)
        let other = tenures.begin(.freeze, Target(node: "b"))
        #expect(tenures.holds(first) && tenures.holds(other))
        let second = tenures.begin(.thaw, node)
        #expect(!tenures.holds(first) && tenures.holds(second) && tenures.holds(other))
    }

    @Test("what is done to a node ends what was done to its services, unless it only stands still")
    func services() {
        for verb in [ControlVerb.kill, .stop, .start, .restart] {
            var tenures = Tenures()
            let stopped = tenures.begin(.stop, web)
            _ = tenures.begin(verb, node)
            #expect(!tenures.holds(stopped), "\(verb)")
        }
        for verb in [ControlVerb.freeze, .thaw] {
            var tenures = Tenures()
            let stopped = tenures.begin(.stop, web)
            let frozen = tenures.begin(verb, node)
            #expect(tenures.holds(stopped) && tenures.holds(frozen), "\(verb)")
        }
        var tenures = Tenures()
        let frozen = tenures.begin(.freeze, node)
        _ = tenures.begin(.kill, web)
        #expect(tenures.holds(frozen))
    }

    private typealias NodeView = Tenures.NodeView
    private typealias ServiceView = Tenures.ServiceView

    private static let running = NodeView(isAlive: true, isStopping: false, isFrozen: false)
    private static let frozen = NodeView(isAlive: true, isStopping: false, isFrozen: true)
    private static let stopping = NodeView(isAlive: true, isStopping: true, isFrozen: false)
    private static let down = NodeView(isAlive: false, isStopping: false, isFrozen: false)

    @Test("of a node: thawed while it is frozen, started when it is down")
    func nodes() {
        let expected: [(ControlVerb, [Tenures.End])] = [
            (.freeze, [.over, .due, .over, .over]), (.stop, [.over, .over, .later, .due]),
            (.kill, [.over, .over, .later, .due]), (.start, [.over, .over, .over, .over]),
        ]
        for (verb, ends) in expected {
            let seen = [Self.running, Self.frozen, Self.stopping, Self.down].map {
                Tenures.end(of: verb, node: $0, service: nil)
            }
            #expect(seen == ends, "\(verb)")
        }
    }

    @Test("of a service: not while its node is frozen, and never when that is down")
    func ofServices() {
        let running = ServiceView(isRunning: true, isStopping: false, isFrozen: false)
        let frozen = ServiceView(isRunning: true, isStopping: false, isFrozen: true)
        let stopping = ServiceView(isRunning: true, isStopping: true, isFrozen: false)
        let down = ServiceView(isRunning: false, isStopping: false, isFrozen: false)
        func ends(_ verb: ControlVerb, _ node: NodeView) -> [Tenures.End] {
            [running, frozen, stopping, down].map {
                Tenures.end(of: verb, node: node, service: $0)
            }
        }
        #expect(ends(.freeze, Self.running) == [.over, .due, .over, .over])
        #expect(ends(.freeze, Self.frozen) == [.over, .later, .over, .over])
        for verb in [ControlVerb.stop, .kill] {
            #expect(ends(verb, Self.running) == [.over, .over, .later, .due])
            #expect(ends(verb, Self.frozen) == [.over, .over, .later, .later])
        }
        for verb in [ControlVerb.freeze, .stop, .kill] {
            for node in [Self.down, Self.stopping] {
                #expect(ends(verb, node) == [.over, .over, .over, .over])
            }
        }
    }
}
