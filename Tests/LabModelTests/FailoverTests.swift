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

    /// A master whose priority falls to 80 after its advertisement at 4600 ms, and what follows.
    private func demoted() -> [TimelineEvent] {
        func seen(_ milliseconds: Double, _ kind: TimelineEvent.Kind) -> TimelineEvent {
            TwoNodeRun.seen(milliseconds, kind)
        }
        return TwoNodeRun.events().prefix { $0.time < at(5000) } + [
            seen(5600, TwoNodeRun.advert("master", priority: 80)),
            seen(6600, TwoNodeRun.advert("master", priority: 80)),
            seen(7600, TwoNodeRun.advert("master", priority: 80)),
            seen(8214, TwoNodeRun.advert("backup", priority: 99)),
            seen(8215, TwoNodeRun.held("backup", true)),
            seen(8216, TwoNodeRun.held("master", false)),
        ]
    }

    @Test("a master that lives on with a lower priority: the timer from its last higher one")
    func outranked() throws {
        let told = try #require(Failover.last(in: demoted(), routers: TwoNodes.routers))
        #expect(told.outranked == at(4600) && told.ready == nil)
        #expect(told.parts.first?.name == .detect)
        #expect(told.parts.first?.begin == at(4600))
        // 3 x 1 s + 157/256 s.
        #expect(told.parts.first?.end == at(4600) + .milliseconds(3613) + .nanoseconds(281_250))
        #expect(
            told.paragraph(origin: at(0)).hasPrefix(
                "10.10.10.10 went from master to backup. master outranked backup for the last time "
                    + "at 4.600000 s. The timer of backup ran out at 8.213281 s, 3.613 s later;"))
    }

    @Test("an heir whose own priority has risen: the timer from the advertisement that fits")
    func risen() throws {
        var events = demoted().filter { $0.time < at(5000) }
        for milliseconds in [5600.0, 6600, 7600] {
            events.append(TwoNodeRun.seen(milliseconds, TwoNodeRun.advert("master", priority: 90)))
        }
        // Its web server is back, and with it its priority, at some time after 5600 ms.
        events.append(
            TwoNodeRun.seen(5900, .service(node: "backup", service: "httpd", .ready)))
        events += [
            TwoNodeRun.seen(9214, TwoNodeRun.advert("backup", priority: 99)),
            TwoNodeRun.seen(9215, TwoNodeRun.held("backup", true)),
            TwoNodeRun.seen(9216, TwoNodeRun.held("master", false)),
            TwoNodeRun.seen(8600, TwoNodeRun.advert("master", priority: 90)),
        ]
        let told = try #require(
            Failover.last(in: events.sorted { $0.time < $1.time }, routers: TwoNodes.routers))
        #expect(told.outranked == at(5600) && told.ready == nil)
        #expect(told.parts.first?.delay == .milliseconds(3613) + .nanoseconds(281_250))
    }

    @Test("an address that a node takes without a word ran out no timer")
    func byHand() throws {
        let events = demoted().filter { event in
            guard case .advertisement(let seen) = event.kind else { return true }
            return seen.node == "master"
        }
        let told = try #require(Failover.last(in: events, routers: TwoNodes.routers))
        #expect(told.timer == nil)
        #expect(!told.parts.contains { $0.name == .detect })
    }

    @Test(
        "what answers is told of a probe that asks by the address, and was not answered meanwhile",
        arguments: [
            ("http://10.10.10.10/", 5100, true), ("http://10.10.10.2/", 5100, false),
            ("http://10.20.0.1/", 5100, true), ("http://[2001:db8::1]/", 5100, false),
            ("http://10.10.10.10/", 8700, false),
        ])
    func served(_ url: String, lost milliseconds: Double, isTold: Bool) throws {
        var lab = TwoNodeRun.lab
        lab.networks[0].subnets = [IPPrefix("10.10.10.0/24")!]
        lab.scenarios[0].probes[0].request = .http(try #require(HTTPURL(url)))
        func answer(_ due: Double, _ outcome: ProbeResult.Outcome) -> TimelineEvent {
            TwoNodeRun.seen(
                due + 1, .probe(ProbeResult(probe: "web", due: at(due), outcome: outcome)))
        }
        let events =
            TwoNodeRun.events() + [
                answer(milliseconds, .failed("timed out")),
                answer(9000, .answered(status: 200, body: "")),
            ]
        let told = Failover.last(
            in: events.sorted { $0.time < $1.time }, of: lab, routers: TwoNodes.routers)
        #expect((told?.served == Failover.Moment(at(9001), "web")) == isTold)
        #expect((told?.served == nil) == !isTold)
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

    @Test("on a cable that loses frames, what the heir would have waited for longer was lost")
    func lossy() throws {
        var events = try recorded("killed-master-agent")
        let endpoint = Endpoint(node: "master", interface: InterfaceName("eth0")!)
        let cut = try #require(events.firstIndex { $0.kind.name == .control })
        let begin = events[cut].time
        events[cut].kind = .fault(
            .impair(endpoint, try #require(.parse("out loss gemodel 20% 20% only vrrp"))))
        events.removeAll { $0.kind == .node("master", .killed) }
        let heard = try #require(
            events.last {
                guard case .advertisement(let seen) = $0.kind else { return false }
                return seen.node == "master"
            })
        // It goes on every second, and none of that arrives.
        for second in 1...3 {
            var lost = heard
            lost.time = heard.time + .seconds(second)
            let place = events.firstIndex { $0.time > lost.time } ?? events.endIndex
            events.insert(lost, at: place)
        }
        #expect(heard.time < begin)
        let told = try #require(Failover.last(in: events, routers: [backup]))
        #expect(told.cause?.text == "impair master:eth0 out loss gemodel 20% 20% 100% 0% only vrrp")
        #expect(told.lastAdvertisement == heard.time)
        #expect(told.parts.first?.name == .detect)
        #expect(told.parts.first?.begin == heard.time)
    }

    @Test("without a change of owner there is none")
    func none() throws {
        let events = try recorded("killed-master-agent")
        let kill = try #require(events.firstIndex { $0.kind.name == .control })
        #expect(Failover.last(in: events[..<kill]) == nil)
        #expect(Failover.last(in: []) == nil)
    }

    @Test("a backup that was master beside the master for a moment had taken nothing over")
    func secondMaster() throws {
        var events = try recorded("killed-master-agent")
        let whole = try #require(Failover.last(in: events, routers: [backup]))
        let kill = try #require(events.firstIndex { $0.kind.name == .control })
        let added = try #require(
            events.last {
                $0.kind.name == .addressAdded && $0.kind.node == "backup"
            })
        guard case .addressAdded(let node, let interface, let address) = added.kind else { return }
        var begin = added
        begin.time = events[kill].time - .milliseconds(20)
        var end = begin
        end.time = begin.time + .milliseconds(1)
        end.kind = .addressRemoved(node: node, interface: interface, address: address)
        let place = try #require(events.firstIndex { $0.time > end.time })
        events.insert(contentsOf: [begin, end], at: place)
        #expect(Failover.last(in: events[..<(kill + 2)], routers: [backup]) == nil)
        let told = try #require(Failover.last(in: events, routers: [backup]))
        #expect([told.from, told.to] == ["master", "backup"])
        #expect(told.appeared == whole.appeared)
        #expect(told.cause == whole.cause)
        #expect(told.parts == whole.parts)
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
