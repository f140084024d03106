import LabModel

/// Results in the Test Anything Protocol: a line for each run of a scenario, its steps as a subtest
/// before it. The version it names is 13, the latest that Debian's `prove` knows. To it a subtest
/// is text without meaning, which version 14 gives it.
///
/// What is inconclusive is skipped, with the reason: TAP has no other word that is no failure.
public struct TAPReport {
    private let results: [TestResult]

    /// - Parameter results: in the order in which they are to stand.
    public init(_ results: [TestResult]) { self.results = results }

    /// The document.
    public var text: String {
        var lines = ["TAP version 13", "1..\(results.count)"]
        for (index, result) in results.enumerated() {
            lines += Self.subtest(result)
            lines.append(
                Self.line(result.outcome, number: index + 1, description: result.name))
            if case .error(let message) = result.outcome {
                lines += Self.diagnostic(message, indentation: "  ")
            }
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
                lines += diagnostic(message, indentation: "      ")
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

    /// What goes with a line that is not ok, as YAML.
    private static func diagnostic(_ message: String, indentation: String) -> [String] {
        ["---", "message: \(Markup.quoted(message))", "..."].map { indentation + $0 }
    }

    private static func line(
        _ outcome: TestResult.Outcome, number: Int, description: String
    ) -> String {
        switch outcome {
        case .verdict(.passed): "ok \(number) - \(described(description))"
        case .verdict(.failed), .error: "not ok \(number) - \(described(description))"
        case .verdict(.inconclusive(_, let message)):
            "ok \(number) - \(described(description)) # SKIP inconclusive: \(described(message))"
        case .verdict(.skipped(let message)):
            "ok \(number) - \(described(description)) # SKIP \(described(message))"
        }
    }

    private static func described(_ text: String) -> String { Markup.description(text) }
}
