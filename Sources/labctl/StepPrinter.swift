import LabKit
import LabModel
import NetworkTypes

/// Shows people how a scenario goes: a line for each step that is over.
struct StepPrinter {
    /// Where the lines go.
    let print: (String) -> Void

    func begin(_ lab: Lab, _ scenario: Scenario) {
        print(Style.bold("\(lab.name) / \(scenario.name)"))
    }

    /// What the timeline shows around what went wrong, before the report of it.
    ///
    /// - Parameter lines: times are counted from the scenario's beginning.
    func slice(_ lines: [String]) {
        guard !lines.isEmpty else { return }
        print(Style.dim("    around what follows, in seconds since the scenario began:"))
        for line in lines { print(Style.dim("    " + line)) }
    }

    func step(_ report: StepReport) {
        guard let line = Self.line(report) else { return }
        print("  " + line)
    }

    func end(_ scenario: Scenario, _ outcome: ScenarioOutcome) {
        let took = outcome.duration.text
        switch outcome.verdict {
        case .passed:
            for check in scenario.checks { print("  \(Style.green("held"))  \(check.summary)") }
            print("  \(Style.green("passed")) in \(took)")
        case .failed: print("  \(Style.red("failed")) after \(took)")
        case .inconclusive: print("  \(Style.yellow("inconclusive")) after \(took)")
        case .skipped: print("  \(Style.yellow("skipped")): \(outcome.message)")
        }
    }

    /// That there is no verdict, and why.
    func end(_ error: LabError) { print("  \(Style.red("error")): \(error)") }

    /// A step that is over, in a line; nil for one that begins.
    static func line(_ report: StepReport) -> String? {
        switch report.phase {
        case .began: return nil
        case .passed(let result):
            var line = "\(Style.green("ok"))    \(report.summary)"
            if let outage = result.outage {
                let length = outage.duration(now: outage.end ?? outage.begin).text
                line += ": \(length), \(outage.lostRequests) requests lost"
            } else if let after = result.after {
                line += ": \(after.text)" + (result.cause.map { " after \($0)" } ?? "")
            }
            if let measured = result.measured { line += ": \(measured)" }
            if let bound = result.bound { line += Style.dim("  (at most \(bound))") }
            return line
        // The message says what the step was, too.
        case .failed(let message): return "\(Style.red("FAIL"))  \(message)"
        case .inconclusive(let message): return "\(Style.yellow("??"))    \(message)"
        case .notRun: return "\(Style.dim("-"))     \(Style.dim(report.summary))"
        }
    }
}
