import LabModel
import NetworkTypes
import Testing

@testable import LabReport

@Suite("Results for other programs")
struct ResultsTests {
    private static func step(_ index: Int, _ summary: String, _ phase: StepReport.Phase)
        -> StepReport
    {
        StepReport(scenario: "failover", index: index, summary: summary, phase: phase)
    }

    private static func took(_ milliseconds: Int) -> StepReport.Phase {
        let bound = TimeBound(
            terms: [.init("3 x 1 s", .seconds(3))], margins: [.init("margin 1 s", .seconds(1))])
        return .passed(
            StepResult(cause: "kill master", after: .milliseconds(milliseconds), bound: bound))
    }

    private static func run(_ repetition: Int, _ milliseconds: Int) -> TestResult {
        TestResult(
            lab: "two-node", scenario: "failover", repetition: repetition, verdict: .passed,
            duration: .milliseconds(4_007),
            steps: [
                step(1, "kill master", .passed(StepResult())),
                step(2, "expect VIP 10.10.10.10 on backup", took(milliseconds)),
            ])
    }

    private let results = [
        run(1, 3600),
        TestResult(
            lab: "two-node", scenario: "failover", repetition: 2,
            verdict: .failed(step: 2, message: "expected \"a\" & <b>"), duration: .seconds(5),
            steps: [
                step(1, "kill master", .passed(StepResult())),
                step(2, "expect #1", .failed("expected \"a\" & <b>")),
                step(3, "start master", .notRun),
            ]),
        TestResult(
            lab: "httpd-ha", scenario: "hang",
            verdict: .inconclusive(step: 1, message: "stood still"), duration: .milliseconds(10),
            steps: [step(1, "expect", .inconclusive("stood still"))]),
    ]

    @Test("JUnit: a suite a lab, a case a run, failures with their steps, inconclusive as skipped")
    func junit() {
        let text = JUnitReport(results).text
        let total = #"tests="3" failures="1" errors="0" skipped="1" time="9.017""#
        #expect(text.contains(#"<testsuites name="labctl" \#(total)>"#))
        #expect(text.contains(#"<testsuite name="two-node" tests="2" failures="1""#))
        #expect(text.contains(#"<testcase classname="two-node" name="failover #1" time="4.007"/>"#))
        #expect(text.contains(#"<failure message="expected &quot;a&quot; &amp; &lt;b&gt;">"#))
        #expect(text.contains("\nFAIL expected &quot;a&quot; &amp; &lt;b&gt;\n-    start master"))
        #expect(text.contains(#"<skipped message="stood still"/>"#))
        var failed = results[1]
        #expect(!JUnitReport([failed]).text.contains("around it"))
        failed.slice = ["    3.600000  backup    10.10.10.10/32 added to <eth0>"]
        #expect(
            JUnitReport([failed]).text.contains(
                """

                around it, in seconds since the scenario began:
                    3.600000  backup    10.10.10.10/32 added to &lt;eth0&gt;</failure>
                """))
    }

    @Test("TAP: a plan, a subtest a run, its steps within")
    func tap() {
        #expect(
            TAPReport(results).text == ##"""
                TAP version 13
                1..3
                    # Subtest: two-node / failover \#1
                    1..2
                    ok 1 - kill master
                    ok 2 - expect VIP 10.10.10.10 on backup
                ok 1 - two-node / failover \#1
                    # Subtest: two-node / failover \#2
                    1..3
                    ok 1 - kill master
                    not ok 2 - expect \#1
                      ---
                      message: "expected \"a\" & <b>"
                      ...
                    ok 3 - start master # SKIP not reached
                not ok 2 - two-node / failover \#2
                    # Subtest: httpd-ha / hang
                    1..1
                    ok 1 - expect # SKIP inconclusive: stood still
                ok 3 - httpd-ha / hang # SKIP inconclusive: stood still

                """##)
    }

    @Test("a lab that could not be built is an error in every format, and the others are there")
    func error() {
        let results =
            self.results + [
                TestResult(
                    lab: "broken", scenario: "hang", outcome: .error("service a/web <ended>"),
                    duration: .milliseconds(20), steps: [])
            ]
        let junit = JUnitReport(results).text
        #expect(junit.contains(#"tests="4" failures="1" errors="1" skipped="1" time="9.037""#))
        #expect(junit.contains(#"<error message="service a/web &lt;ended&gt;"></error>"#))
        #expect(junit.contains(#"<testsuite name="broken" tests="1" failures="0" errors="1""#))
        let tap = TAPReport(results).text
        let entry = "not ok 4 - broken / hang\n  ---\n  message: \"service a/web <ended>\"\n  ...\n"
        #expect(tap.hasPrefix("TAP version 13\n1..4\n") && tap.hasSuffix(entry), "\(tap)")
        let page = HTMLIndex(results, pages: results.map { _ in nil }).text
        #expect(page.contains("<h1>1 passed, 1 failed, 1 error, 1 inconclusive</h1>"))
        #expect(page.contains("service a/web &lt;ended&gt;"))
    }

    @Test("statistics: least, median, nearest-rank 99th and greatest of what a step measured")
    func statistics() {
        let runs = (1...200).map { Self.run($0, 3600 + $0) }
        let measures = RunStatistics(runs).measures
        #expect(measures.count == 1)
        #expect(measures[0].step == 2)
        #expect(measures[0].theoretical == .seconds(3))
        #expect(measures[0].minimum == .milliseconds(3601))
        #expect(measures[0].median == .microseconds(3_700_500))
        #expect(measures[0].p99 == .milliseconds(3798))
        #expect(measures[0].maximum == .milliseconds(3800))
        let row = RunStatistics(runs).rows[1]
        #expect(row[2...] == ["200", "3 s", "3.601 s", "3.701 s", "3.798 s", "3.8 s"])
    }

    @Test("statistics: an outage counts with its length, none as nothing")
    func outages() {
        let outage = Outage(begin: Fixture.at(0), end: Fixture.at(250), lostRequests: 25)
        let phases: [StepReport.Phase] = [
            .passed(StepResult(cause: "kill master", outage: outage)),
            .passed(StepResult(cause: "kill master")),
        ]
        let runs = phases.map { phase in
            TestResult(
                lab: "a", scenario: "b", verdict: .passed, duration: .zero,
                steps: [Self.step(1, "expect outage of web of at most 1 s", phase)])
        }
        #expect(RunStatistics(runs).measures[0].samples == [0, 250_000_000])
    }

    @Test("statistics: after the steps what is of the whole run, in its own order")
    func wholeRuns() {
        let runs = [3, 1].map { number in
            var run = Self.run(number, 3600)
            run.figures = [
                .init(
                    name: "last failover, detect", value: .duration(.seconds(number)),
                    theory: .seconds(2)),
                .init(name: "web, longest outage", value: .duration(.zero)),
                .init(name: "web, requests lost", value: .count(number)),
            ]
            return run
        }
        let statistics = RunStatistics(runs)
        #expect(statistics.measures.map(\.step) == [2, nil, nil])
        #expect(
            statistics.rows[2][1...] == [
                "last failover, detect", "2", "2 s", "1 s", "2 s", "3 s", "3 s",
            ])
        #expect(statistics.rows[3][1] == "web, longest outage")
    }
}
