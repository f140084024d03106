import LabModel
import NetworkTypes

/// Results in JUnit's XML, as GitLab, Jenkins and GitHub's actions read it: a suite for each lab,
/// a case for each run of a scenario.
///
/// A lab that could not be built, or broke, is an error. What is inconclusive counts as skipped,
/// with the reason: JUnit has no other word that is no failure.
public struct JUnitReport {
    private let results: [TestResult]

    /// - Parameter results: in the order in which they are to stand.
    public init(_ results: [TestResult]) { self.results = results }

    /// The document.
    public var text: String {
        var labs: [String] = []
        for result in results where !labs.contains(result.lab) { labs.append(result.lab) }
        let suites = labs.map { lab in suite(lab, results.filter { $0.lab == lab }) }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="labctl" \(Self.counts(results))>
            \(suites.joined(separator: "\n"))
            </testsuites>

            """
    }

    private func suite(_ lab: String, _ results: [TestResult]) -> String {
        let cases = results.map { result in
            let name = result.scenario + (result.repetition.map { " #\($0)" } ?? "")
            let opening = """
                <testcase classname="\(Markup.escaped(lab))" name="\(Markup.escaped(name))" \
                time="\(Self.seconds(result.duration))"
                """
            let content = Self.content(result)
            return content.isEmpty ? "\(opening)/>" : "\(opening)>\(content)</testcase>"
        }
        return """
            <testsuite name="\(Markup.escaped(lab))" \(Self.counts(results))>
            \(cases.joined(separator: "\n"))
            </testsuite>
            """
    }

    private static func content(_ result: TestResult) -> String {
        switch result.outcome {
        case .verdict(.passed): ""
        case .verdict(.failed(_, let message)):
            """
            <failure message="\(Markup.escaped(message))">\(steps(result))</failure>
            """
        case .error(let message):
            "<error message=\"\(Markup.escaped(message))\">\(steps(result))</error>"
        case .verdict(.inconclusive(_, let message)), .verdict(.skipped(let message)):
            "<skipped message=\"\(Markup.escaped(message))\"/>"
        }
    }

    /// The steps in words, and the timeline around what went wrong, for whoever has nothing but
    /// the XML.
    private static func steps(_ result: TestResult) -> String {
        var lines = result.steps.map(\.line)
        if !result.slice.isEmpty {
            lines += ["", "around it, in seconds since the scenario began:"] + result.slice
        }
        return Markup.escaped(lines.joined(separator: "\n"))
    }

    private static func counts(_ results: [TestResult]) -> String {
        func count(_ words: String...) -> Int { results.count { words.contains($0.outcome.word) } }
        let time = results.reduce(Duration.zero) { $0 + $1.duration }
        return """
            tests="\(results.count)" failures="\(count("failed"))" errors="\(count("error"))" \
            skipped="\(count("inconclusive", "skipped"))" time="\(seconds(time))"
            """
    }

    /// Seconds with three decimals.
    private static func seconds(_ duration: Duration) -> String {
        let milliseconds = duration.wholeNanoseconds / 1_000_000
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}

extension StepReport {
    /// How the step ended, in a line of plain text: `ok kill master`.
    var line: String {
        switch phase {
        case .began: "... \(summary)"
        case .passed(let result): "ok   \(summary)\(result.words)"
        case .failed(let message): "FAIL \(message)"
        case .inconclusive(let message): "??   \(message)"
        case .notRun: "-    \(summary)"
        }
    }
}
