import LabModel

/// Results in the Test Anything Protocol, version 14: a line for each run of a scenario, its steps
/// as a subtest before it.
///
/// What is inconclusive is skipped, with the reason: TAP has no other word that is no failure.
public struct TAPReport {
    private let results: [TestResult]

    /// - Parameter results: in the order in which they are to stand.
    public init(_ results: [TestResult]) { self.results = results }

    /// The document.
    public var text: String {
        var lines = ["TAP version 14", "1..\(results.count)"]
        for (index, result) in results.enumerated() {
            lines += Self.subtest(result)
            lines.append(
                Self.line(result.verdict, number: index + 1, description: result.name))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func subtest(_ result: TestResult) -> [String] {
        let steps = result.steps
        guard !steps.isEmpty else { return [] }
        var lines = ["    # Subtest: \(described(result.name))", "    1..\(steps.count)"]
        for step in steps {
            switch step.phase {
            case .began: continue
            case .passed: lines.append("    ok \(step.index) - \(described(step.summary))")
            case .failed(let message):
                lines.append("    not ok \(step.index) - \(described(step.summary))")
                lines += ["      ---", "      message: \(Markup.quoted(message))", "      ..."]
            case .inconclusive(let message):
                lines.append(
                    "    ok \(step.index) - \(described(step.summary)) # SKIP inconclusive: "
                        + described(message))
            case .notRun:
                lines.append(
                    "    ok \(step.index) - \(described(step.summary)) # SKIP not reached")
            }
        }
        return lines
    }

    private static func line(
        _ verdict: ScenarioVerdict, number: Int, description: String
    ) -> String {
        switch verdict {
        case .passed: "ok \(number) - \(described(description))"
        case .failed: "not ok \(number) - \(described(description))"
        case .inconclusive(_, let message):
            "ok \(number) - \(described(description)) # SKIP inconclusive: \(described(message))"
        case .skipped(let message):
            "ok \(number) - \(described(description)) # SKIP \(described(message))"
        }
    }

    private static func described(_ text: String) -> String { Markup.description(text) }
}
