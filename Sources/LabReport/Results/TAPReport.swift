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
        var lines = ["    # Subtest: \(escaped(result.name))", "    1..\(steps.count)"]
        for step in steps {
            switch step.phase {
            case .began: continue
            case .passed: lines.append("    ok \(step.index) - \(escaped(step.summary))")
            case .failed(let message):
                lines.append("    not ok \(step.index) - \(escaped(step.summary))")
                lines += ["      ---", "      message: \(quoted(message))", "      ..."]
            case .inconclusive(let message):
                lines.append(
                    "    ok \(step.index) - \(escaped(step.summary)) # SKIP inconclusive: "
                        + escaped(message))
            case .notRun:
                lines.append(
                    "    ok \(step.index) - \(escaped(step.summary)) # SKIP not reached")
            }
        }
        return lines
    }

    private static func line(
        _ verdict: ScenarioVerdict, number: Int, description: String
    ) -> String {
        switch verdict {
        case .passed: "ok \(number) - \(escaped(description))"
        case .failed: "not ok \(number) - \(escaped(description))"
        case .inconclusive(_, let message):
            "ok \(number) - \(escaped(description)) # SKIP inconclusive: \(escaped(message))"
        case .skipped(let message):
            "ok \(number) - \(escaped(description)) # SKIP \(escaped(message))"
        }
    }

    /// A description: `#` begins a directive, and a line is a line.
    private static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "#", "\\": "\\\(character)"
            case _ where character.isNewline: " "
            default: "\(character)"
            }
        }.joined()
    }

    /// A string of YAML in double quotes.
    private static func quoted(_ text: String) -> String {
        let content = text.map { character in
            switch character {
            case "\"", "\\": "\\\(character)"
            case _ where character.isNewline: "\\n"
            default: "\(character)"
            }
        }
        return "\"\(content.joined())\""
    }
}
