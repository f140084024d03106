import Foundation
import LabModel
import NetworkTypes
import Testing

@Suite("The timeline's events")
struct TimelineEventTests {
    /// An event of every kind, its line without time, and its JSON without time and stamp.
    static let everyKind: [(kind: TimelineEvent.Kind, line: String, json: String)] =
        kernelKinds
        + wireKinds + labKinds + faultKinds + stepKinds

    private static let kernelKinds: [(TimelineEvent.Kind, String, String)] = [
        (
            .addressAdded(
                node: "m", interface: "eth0", address: InterfaceAddress("10.10.10.10/32")!),
            "m       10.10.10.10/32 added to eth0",
            #""event":"address-added","node":"m","interface":"eth0","address":"10.10.10.10/32""#
        ),
        (
            .addressRemoved(
                node: "m", interface: "eth0", address: InterfaceAddress("2001:db8::1/64")!),
            "m       2001:db8::1/64 removed from eth0",
            #""event":"address-removed","node":"m","interface":"eth0","address":"2001:db8::1/64""#
        ),
        (
            .link(node: "m", interface: "eth0", isUp: true, hasCarrier: false),
            "m       eth0 up, no carrier",
            #""event":"link","node":"m","interface":"eth0","up":true,"carrier":false"#
        ),
        (
            .routeAdded(
                node: "m",
                .init(
                    destination: IPPrefix("0.0.0.0/0")!, gateway: IPAddress("10.10.10.1"),
                    interface: "eth0", metric: 20)),
            "m       route added: 0.0.0.0/0 via 10.10.10.1 dev eth0 metric 20",
            #""event":"route-added","node":"m","destination":"0.0.0.0/0","type":"unicast","#
                + #""gateway":"10.10.10.1","interface":"eth0","metric":20,"table":254"#
        ),
        (
            .routeRemoved(
                node: "m",
                .init(
                    destination: IPPrefix("10.10.10.10/32")!, type: "local", interface: "eth0",
                    table: 255)),
            "m       route removed: local 10.10.10.10/32 dev eth0 table local",
            #""event":"route-removed","node":"m","destination":"10.10.10.10/32","type":"local","#
                + #""interface":"eth0","table":255"#
        ),
        (
            .neighbour(
                .init(
                    node: "m", interface: "eth0", address: IPAddress("10.10.10.10")!,
                    mac: MACAddress("02:00:00:00:00:01"), state: .reachable)),
            "m       10.10.10.10 on eth0 is at 02:00:00:00:00:01, reachable",
            #""event":"neighbour","node":"m","interface":"eth0","address":"10.10.10.10","#
                + #""mac":"02:00:00:00:00:01","state":"reachable""#
        ),
        (
            .neighbour(
                .init(
                    node: "m", interface: "eth0", address: IPAddress("fe80::1")!, mac: nil,
                    state: .failed)),
            "m       fe80::1 on eth0 is failed",
            #""event":"neighbour","node":"m","interface":"eth0","address":"fe80::1","#
                + #""state":"failed""#
        ),
        (
            .neighbourRemoved(
                node: "m", interface: "eth0", address: IPAddress("10.10.10.10")!),
            "m       10.10.10.10 on eth0 is forgotten",
            #""event":"neighbour-removed","node":"m","interface":"eth0","address":"10.10.10.10""#
        ),
    ]

    private static let wireKinds: [(TimelineEvent.Kind, String, String)] = [
        (
            .advertisement(
                .init(
                    node: "m", interface: "eth0", source: IPAddress("10.10.10.1")!, version: 2,
                    vrid: 51, priority: 0, interval: .seconds(1), addresses: [TwoNodes.vip])),
            "m       VRRPv2 advertisement on eth0: vrid 51, priority 0 (resigns), interval 1 s,"
                + " 10.10.10.10 from 10.10.10.1",
            #""event":"advertisement","node":"m","interface":"eth0","source":"10.10.10.1","#
                + #""version":2,"vrid":51,"priority":0,"interval":1000000000,"#
                + #""addresses":["10.10.10.10"]"#
        ),
        (
            .gratuitousARP(
                node: "m", interface: "eth0", address: IPv4Address("10.10.10.10")!,
                mac: MACAddress("02:00:00:00:00:01")!),
            "m       gratuitous ARP on eth0: 10.10.10.10 is at 02:00:00:00:00:01",
            #""event":"gratuitous-arp","node":"m","interface":"eth0","address":"10.10.10.10","#
                + #""mac":"02:00:00:00:00:01""#
        ),
        (
            .arp(arp(.request)),
            "m       ARP on eth0: who has 10.10.10.10? tell 10.10.10.9 at 02:00:00:00:00:09",
            #""event":"arp","node":"m","interface":"eth0","operation":"request","#
                + #""sender":"10.10.10.9","senderMAC":"02:00:00:00:00:09","#
                + #""target":"10.10.10.10","targetMAC":"00:00:00:00:00:00""#
        ),
        (
            .arp(arp(.reply)),
            "m       ARP on eth0: 10.10.10.9 is at 02:00:00:00:00:09, to 10.10.10.10",
            #""event":"arp","node":"m","interface":"eth0","operation":"reply","#
                + #""sender":"10.10.10.9","senderMAC":"02:00:00:00:00:09","#
                + #""target":"10.10.10.10","targetMAC":"00:00:00:00:00:00""#
        ),
        (
            .unsolicitedNA(
                node: "m", interface: "eth0", address: IPv6Address("2001:db8::10")!,
                mac: MACAddress("02:00:00:00:00:01")!),
            "m       unsolicited neighbour advertisement on eth0: 2001:db8::10 is at"
                + " 02:00:00:00:00:01",
            #""event":"unsolicited-na","node":"m","interface":"eth0","address":"2001:db8::10","#
                + #""mac":"02:00:00:00:00:01""#
        ),
        (
            .packet(node: "m", interface: "eth0", lengthBytes: 98),
            "m       packet of 98 bytes on eth0",
            #""event":"packet","node":"m","interface":"eth0","length":98"#
        ),
    ]

    private static func arp(_ operation: TimelineEvent.ARP.Operation) -> TimelineEvent.ARP {
        .init(
            node: "m", interface: "eth0", operation: operation,
            sender: IPv4Address("10.10.10.9")!, senderMAC: MACAddress("02:00:00:00:00:09")!,
            target: IPv4Address("10.10.10.10")!, targetMAC: MACAddress("00:00:00:00:00:00")!)
    }

    private static let labKinds: [(TimelineEvent.Kind, String, String)] = [
        (
            .probe(
                ProbeResult(
                    probe: "web", due: at(1),
                    outcome: .answered(status: 200, body: "this is m\n"))),
            "-       probe web: 200, 10 bytes",
            #""event":"probe","probe":"web","due":1000001000000,"status":200,"body":"this is m\n""#
        ),
        (
            .probe(ProbeResult(probe: nil, due: at(1), outcome: .failed("timed out"))),
            "-       request: timed out",
            #""event":"probe","due":1000001000000,"error":"timed out""#
        ),
        (
            .control(.restart, Target(node: "m", service: "httpd")), "m       restart m/httpd",
            #""event":"control","verb":"restart","target":"m/httpd""#
        ),
        (
            .control(.freeze, Target(node: "m")), "m       freeze m",
            #""event":"control","verb":"freeze","target":"m""#
        ),
        (
            .node("m", .killed), "m       node killed",
            #""event":"node","node":"m","state":"killed""#
        ),
        (
            .service(node: "m", service: "httpd", .running(pid: 7)),
            "m       httpd running, pid 7",
            #""event":"service","node":"m","service":"httpd","state":"running","pid":7"#
        ),
        (
            .service(node: "m", service: "httpd", .exited(.signal(9))),
            "m       httpd ended with signal 9",
            #""event":"service","node":"m","service":"httpd","state":"exited","signal":9"#
        ),
        (
            .service(node: "m", service: "httpd", .failed("no\u{1b}[31m\nway")),
            #"m       httpd failed: no\u{1B}[31m\nway"#,
            #""event":"service","node":"m","service":"httpd","state":"failed","#
                + #""error":"no\u001b[31m\nway""#
        ),
    ]

    private static let stepKinds: [(TimelineEvent.Kind, String, String)] = [
        (
            .step(
                StepReport(
                    scenario: "s", index: 1, summary: "expect VIP 10.10.10.10 on m",
                    phase: .passed(
                        StepResult(
                            cause: "kill m", after: .milliseconds(3613),
                            bound: TimeBound(
                                terms: [.init("3 x 1 s", .seconds(3))],
                                margins: [.init("margin 1 s", .seconds(1))]))))),
            "-       s step 1: expect VIP 10.10.10.10 on m: passed, 3.613 s after kill m"
                + " (bound 4 s = 3 x 1 s + margin 1 s)",
            #""event":"step","scenario":"s","index":1,"summary":"expect VIP 10.10.10.10 on m","#
                + #""phase":"passed","result":{"cause":"kill m","after":3613000000,"bound":{"#
                + #""terms":[{"text":"3 x 1 s","duration":3000000000}],"#
                + #""margins":[{"text":"margin 1 s","duration":1000000000}]}}"#
        ),
        (
            .step(
                StepReport(
                    scenario: "s", index: 2, summary: "expect outage of web of at most 1 s",
                    phase: .passed(
                        StepResult(
                            cause: "kill m",
                            outage: Outage(begin: at(1), end: at(2), lostRequests: 1))))),
            "-       s step 2: expect outage of web of at most 1 s: passed, outage 1 ms,"
                + " 1 request lost",
            #""event":"step","scenario":"s","index":2,"#
                + #""summary":"expect outage of web of at most 1 s","phase":"passed","#
                + #""result":{"cause":"kill m","#
                + #""outage":{"begin":1000001000000,"end":1000002000000,"lostRequests":1}}"#
        ),
        (
            .step(StepReport(scenario: "s", index: 3, summary: "wait 1 s", phase: .notRun)),
            "-       s step 3: wait 1 s: not run",
            #""event":"step","scenario":"s","index":3,"summary":"wait 1 s","phase":"not-run""#
        ),
        (
            .step(
                StepReport(
                    scenario: "s", index: 3, summary: "wait 1 s", phase: .inconclusive("x"))),
            "-       s step 3: wait 1 s: inconclusive: x",
            #""event":"step","scenario":"s","index":3,"summary":"wait 1 s","#
                + #""phase":"inconclusive","message":"x""#
        ),
        (
            .claim(
                .init(
                    node: "m", service: "keepalived", instance: "VI_1", state: .master,
                    source: .log)),
            "m       keepalived says that VI_1 is MASTER",
            #""event":"claim","node":"m","service":"keepalived","instance":"VI_1","#
                + #""state":"MASTER","source":"log""#
        ),
        (
            .violation(
                .init(
                    check: "at most one owner of 10.10.10.10", since: at(1), until: at(2),
                    text: "a and b", cause: "partition a | b")),
            "-       violated: at most one owner of 10.10.10.10 for 1 ms: a and b"
                + " (partition a | b)",
            #""event":"violation","check":"at most one owner of 10.10.10.10","#
                + #""since":1000001000000,"until":1000002000000,"#
                + #""text":"a and b","cause":"partition a | b""#
        ),
        (
            .stall(.milliseconds(480)), "-       this machine stood still for 480 ms",
            #""event":"stall","duration":480000000"#
        ),
        (
            .lost(.init(.notifications, resynchronised: [.links, .routes])),
            "-       notifications lost; read anew: links, routes",
            #""event":"lost","what":"notifications","resynchronised":["links","routes"]"#
        ),
        (
            .lost(.init(.frames, count: 17)), "-       17 frames lost",
            #""event":"lost","what":"frames","count":17,"resynchronised":[]"#
        ),
    ]

    @Test("Every event survives JSON as it is", arguments: everyKind.map(\.kind))
    func roundTrip(_ kind: TimelineEvent.Kind) throws {
        for event in [
            TimelineEvent(time: at(1.234567), stamp: .origin, kind: kind),
            TimelineEvent(
                time: at(1.234567), stamp: .kernel, uncertainty: .nanoseconds(90), kind: kind,
                frame: [0, 0x7f, 0xff]),
        ] {
            let data = try JSONEncoder().encode(event)
            #expect(try JSONDecoder().decode(TimelineEvent.self, from: data) == event)
            #expect(try JSONLineDecoder().decode(TimelineEvent.self, from: data) == event)
        }
    }

    @Test("The JSON of every event is a contract", arguments: everyKind)
    func json(_ kind: TimelineEvent.Kind, _ line: String, _ json: String) throws {
        let text =
            #"{"time":1000001500000,"stamp":"kernel","uncertainty":90,"# + json
            + #","frame":"007fff"}"#
        let event = try JSONDecoder().decode(TimelineEvent.self, from: Data(text.utf8))
        #expect(
            event
                == TimelineEvent(
                    time: at(1.5), stamp: .kernel, uncertainty: .nanoseconds(90), kind: kind,
                    frame: [0, 0x7f, 0xff]))
        #expect(try JSONLineDecoder().decode(TimelineEvent.self, from: text.utf8) == event)
        var written = JSONLine()
        written.append(event)
        #expect(String(decoding: written.bytes, as: UTF8.self) == text + "\n")
        let again = try JSONSerialization.jsonObject(with: JSONEncoder().encode(event))
        let given = try JSONSerialization.jsonObject(with: Data(text.utf8))
        #expect(again as? NSDictionary == given as? NSDictionary)
    }

    @Test("Uncertainty and frame are left out of JSON where there are none")
    func sparse() throws {
        let event = TimelineEvent(time: at(1), stamp: .origin, kind: .node("m", .running))
        let fields = try JSONSerialization.jsonObject(with: JSONEncoder().encode(event))
        #expect((fields as? NSDictionary)?.allKeys.count == 5)
    }

    @Test("What a program prints is JSON whatever it is")
    func strings() throws {
        let texts = ["", "\"\\/", "\u{0}\u{1f}\u{7f}\r\t", "Grüße, 世界 \u{1f984}", "a\u{301}"]
        for text in texts {
            let event = TimelineEvent(
                time: at(-1e9), stamp: .origin,
                kind: .service(node: text, service: text, .failed(text)))
            var line = JSONLine()
            line.append(event)
            #expect(!line.bytes.dropLast().contains(UInt8(ascii: "\n")))
            let again = try JSONDecoder().decode(TimelineEvent.self, from: Data(line.bytes))
            #expect(try JSONLineDecoder().decode(TimelineEvent.self, from: line.bytes) == again)
            #expect(again == event)
        }
    }

    @Test("A frame that is no octets is refused", arguments: ["0", "0g", "0G", "AB"])
    func badFrame(_ digits: String) {
        let text =
            #"{"time":1,"stamp":"kernel","event":"stall","duration":1,"frame":"\#(digits)"}"#
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(TimelineEvent.self, from: Data(text.utf8))
        }
    }

    @Test("Every event is one readable line", arguments: everyKind)
    func eventLine(_ kind: TimelineEvent.Kind, _ line: String, _ json: String) {
        let text = EventText(origin: at(0), nodeWidth: 6)
        let event = TimelineEvent(time: at(3613.28125), stamp: .kernel, kind: kind)
        #expect(text.line(for: event) == "    3.613281  " + line)
    }

    @Test("An event before the origin has a negative time, to the microsecond")
    func negativeTime() {
        let event = TimelineEvent(
            time: at(-0.25), stamp: .origin, kind: .node("master", .running))
        #expect(EventText(origin: at(0)).line(for: event) == "   -0.000250  master    node running")
    }

    @Test("An endpoint is written NODE:INTERFACE, and nothing else is one")
    func endpoints() {
        #expect(Endpoint.parse("m:eth0") == Self.endpoint)
        for text in ["m", "m:", ":eth0", "m:eth0:1", "m:a/b"] {
            #expect(Endpoint.parse(text) == nil)
        }
    }

    @Test(
        "Durations are printed in the unit that suits them",
        arguments: [
            (3_613_281_250, "3.613 s"), (1_000_000_000, "1 s"), (10_000_000_000, "10 s"),
            (60_500_000_000, "60.5 s"), (613_281_250, "613 ms"), (999_600_000, "1 s"),
            (999_400_000, "999 ms"), (62_340_000, "62.3 ms"), (7_618_000, "7.62 ms"),
            (1_000_000, "1 ms"), (780_000, "780 us"), (999_999, "1 ms"), (12_345, "12.3 us"),
            (1500, "1.5 us"), (90, "90 ns"), (1, "1 ns"), (0, "0 s"), (-613_281_250, "-613 ms"),
            (3_999_600_000, "4 s"), (9_996_000, "10 ms"),
        ] as [(Int64, String)])
    func durationText(_ nanoseconds: Int64, _ text: String) {
        #expect(Duration.nanoseconds(nanoseconds).text == text)
    }
}
