import LabModel
import LabReport
import NetworkTypes
import Testing

@Suite("labctl probe: answers told as they change")
struct ProbeNarrationTests {
    private static let probe = Probe(
        name: "web", node: "client", request: .http(HTTPURL("http://10.10.10.10/")!),
        interval: .milliseconds(10), timeout: .milliseconds(50))

    /// When a request is due, and when it ended how.
    private typealias Request = (due: Int, ended: Int, outcome: ProbeResult.Outcome)

    private func told(_ requests: [Request]) -> (narration: ProbeNarration, lines: [String]) {
        var narration = ProbeNarration(Self.probe)
        let lines = requests.flatMap { request in
            narration.record(
                ProbeResult(
                    probe: "web", due: Fixture.at(request.due), outcome: request.outcome),
                ended: Fixture.at(request.ended))
        }
        return (narration, lines.map { "\($0.offset.text) \($0.isGood ? "+" : "-") \($0.text)" })
    }

    private static let master = ProbeResult.Outcome.answered(
        status: 200, body: "this is master\nand more\n")
    private static let backup = ProbeResult.Outcome.answered(status: 200, body: "this is backup")

    @Test("a failover: requests that time out end after later ones were answered")
    func failover() {
        let (narration, lines) = told([
            (100, 101, Self.master), (110, 111, Self.master), (140, 142, Self.backup),
            (150, 151, Self.backup), (120, 170, .failed("timed out")),
            (130, 180, .failed("timed out")), (160, 181, Self.backup),
        ])
        #expect(
            lines == [
                "0 s + 200 this is master", "20 ms - no answer: timed out",
                "40 ms + 200 this is backup (2 requests lost)",
            ])
        #expect(narration.requests == 7)
        #expect(
            narration.figures.lines == [
                "7 requests, 2 without an answer (28.6 %)",
                "outage at 11 ms: 31 ms, 2 requests lost",
                "time to answer: median 1 ms, p99 21 ms, max 21 ms",
            ])
    }

    @Test("the reason of a failure may change; an answer that is none of success is a failure")
    func reasons() {
        let (narration, lines) = told([
            (0, 1, .failed("connection refused")), (10, 11, .failed("connection refused")),
            (20, 21, .answered(status: 503, body: "")), (30, 31, Self.master),
        ])
        #expect(
            lines == [
                "0 s - no answer: connection refused", "20 ms - 503",
                "30 ms + 200 this is master (3 requests lost)",
            ])
        #expect(narration.figures.lost == 3)
    }

    @Test("an outage that is not over says so, and nothing answered has no time to answer")
    func neverAnswered() {
        let (narration, _) = told([(0, 1, .failed("timed out")), (10, 11, .failed("timed out"))])
        #expect(
            narration.figures.lines == [
                "2 requests, 2 without an answer (100.0 %)",
                "outage at 0 s: not over, 2 requests lost",
            ])
    }

    @Test("what a server says reaches the terminal without control characters")
    func controlCharacters() {
        let (_, lines) = told([(0, 1, .answered(status: 200, body: "\u{1b}]0;title\u{7}"))])
        #expect(lines == [#"0 s + 200 \u{1B}]0;title\u{07}"#])
    }
}
