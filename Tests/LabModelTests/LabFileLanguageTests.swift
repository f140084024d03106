import NetworkTypes
import Testing

@testable import LabModel

/// The language of scenarios, read from a lab file that uses all of it.
@Suite("lab file: the language of scenarios")
struct LabFileLanguageTests {
    static let yaml = """
        name: t
        needs: ip_vs
        networks: { lan: { subnet: 10.0.0.0/24 } }
        nodes:
          a:
            interfaces: { eth0: { network: lan } }
            services: { web: { kind: http }, postfix: { kind: smtp } }
          b: { interfaces: { eth0: { network: lan } } }
        links: [ { endpoints: [ "a:eth1", "b:eth1" ], addresses: [ [], [] ] } ]
        scenarios:
          all:
            summary: all there is
            needs: [ cgroup2, keepalived ]
            probes:
              web: { from: b, http: "http://10.0.0.100/" }
              ssh: { from: b, tcp: "10.0.0.100:22", keep: open, every: 1ms }
              dns: { from: b, udp: "[fd00::1]:53" }
              echo: { from: b, ping: 10.0.0.100 }
              who: { from: b, arp: 10.0.0.100 }
            checks:
              - one-owner: 10.0.0.100
              - one-owner: { vip: 10.0.0.100, overlap: 0ms }
              - owned: { vip: 10.0.0.100, gap: 4s }
              - adverts: { router: VI_1, gap: 1.1s }
              - dead-are-silent: true
              - priority: { of: a, from: 80, to: 100 }
              - no-duplicate-address: true
              - survives: ssh
            steps:
              - reload: a/web
              - freeze: a
              - thaw: a
              - link: { port: "a:eth0", state: down }
              - link: { port: "a:eth1", state: blackhole, direction: in }
              - link: { port: "a:eth0", state: up }
              - { link: { port: "a:eth0", state: flap, period: 1s, duty: 20%, count: 3 }, for: 9s }
              - plug: { port: "a:eth0", network: lan }
              - plug: "a:eth0"
              - unplug: "a:eth0"
              - partition: [ [ a ], b ]
              - partition: { isolate: b, network: lan }
              - cut: { from: a, to: [ b ] }
              - cut: none
              - { impair: a:eth0 out delay 10ms 1ms only vrrp seed 7, for: 2s }
              - imposter: lan advert vrid 51 auth secret
              - heal: all
              - heal: b:eth0
              - exec: { on: a, command: "cat /etc/motd", output: hello }
              - exec: { on: a, command: "ip a", output: { contains: eth0 } }
              - exec: { on: a, command: "uname -r", output: { matches: "^[0-9]+" } }
              - edit: { a: { /etc/motd: { text: "bye\\n" } } }
              - parallel: [ { stop: a }, { kill: b, at: advert(a) }, { wait: 1s } ]
              - { kill: a, at: "advert(a) + 300ms" }
              - { heal: all, at: state(b) = MASTER }
              - { kill: a, at: "frame(arp, 10.0.0.100)" }
              - { kill: a, at: vip(10.0.0.100) on b }
              - expect: { state: MASTER, on: b, router: VI_1, for: 1s }
              - expect: { state: BACKUP, on: [ a, b ] }
              - expect: { http: "http://10.0.0.100/", from: b, status: 503 }
              - expect: { tcp: "10.0.0.100:22", from: b, outcome: refused, within: 1s }
              - expect: { udp: "10.0.0.100:53", from: b }
              - expect: { ping: 10.0.0.100, from: b, outcome: timed-out }
              - expect: { arp: 10.0.0.100, from: b, outcome: ok }
              - expect: { log: a/web, contains: ready }
              - expect: { log: a/web, matches: "^GET" }
              - expect: { mail: a/postfix }
              - expect: { mail: a/postfix, to: root, contains: MASTER, within: 2s }
              - expect: { sequence: [ vip on b, garp from b ], within: 5ms }
              - expect: { latency: web, p50: 2ms, p999: 20ms, max: 1s }
              - expect: { outage: web, at-least: 600ms, at-most: 1s }
              - expect: { neighbour: 10.0.0.100, of: a, is: b }
              - expect: { adverts: { from: a, priority: 0 }, count: 1 }
              - expect: { adverts: , at-least: 2, at-most: 3, for: 2s }
              - expect: { ip: addr show dev eth0, on: a, path: "[0].addr_info[-1].local", equals: 10.0.0.1 }
            cleanup:
              - heal: all
              - start: a
            sweep: { over: 0ms..0.9s, by: 100ms }
        """

    private func scenarios() throws -> [Scenario] {
        let decoding = decode(Self.yaml)
        #expect(decoding.diagnostics == [])
        return try #require(decoding.lab).scenarios
    }

    @Test("every acting step")
    func steps() throws {
        let scenario = try #require(try scenarios().first)
        let eth0 = Endpoint.parse("a:eth0")!
        let motd = NodeFile(path: "/etc/motd", contents: Array("bye\n".utf8))
        let a = Target(node: "a")
        let expected: [Step.Action] = [
            .control(.reload, Target(node: "a", service: "web")), .control(.freeze, a),
            .control(.thaw, a), .fault(.linkDown(eth0)),
            .fault(.blackhole(Endpoint.parse("a:eth1")!, .in)), .fault(.linkUp(eth0)),
            .fault(.flap(eth0, Flap(period: .seconds(1), dutyPercent: 20, count: 3))),
            .fault(.plug(eth0, InterfaceName("lan")!)), .fault(.plug(eth0, nil)),
            .fault(.unplug(eth0)), .fault(.partition([["a"], ["b"]])),
            .fault(.partition([["b"], ["a"]])),
            .fault(.cut(from: ["a"], to: ["b"])), .fault(.cut(from: [], to: [])),
            .fault(.impair(eth0, .parse("out delay 10ms 1ms only vrrp seed 7")!)),
            .fault(.imposter(InterfaceName("lan")!, .parse("advert vrid 51 auth secret")!)),
            .fault(.heal(nil)), .fault(.heal(Endpoint.parse("b:eth0")!)),
            .execute(node: "a", command: ["cat", "/etc/motd"], output: .equals("hello")),
            .execute(node: "a", command: ["ip", "a"], output: .contains("eth0")),
            .execute(node: "a", command: ["uname", "-r"], output: .matches("^[0-9]+")),
            .edit([Scenario.FileOverride(node: "a", file: motd)]),
        ]
        #expect(Array(scenario.steps.prefix(expected.count).map(\.action)) == expected)
        guard case .parallel(let parts) = scenario.steps[expected.count].action else {
            Issue.record("no parallel")
            return
        }
        #expect(
            parts.map(\.action) == [
                .control(.stop, a), .control(.kill, Target(node: "b")), .wait(.seconds(1)),
            ])
        #expect(scenario.cleanup.map(\.action) == [.fault(.heal(nil)), .control(.start, a)])
        #expect(scenario.needs == [.cgroup2, .keepalived])
        #expect(scenario.steps.compactMap(\.lasting) == [.seconds(9), .seconds(2)])
    }

    @Test("every trigger")
    func triggers() throws {
        let scenario = try #require(try scenarios().first)
        let vip = IPAddress("10.0.0.100")!
        #expect(
            scenario.steps.compactMap(\.trigger) == [
                Trigger(.advert(AdvertPattern(from: "a")), offset: .milliseconds(300)),
                Trigger(.state(.master, router: nil, on: "b")),
                Trigger(.frame(.arp, vip, from: nil)), Trigger(.addressAppears(vip, on: "b")),
            ])
    }

    @Test("what a lab needs as a whole")
    func needs() {
        #expect(decode(Self.yaml).lab?.needs == [.ipvs])
    }

    @Test("every expectation")
    func expectations() throws {
        let scenario = try #require(try scenarios().first)
        let vip = IPAddress("10.0.0.100")!
        let web = Target(node: "a", service: "web")
        let ssh = TransportAddress(vip, port: 22)
        let expected: [LabModel.Expectation] = [
            LabModel.Expectation(
                .state(.master, router: "VI_1", nodes: ["b"]), holding: .seconds(1)),
            LabModel.Expectation(.state(.backup, router: nil, nodes: ["a", "b"])),
            LabModel.Expectation(.answer(.http(HTTPURL(address: vip)), from: "b", .status(503))),
            LabModel.Expectation(.answer(.tcp(ssh), from: "b", .refused), within: .seconds(1)),
            LabModel.Expectation(.answer(.udp(TransportAddress(vip, port: 53)), from: "b", .ok)),
            LabModel.Expectation(.answer(.ping(vip), from: "b", .timedOut)),
            LabModel.Expectation(.answer(.arp(vip), from: "b", .ok)),
            LabModel.Expectation(.log(web, .contains("ready"))),
            LabModel.Expectation(.log(web, .matches("^GET"))),
            LabModel.Expectation(.mail(Target(node: "a", service: "postfix"), MailPattern())),
            LabModel.Expectation(
                .mail(
                    Target(node: "a", service: "postfix"),
                    MailPattern(to: "root", subject: .contains("MASTER"))), within: .seconds(2)),
            LabModel.Expectation(
                .sequence([.addressAppears(nil, on: "b"), .announcement(nil, from: "b")]),
                within: .milliseconds(5)),
            LabModel.Expectation(
                .latency(
                    probe: "web",
                    [
                        LatencyLimit(percentile: 50, atMost: .milliseconds(2)),
                        LatencyLimit(percentile: 99.9, atMost: .milliseconds(20)),
                        LatencyLimit(percentile: 100, atMost: .seconds(1)),
                    ])),
            LabModel.Expectation(
                .outage(probe: "web", atLeast: .milliseconds(600), atMost: .seconds(1))),
            LabModel.Expectation(.neighbour(vip, of: "a", isAt: "b")),
            LabModel.Expectation(
                .adverts(
                    AdvertPattern(from: "a", priority: 0), CountRange(atLeast: 1, atMost: 1))),
            LabModel.Expectation(
                .adverts(AdvertPattern(), CountRange(atLeast: 2, atMost: 3)),
                holding: .seconds(2)),
            LabModel.Expectation(
                .inspect(
                    node: "a", arguments: ["addr", "show", "dev", "eth0"],
                    path: ValuePath.parse("[0].addr_info[-1].local")!, equals: "10.0.0.1")),
        ]
        let found = scenario.steps.compactMap { step -> LabModel.Expectation? in
            if case .expect(let expectation) = step.action { expectation } else { nil }
        }
        #expect(found == expected)
    }

    @Test("every probe and every check")
    func probesAndChecks() throws {
        let scenario = try #require(try scenarios().first)
        let vip = IPAddress("10.0.0.100")!
        #expect(
            scenario.probes.map(\.request) == [
                .http(HTTPURL(address: vip)), .tcp(TransportAddress(vip, port: 22)),
                .udp(TransportAddress(IPAddress("fd00::1")!, port: 53)), .ping(vip), .arp(vip),
            ])
        #expect(scenario.probes.map(\.keepsOpen) == [false, true, false, false, false])
        #expect(
            scenario.checks.map(\.rule) == [
                .oneOwner(vip, overlap: .milliseconds(50)), .oneOwner(vip, overlap: .zero),
                .owned(vip, gap: .seconds(4)),
                .advertised(router: "VI_1", gap: .milliseconds(1100)), .deadAreSilent,
                .priority(node: "a", 80...100), .noDuplicateAddress, .survives(probe: "ssh"),
            ])
    }

    @Test("an outage that has to be longer than it may be is a mistake")
    func impossibleOutage() {
        let band = "at-least: 600ms, at-most: 1s"
        let wrong = decode(Self.yaml.replacing(band, with: "at-least: 2s, at-most: 1s"))
        #expect(wrong.lab == nil)
        #expect(wrong.diagnostics.count == 1)
        #expect(
            wrong.diagnostics.first?.message.hasSuffix("is more than its 'at-most'") == true)
    }

    @Test("a sweep stands for numbered runs, the phase added to the first trigger alone")
    func sweep() throws {
        let runs = try scenarios()
        #expect(runs.count == 10)
        #expect(runs.map(\.name).prefix(2) == ["all.01", "all.02"])
        #expect(runs.last?.name == "all.10")
        #expect(runs[3].summary == "all there is; phase 300 ms")
        let part = { (run: Scenario) -> Duration? in
            for case .parallel(let parts) in run.steps.map(\.action) {
                return parts[1].trigger?.offset
            }
            return nil
        }
        #expect(runs.map(part) == (0..<10).map { .milliseconds($0 * 100) })
        #expect(runs.allSatisfy { $0.steps[23].trigger?.offset == .milliseconds(300) })
        #expect(runs.allSatisfy { $0.isCalled { $0 == "all" } })
        #expect(!runs[0].isCalled { $0 == "al" })
    }

    @Test("a lab that uses all of it survives its JSON, and is valid for editors")
    func codable() throws {
        let lab = try #require(decode(Self.yaml).lab)
        #expect(try roundTrip(lab) == lab)
        let validator = try schemaValidator()
        let value = try #require(YAMLDocument(parsing: Self.yaml).root)
        #expect(validator.problems(of: value) == [])
    }

    @Test("the words of the schema are those of the language")
    func words() throws {
        let validator = try schemaValidator()
        #expect(
            validator.definition("capability")?["enum"]?.texts
                == Scenario.Capability.allCases.map(\.rawValue))
        #expect(
            validator.definition("outcome")?["enum"]?.texts == Answer.outcomes.map(\.word))
        #expect(
            validator.definition("linkFault")?["properties"]?["direction"]?["enum"]?.texts
                == Fault.Direction.allCases.map(\.rawValue))
        let verbs = ControlVerb.allCases.map(\.rawValue)
        #expect(verbs.allSatisfy { LabFileKeys.step.keys.contains($0) })
        let pattern = validator.definition("event")?["pattern"]?.text ?? ""
        #expect(pattern == "^(" + EventPattern.words.joined(separator: "|") + ")\\b")
    }
}

@Suite("events of scenarios as text")
struct EventPatternTests {
    @Test(
        "every form is read, and printed so that it is read again",
        arguments: [
            ("advert(a)", "advert(a)"), ("advert from a", "advert(a)"), ("advert", "advert"),
            ("advert(a, priority 0)", "advert(a, priority 0)"),
            ("advert from a priority 0", "advert(a, priority 0)"),
            ("garp(a)", "garp from a"), ("garp from a", "garp from a"),
            ("garp(10.0.0.1) from a", "garp(10.0.0.1) from a"), ("garp", "garp"),
            ("garp(fd00::1)", "garp(fd00::1)"),
            ("frame(arp, 10.0.0.1)", "frame(arp, 10.0.0.1)"),
            ("frame( vrrp ) from a", "frame(vrrp) from a"),
            ("vip on a", "vip on a"), ("vip(10.0.0.1) off a", "vip(10.0.0.1) off a"),
            ("state(a)=MASTER", "state(a) = MASTER"),
            ("state(a, VI_1) = FAULT", "state(a, VI_1) = FAULT"),
            ("service(a/web) = ended", "service(a/web) = ended"),
            ("neighbour(10.0.0.1) of a", "neighbour(10.0.0.1) of a"),
            ("neighbour of a", "neighbour of a"),
        ])
    func forms(text: String, printed: String) throws {
        let pattern = try #require(EventPattern.parse(text))
        #expect(pattern.description == printed)
        #expect(EventPattern.parse(printed) == pattern)
    }

    @Test(
        "nothing else is an event",
        arguments: [
            "", "advrt(a)", "advert(a", "advert(a, b)", "advert(a, priority 256)",
            "advert(a) from b", "frame", "frame(ip)", "vip", "state(a)", "state(a) = Master",
            "state = MASTER", "service(a) = ready", "service(a/web)", "neighbour", "advert a b",
            "advert(a) + 300ms", "garp on a", "vip on a on b",
        ])
    func others(text: String) {
        #expect(EventPattern.parse(text) == nil)
    }

    @Test("a trigger's offset is a duration, to the microsecond")
    func offsets() {
        for text in ["advert(a) + 300ms", "advert(a) + 1500us", "vip on a + 2s", "vip on a"] {
            #expect(Trigger.parse(text)?.description == text)
        }
        #expect(Trigger.parse("advert(a)+300ms")?.offset == .milliseconds(300))
        for text in ["advert(a) + ", "advert(a) 300ms", "advert(a) + 300", "300ms"] {
            #expect(Trigger.parse(text) == nil)
        }
    }
}

@Suite("values in JSON by their path")
struct ValuePathTests {
    private static let json = #"""
        [{"ifname":"eth0","flags":["UP","LOWER_UP"],"mtu":1500,"addr_info":[{"local":"10.0.0.1","prefixlen":24}],
        "link\/x":true,"address":"02:00:00:00:00:01"}]
        """#

    @Test(
        "the text of the value, whatever its type",
        arguments: [
            ("[0].ifname", "eth0"), ("[0].flags[1]", "LOWER_UP"), ("[0].mtu", "1500"),
            ("[-1].addr_info[-1].local", "10.0.0.1"), ("[0].address", "02:00:00:00:00:01"),
            ("[0].link/x", "true"),
        ])
    func found(path: String, value: String) throws {
        let way = try #require(ValuePath.parse(path))
        #expect(way.description == path)
        #expect(way.value(inJSON: Self.json) == .success(value))
    }

    @Test(
        "where there is none, why",
        arguments: [
            ("[1].ifname", "nothing at [1]"), ("[0].name", "nothing at [0].name"),
            ("[0].ifname.x", "nothing at [0].ifname.x"), ("[0].flags", "a list at [0].flags"),
            ("ifname", "nothing at ifname"),
        ])
    func missing(path: String, reason: String) throws {
        let way = try #require(ValuePath.parse(path))
        #expect(way.value(inJSON: Self.json) == .failure(.init(reason: reason)))
        #expect(way.value(inJSON: "") == .failure(.init(reason: "nothing printed")))
        #expect(way.value(inJSON: "[") == .failure(.init(reason: "no JSON")))
    }

    @Test("nothing else is a path", arguments: ["", ".a", "a..b", "a[", "a[x]", "[0]a", "a]"])
    func noPath(text: String) { #expect(ValuePath.parse(text) == nil) }
}

@Suite("latency histogram")
struct LatencyHistogramTests {
    @Test("percentiles are right to three digits from 1 us to minutes; the longest is exact")
    func percentiles() throws {
        var histogram = LatencyHistogram()
        #expect(histogram.value(atPercentile: 50) == nil)
        for value in 1...100_000 { histogram.record(.microseconds(value * 7)) }
        for percentile in [1.0, 50, 90, 99, 99.9] {
            let exact = percentile / 100 * 700_000
            let found = try #require(histogram.value(atPercentile: percentile))
            #expect(abs(found.milliseconds * 1000 - exact) <= exact / 1000)
        }
        #expect(histogram.value(atPercentile: 100) == .microseconds(700_000))
        #expect(histogram.value(atPercentile: 0) == .microseconds(7))
        #expect(histogram.count == 100_000)
    }

    @Test("small values are exact, negative ones nothing, long ones the limit of 17.9 minutes")
    func ends() {
        var histogram = LatencyHistogram()
        histogram.record(.microseconds(-3))
        #expect(histogram.value(atPercentile: 100) == .zero)
        histogram.record(.nanoseconds(1_023_400))
        #expect(histogram.value(atPercentile: 100) == .microseconds(1023))
        histogram.record(.seconds(7200))
        #expect(histogram.value(atPercentile: 100) == .microseconds(1_073_741_823))
        histogram.reset()
        #expect(histogram == LatencyHistogram() || histogram.count == 0)
        #expect(histogram.value(atPercentile: 50) == nil)
    }
}
