import NetworkTypes
import Testing

@testable import Wire

@Suite("impairments as values")
struct ImpairmentTests {
    @Test(
        "what makes no sense is refused, with what would",
        arguments: [
            (Impairment { $0.loss = .random(percent: 101) }, "loss of 101.0 percent"),
            (Impairment { $0.loss = .random(percent: .nan) }, "0 to 100 percent"),
            (Impairment { $0.loss = .every(0) }, "at least 1"),
            (Impairment { $0.loss = .gilbertElliott(.init(p: -1, r: 5)) }, "gemodel p"),
            (Impairment { $0.loss = .gilbertElliott(.init(p: 1, r: 500)) }, "gemodel r"),
            (Impairment { $0.loss = .gilbertElliott(.init(p: 1, oneMinusH: 101)) }, "1-h"),
            (Impairment { $0.loss = .gilbertElliott(.init(p: 1, oneMinusK: -1)) }, "1-k"),
            (Impairment { $0.duplicatePercent = -0.5 }, "duplicate of -0.5 percent"),
            (Impairment { $0.corruptPercent = 200 }, "corrupt of 200.0 percent"),
            (Impairment { $0.delay = .milliseconds(-5) }, "before it was sent"),
            (Impairment { $0.delay = .seconds(601) }, "at most 600 seconds"),
            (Impairment { $0.reorder = .init(percent: 25) }, "give a delay too"),
            (Impairment { $0.jitter = .init(.milliseconds(1)) }, "give a delay too"),
            (
                Impairment {
                    $0.delay = .milliseconds(5)
                    $0.jitter = .init(.milliseconds(-1))
                }, "jitter of -1.0 ms"
            ),
            (
                Impairment {
                    $0.delay = .milliseconds(5)
                    $0.reorder = .init(percent: 25, gap: 0)
                }, "the gap of reorder of 0: it is at least 1"
            ),
            (Impairment { $0.limitPackets = 0 }, "limit of 0: it is 1 to"),
            (
                Impairment {
                    $0.rate = .init(bitsPerSecond: 0, burstBytes: 1514, limit: .bytes(1))
                }, "a rate in bits a second"
            ),
            (
                Impairment {
                    $0.rate = .init(bitsPerSecond: 1, burstBytes: 10, limit: .bytes(1))
                }, "such as 1514"
            ),
            (
                Impairment {
                    $0.rate = .init(bitsPerSecond: 1, burstBytes: 1514, limit: .packets(-1))
                }, "limit in packets"
            ),
        ])
    func refused(impairment: Impairment, words: String) {
        #expect(impairment.problems.count == 1)
        #expect(impairment.problems.first?.contains(words) == true, "\(impairment.problems)")
        #expect(throws: InvalidImpairment.self) { try impairment.validate() }
    }

    @Test("all mistakes are told at once")
    func allMistakes() {
        let impairment = Impairment {
            $0.loss = .random(percent: 101)
            $0.duplicatePercent = 101
            $0.limitPackets = -1
        }
        #expect(impairment.problems.count == 3)
        let link = WireLink(
            name: "", node: 1, network: 1, inward: [WireRule(impairment)],
            outward: [WireRule(Impairment(), of: FrameSelector(.arp, port: 1))])
        #expect(link.problems.count == 6)
        #expect(link.problems.last == "link , out, rule 1: port 1 of arp: give udp or tcp too")
    }

    private static let whole = Impairment {
        $0.loss = .gilbertElliott(.init(p: 1, r: 10, oneMinusH: 80, oneMinusK: 0.1))
        $0.duplicatePercent = 1
        $0.corruptPercent = 2.5
        $0.reorder = .init(percent: 25, gap: 5)
        $0.delay = .milliseconds(10)
        $0.jitter = .init(.microseconds(1500), .normal)
        $0.rate = .init(bitsPerSecond: 1_000_000, burstBytes: 5000, limit: .bytes(50_000))
        $0.limitPackets = 50
    }

    @Test("what is sensible is not refused")
    func accepted() {
        #expect(Self.whole.problems == [])
        #expect(Impairment().problems == [])
        #expect(Impairment().changesNothing)
        #expect(!Self.whole.changesNothing)
    }

    @Test("rules travel as JSON and come back the same")
    func roundTrip() throws {
        let others: [Impairment] = [
            Impairment(), Impairment { $0.loss = .every(3) },
            Impairment { $0.loss = .random(percent: 12.5) },
            Impairment {
                $0.rate = .init(bitsPerSecond: 64_000, burstBytes: 1600, limit: .packets(9))
            },
        ]
        let rules = ([Self.whole] + others).map {
            WireRule($0, of: FrameSelector(.udp, port: 53, from: .broadcast), seed: .max)
        }
        let request = WireRequest.set(
            [WireLink(name: "a \"b\"\\\u{1}ö", node: 3, network: 4, inward: rules)], id: 7)
        let text = try JSONValue.encode(request)
        #expect(!text.contains(UInt8(ascii: "\n")))
        #expect(try JSONValue.decode(from: text) == request)
    }

    @Test("what a person would write is read, with netem's defaults")
    func handwritten() throws {
        let text = """
            {"id": 1, "set": [{"name": "r1:eth0", "node": 5, "network": 7, "in": [
              {"frames": {"protocol": "vrrp", "from": "02:00:00:00:00:01"}, "seed": 42,
               "impairment": {"loss": {"percent": 10}}},
              {"impairment": {"delay": 10000000, "jitter": {"spread": 1000000},
                              "loss": {"gilbertElliott": {"badPercent": 1}}}}]}]}
            """
        let request: WireRequest = try JSONValue.decode(from: Array(text.utf8))
        let link = try #require(request.set?.first)
        #expect(link.outward == [])
        #expect(link.inward[0].seed == 42)
        #expect(link.inward[0].frames.from == MACAddress("02:00:00:00:00:01"))
        let second = link.inward[1].impairment
        #expect(link.inward[1].frames == .any)
        #expect(second.delay == .milliseconds(10))
        #expect(second.jitter == .init(.milliseconds(1), .uniform))
        #expect(second.limitPackets == 1000)
        #expect(second.loss == .gilbertElliott(.init(p: 1)))
    }

    private static let ends = #""name":"l","node":1,"network":2"#

    @Test(
        "what is no request is refused with the place",
        arguments: [
            (#"{"id":1,"set":3}"#, "set: a list expected"),
            (#"{"id":1,"set":[{"name":"l"}]}"#, "set[0]: node is missing"),
            (
                #"{"id":1,"set":[{\#(ends),"in":[{"impairment":{"loss":{}}}]}]}"#,
                "set[0].in[0].impairment.loss: loss is one of percent, every and gilbertElliott"
            ),
            (
                #"{"id":1,"set":[{"name":"l","node":1,"network":99999999999}]}"#,
                "set[0].network: a number of type Int32, and not 99999999999, expected"
            ),
            (
                #"{"id":1,"set":[{\#(ends),"in":[{"impairment":{},"frames":{"from":"x"}}]}]}"#,
                "set[0].in[0].frames.from: 'x' is no Ethernet address"
            ),
        ])
    func refusedRequests(text: String, message: String) {
        do {
            let request: WireRequest = try JSONValue.decode(from: Array(text.utf8))
            Issue.record("\(request)")
        } catch let error as DecodingError {
            #expect(error.wireDescription == message)
        } catch {
            Issue.record("\(error)")
        }
    }
}

@Suite("JSON")
struct JSONValueTests {
    @Test("texts of RFC 8259, and back")
    func texts() throws {
        let text = #" {"a" : [1, -2.5e+3, true, false, null, "x\u00e9\n\ud83d\ude00\/"], "b": {}} "#
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(
            value
                == .object([
                    "a": .array([
                        .number("1"), .number("-2.5e+3"), .bool(true), .bool(false), .null,
                        .string("xé\n😀/"),
                    ]), "b": .object([:]),
                ]))
        #expect(try JSONValue(parsing: value.text) == value)
    }

    @Test(
        "what is none is refused",
        arguments: [
            "", "{", "[1,]", "{\"a\":}", "{a:1}", "01", "1.", "-", "1e", "\"", "\"\\x\"",
            "\"\\u12\"", "\"\\ud800\"", "\"\\u+123\"", "nul", "[1 2]", "1 2", "\"\n\"", "+1",
            "{\"a\" 1}", String(repeating: "[", count: 1000),
        ])
    func refused(text: String) {
        #expect(throws: JSONValue.SyntaxError.self) {
            try JSONValue(parsing: Array(text.utf8))
        }
    }
}
