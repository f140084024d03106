import Foundation
import LabModel
import NetworkTypes
import Testing

/// Timelines of `Labs/fast-failover` as they were recorded, without routes and frames.
@Suite("The last failover, told in its parts")
struct FailoverTests {
    private func recorded(_ name: String) throws -> [TimelineEvent] {
        let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let text = try String(contentsOfFile: "\(folder)/Fixtures/\(name).jsonl", encoding: .utf8)
        return try text.split(separator: "\n").map {
            try JSONDecoder().decode(TimelineEvent.self, from: Data($0.utf8))
        }
    }

    private func time(_ nanoseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: nanoseconds)
    }

    private var backup: VirtualRouterFacts {
        VirtualRouterFacts(
            node: "backup", service: "vrrp", instance: "VI_1", interface: "eth0", version: 3,
            vrid: 51, priority: 99, advertisementInterval: .milliseconds(100), preempts: true,
            addresses: [TwoNodes.vip])
    }

    @Test("a killed master: the timer from its last advertisement, to the first request answered")
    func killed() throws {
        let events = try recorded("killed-master-agent")
        let told = try #require(Failover.last(in: events, routers: [backup]))
        #expect([told.from, told.to] == ["master", "backup"])
        #expect(told.address == TwoNodes.vip && told.vrid == 51)
        #expect(told.cause == .init(time(27_709_817_035_172), "kill master"))
        #expect(told.lastAdvertisement == time(27_709_755_872_981))
        #expect(told.resignation == nil && told.ready == nil)
        // 3 x 100 ms + 157/256 x 100 ms.
        #expect(told.timer == time(27_709_755_872_981 + 361_328_125))
        #expect(told.firstAdvertisement == time(27_710_121_795_704))
        #expect(told.appeared == time(27_710_122_927_712))
        #expect(told.announced == time(27_710_122_457_028))
        #expect(told.relearned == .init(time(27_710_122_927_712), "client"))
        #expect(told.served == .init(time(27_710_134_431_308), "web"))
        #expect(told.parts.map(\.name) == [.detect, .elect, .announce, .relearn, .serve])
        #expect(zip(told.parts, told.parts.dropFirst()).allSatisfy { $0.end == $1.begin })
        #expect(told.parts[0].theory.arithmetic == "3 x 100 ms + 157/256 x 100 ms")
        #expect(told.parts[1].delay == .nanoseconds(4_594_598))
        #expect(told.total == .nanoseconds(27_710_134_431_308 - 27_709_755_872_981))
        #expect(
            told.paragraph(origin: events[0].time)
                == "10.10.10.10 went from master to backup. At 0.563110 s: kill master."
                + " The last advertisement of master was seen at 0.501948 s, 61.2 ms before."
                + " The timer of backup ran out at 0.863276 s, 361 ms later; theory has 361 ms"
                + " (3 x 100 ms + 157/256 x 100 ms)."
                + " backup sent its first advertisement at 0.867870 s, 4.59 ms later."
                + " The first announcement of 10.10.10.10 left backup at 0.868532 s, 661 us later."
                + " The address was configured on backup at 0.869002 s, 471 us later."
                + " The neighbour entry of client pointed to backup at 0.869002 s, 0 s later."
                + " The first request of web was answered at 0.880506 s, 11.5 ms later."
                + " In all 379 ms: detect 361 ms, elect 4.59 ms, announce 1.13 ms, relearn 0 s,"
                + " serve 11.5 ms.")
    }

    @Test("a stopped master resigns, and the skew time is all there is to wait for")
    func stopped() throws {
        let told = try #require(
            Failover.last(in: try recorded("stopped-master-keepalived"), routers: [backup]))
        #expect(told.cause?.text == "stop master/vrrp")
        #expect(told.resignation == time(27_725_036_108_930))
        #expect(told.parts[0].begin == time(27_725_036_108_930))
        #expect(told.parts[0].theory.arithmetic == "157/256 x 100 ms")
        #expect(told.parts[0].delay == .nanoseconds(61_328_125))
        #expect(told.firstAdvertisement == time(27_725_097_761_381))
        #expect(told.served == nil)
        #expect(told.parts.map(\.name) == [.detect, .elect, .announce, .relearn])
    }

    @Test("a better router that returns takes over from a living master, counted from readiness")
    func returned() throws {
        let told = try #require(Failover.last(in: try recorded("returned-master-keepalived")))
        #expect([told.from, told.to] == ["backup", "master"])
        #expect(told.cause?.text == "start master/vrrp")
        #expect(told.ready == time(27_727_692_143_791))
        #expect(told.parts[0].begin == told.ready)
        // Without the configuration: what its advertisements say.
        #expect(told.parts[0].theory.arithmetic == "3 x 100 ms + 156/256 x 100 ms")
        // It was earlier than its own readiness allows for; then the timer is when it acted.
        #expect(told.timer == told.firstAdvertisement)
        #expect(told.parts[1].delay == .zero)
    }

    @Test("a better router whose cable or power of speech returns is counted from that moment")
    func mended() throws {
        let recorded = try recorded("returned-master-keepalived")
        let ready = time(27_727_692_143_791)
        let index = try #require(recorded.lastIndex { $0.time == ready })
        func told(_ kind: TimelineEvent.Kind) -> MonotonicInstant? {
            var events = recorded
            events[index].kind = kind
            return Failover.last(in: events)?.ready
        }
        let endpoint = Endpoint(node: "master", interface: InterfaceName("eth0")!)
        let other = Endpoint(node: "backup", interface: InterfaceName("eth0")!)
        func link(_ node: String, _ hasCarrier: Bool) -> TimelineEvent.Kind {
            .link(node: node, interface: "eth0", isUp: true, hasCarrier: hasCarrier)
        }
        let counting: [TimelineEvent.Kind] = [
            link("master", true), .control(.thaw, Target(node: "master", service: nil)),
            .fault(.linkUp(endpoint)), .fault(.heal(endpoint)), .fault(.heal(nil)),
        ]
        #expect(counting.allSatisfy { told($0) == ready })
        let idle: [TimelineEvent.Kind] = [
            link("master", false), link("backup", true), .fault(.linkUp(other)),
            .fault(.linkDown(endpoint)),
        ]
        #expect(idle.allSatisfy { told($0) != ready })
    }

    @Test("a master cut off goes on advertising, but nobody hears it")
    func cutOff() throws {
        var events = try recorded("killed-master-agent")
        // As if its cable had been pulled where it was killed, and a port still had heard it.
        let endpoint = Endpoint(node: "master", interface: InterfaceName("eth0")!)
        let cut = try #require(events.firstIndex { $0.kind.name == .control })
        let killed = events[cut].time
        events[cut].kind = .fault(.blackhole(endpoint, .both))
        events.removeAll { $0.kind == .node("master", .killed) }
        let last = try #require(
            events.last {
                guard case .advertisement(let seen) = $0.kind else { return false }
                return seen.node == "master"
            })
        var unheard = last
        unheard.time = killed + .milliseconds(100)
        let place = try #require(events.firstIndex { $0.time > unheard.time })
        events.insert(unheard, at: place)
        let told = try #require(Failover.last(in: events, routers: [backup]))
        #expect(told.cause?.text == "link master:eth0 blackhole")
        #expect(told.lastAdvertisement == last.time)
    }

    @Test("without a change of owner there is none")
    func none() throws {
        let events = try recorded("killed-master-agent")
        let kill = try #require(events.firstIndex { $0.kind.name == .control })
        #expect(Failover.last(in: events[..<kill]) == nil)
        #expect(Failover.last(in: []) == nil)
    }

    @Test("nothing on the timeline that could be the cause is told as such")
    func unknownCause() throws {
        let events = try recorded("killed-master-agent").filter {
            $0.kind.name != .control && $0.kind.name != .service
        }
        let told = try #require(Failover.last(in: events, routers: [backup]))
        #expect(told.cause == nil)
        #expect(
            told.paragraph(origin: .zero).contains(
                "Nothing was done to either that the timeline shows."))
    }

    @Test("its JSON has every moment and part in nanoseconds")
    func json() throws {
        let told = try #require(
            Failover.last(in: try recorded("killed-master-agent"), routers: [backup]))
        var line = JSONLine()
        line.append(told)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.bytes)) as? [String: Any])
        #expect(object["from"] as? String == "master")
        #expect(object["appeared"] as? Int64 == 27_710_122_927_712)
        #expect((object["cause"] as? [String: Any])?["text"] as? String == "kill master")
        let parts = try #require(object["parts"] as? [[String: Any]])
        #expect(
            parts.map { $0["part"] as? String } == [
                "detect", "elect", "announce", "relearn", "serve",
            ])
        #expect(parts[0]["theory"] as? Int64 == 361_328_125)
        #expect(parts[0]["arithmetic"] as? String == "3 x 100 ms + 157/256 x 100 ms")
        #expect(parts[1]["arithmetic"] == nil)
    }
}
