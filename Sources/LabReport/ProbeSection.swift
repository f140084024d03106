extension RunView.ProbeLane {
    /// The probe's part of the page: outages, percentiles, and their plot.
    var section: String {
        let lost = results.count { $0[2] == 0 }
        let rows = outages.map { outage in
            let length = outage.to.map { HTMLReport.time($0 - outage.from) } ?? "until the end"
            return """
                <tr data-from="\(outage.from)"\(outage.to.map { " data-to=\"\($0)\"" } ?? "")>\
                <td class="number">\(HTMLReport.time(outage.from))</td>\
                <td class="number">\(length)</td><td class="number">\(outage.lost)</td></tr>
                """
        }
        let outageTable =
            rows.isEmpty
            ? "<p>No request was lost.</p>"
            : """
            <div class="scroll"><table class="short"><thead><tr><th class="number">outage at</th>\
            <th class="number">length</th><th class="number">requests lost</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
            """
        return """
            <section><h2>Probe \(Markup.escaped(name))</h2>
            <p class="faint">\(Markup.escaped(summary)) · \(results.count) requests, \(lost) \
            without an answer</p>
            \(outageTable)
            \(percentiles.isEmpty ? "" : plot)</section>
            """
    }

    /// Time to answer by percentile, as bars on a logarithmic scale: each row says its figure, so
    /// that the plot needs no axis.
    private var plot: String {
        let most = Double(max(1, percentiles.last?.time ?? 1))
        let rows = percentiles.enumerated().map { index, percentile in
            let y = index * 24 + 4
            let share = Logarithm.two(Double(max(1, percentile.time))) / max(1, Logarithm.two(most))
            let length = Int(max(2, 330 * share))
            return """
                <text x="52" y="\(y + 13)" text-anchor="end">\(percentile.label)</text>\
                <rect x="60" y="\(y)" width="\(length)" height="17" rx="3"/>\
                <text x="\(60 + length + 8)" y="\(y + 13)">\
                \(Markup.escaped(HTMLReport.time(percentile.time)))</text>
                """
        }
        return """
            <svg class="plot" viewBox="0 0 500 \(percentiles.count * 24 + 8)" role="img" \
            aria-label="time to answer by percentile" style="font:13px system-ui,sans-serif">\
            <g fill="var(--text)">\(rows.joined(separator: "\n"))</g>
            <style>.plot rect{fill:var(--backup)}</style></svg>
            """
    }
}

extension RunView.Percentile {
    /// `median`, `p99`, `max`.
    var label: String {
        switch percent {
        case 100: "max"
        case 50: "median"
        case _ where percent == percent.rounded(): "p\(Int(percent))"
        default: "p\(percent)"
        }
    }
}

/// The logarithm of a scale, without a mathematics library.
enum Logarithm {
    /// log2 of a number of at least 1, linear between powers of two: exact enough to place a bar.
    static func two(_ value: Double) -> Double {
        Double(value.exponent) + value.significand - 1
    }
}
