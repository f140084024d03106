import FoundationEssentials
public import LabModel
import NetworkTypes

/// A run as a page to look at: one file that needs nothing else, in light and dark.
///
/// Without scripts it still says everything in tables; the picture of the timeline needs them.
public struct HTMLReport {
    private let record: RunRecord
    private let view: RunView
    private let failover: Failover?
    private let origin: MonotonicInstant

    /// - Parameters:
    ///   - record: what was run.
    ///   - events: its timeline, in order.
    ///   - printed: what its services printed, in order.
    public init(_ record: RunRecord, events: [TimelineEvent], printed: [PrintedLine] = []) {
        self.record = record
        view = RunView(record, events: events, printed: printed)
        failover = Failover.last(in: events, of: record)
        origin = events.first?.time ?? record.began
    }

    /// The page.
    public var text: String {
        let title = "\(record.lab.name) / \(record.scenario)"
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Markup.escaped(title)): \(record.verdict.word)</title>
            <style>
            \(String(decoding: PackageResources.report_css, as: UTF8.self))</style>
            </head>
            <body>
            <main>
            \(header(title))
            \(topology)
            \(timeline)
            \(checks)
            \(failover?.section(origin: origin) ?? "")
            \(steps)
            \(view.probes.map(\.section).joined(separator: "\n"))
            \(log)
            </main>
            <script type="application/json" id="data">\(data)</script>
            <script>
            \(String(decoding: PackageResources.report_js, as: UTF8.self))</script>
            </body>
            </html>

            """
    }

    private func header(_ title: String) -> String {
        let scenario = record.lab.scenarios.first { $0.name == record.scenario }
        let summary = scenario?.summary.map { "<p>\(Markup.escaped($0))</p>" } ?? ""
        let daemons = record.daemons.map(\.rawValue).joined(separator: ", ")
        let facts =
            [record.duration.text, record.date]
            + (daemons.isEmpty ? [] : ["with \(daemons)"]) + [record.machine]
        var message = ""
        if let text = record.verdict.message {
            message = "<p class=\"message\">\(Markup.escaped(text))</p>"
        }
        return """
            <h1>\(Markup.escaped(title)) \
            <span class="verdict \(record.verdict.word)">\(record.verdict.word)</span></h1>
            \(summary)
            <p class="faint">\(Markup.escaped(facts.joined(separator: " · ")))</p>
            \(message)
            """
    }

    private var topology: String {
        """
        <section class="topology"><h2>The lab</h2>
        <div class="scroll">\(Topology(record.lab).svg)</div></section>
        """
    }

    private var timeline: String {
        let legend = [
            ("master", "MASTER"), ("backup", "BACKUP"), ("up", "up, no VRRP daemon"),
            ("frozen", "frozen"),
            ("accent", "virtual address, gratuitous ARP"), ("failed", "fault, failure, outage"),
            ("warning", "a process ended, inconclusive, the machine stood still"),
        ].map { "<span><i style=\"background:var(--\($0.0))\"></i>\($0.1)</span>" }
        return """
            <section id="when"><h2>What happened when</h2>
            <div class="controls"><button id="in" aria-label="zoom in">+</button>\
            <button id="out" aria-label="zoom out">−</button><button id="all">all</button>\
            <span class="faint" id="range"></span></div>
            <div id="timeline" tabindex="0" role="img" \
            aria-label="timeline of the run; the tables below say the same in words">\
            <canvas></canvas><div id="tip" hidden></div></div>
            <div class="legend">\(legend.joined())</div>
            <p class="faint">Drag to move, Ctrl and wheel, two fingers or + and − to zoom; a step's \
            row below leads to its moment.</p></section>
            """
    }

    private var steps: String {
        let rows = view.steps.map { step in
            let wasRun = step.verdict != "not run"
            return """
                <tr\(wasRun ? Self.moment(step.from, step.to) : "")><td class="number">\(step.number)</td>\
                <td class="\(step.verdict.filter { $0 != " " })">\(step.verdict)</td>\
                <td class="words">\(Markup.escaped(step.summary))\
                <div class="faint">\(Markup.escaped(step.text))</div></td>\
                <td class="number">\(wasRun ? Self.time(step.from) : "")</td></tr>
                """
        }
        return """
            <section><h2>Steps</h2><div class="scroll"><table>
            <thead><tr><th class="number">#</th><th>verdict</th><th>step</th>\
            <th class="number">at</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></section>
            """
    }

    private var checks: String {
        let rows = view.violations.map { violation in
            """
            <tr\(Self.moment(violation.from, violation.to))>\
            <td class="number">\(Self.time(violation.from))</td>\
            <td class="number">\(violation.to.map { Self.time($0 - violation.from) } ?? "")</td>\
            <td class="words">\(Markup.escaped(violation.check)) \
            <span class="failed">did not hold</span>\
            <div class="faint">\(Markup.escaped(violation.text))</div></td></tr>
            """
        }
        let held = view.held.map { check in
            """
            <tr><td class="number"></td><td class="number"></td>\
            <td class="words">\(Markup.escaped(check)) <span class="passed">held</span></td></tr>
            """
        }
        guard !rows.isEmpty || !held.isEmpty else { return "" }
        return """
            <section><h2>Checks</h2><div class="scroll"><table>
            <thead><tr><th class="number">from</th><th class="number">for</th>\
            <th>check</th></tr></thead>
            <tbody>\((rows + held).joined(separator: "\n"))</tbody></table></div></section>
            """
    }

    private var log: String {
        let rows = view.log.map { entry in
            let place = entry.node + (entry.service.map { "/\($0)" } ?? "")
            let kind = entry.service == nil ? "" : " class=\"printed\""
            return """
                <tr\(kind)\(Self.moment(entry.time, nil))>\
                <td class="number">\(Self.time(entry.time))</td>\
                <td>\(Markup.escaped(place))</td>\
                <td class="words">\(Markup.escaped(entry.text))</td></tr>
                """
        }
        return """
            <section><h2>Log</h2>
            <div class="controls"><input id="filter" type="search" placeholder="filter" \
            aria-label="show only lines that contain this"></div>
            <div class="scroll log"><table>
            <thead><tr><th class="number">at</th><th>node</th><th>what</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></section>
            """
    }

    /// The view as JSON that may stand within a script element.
    private var data: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let bytes = try? encoder.encode(view) else {
            preconditionFailure("numbers and texts can be encoded")
        }
        return String(decoding: bytes, as: UTF8.self).split(
            separator: "<", omittingEmptySubsequences: false
        ).joined(separator: "\\u003c")
    }

    private static func moment(_ from: Int, _ to: Int?) -> String {
        " data-from=\"\(from)\"" + (to.map { " data-to=\"\($0)\"" } ?? "")
    }

    static func time(_ microseconds: Int) -> String { Duration.microseconds(microseconds).text }
}

extension ScenarioVerdict {
    /// The verdict in a word: `passed`, `failed`, `inconclusive`, `skipped`.
    public var word: String {
        switch self {
        case .passed: "passed"
        case .failed: "failed"
        case .inconclusive: "inconclusive"
        case .skipped: "skipped"
        }
    }

    /// Why it did not pass; nil where it did.
    public var message: String? {
        switch self {
        case .passed: nil
        case .failed(_, let message), .inconclusive(_, let message), .skipped(let message): message
        }
    }
}
