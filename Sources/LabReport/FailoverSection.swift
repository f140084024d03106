import LabModel
import NetworkTypes

extension Failover {
    /// The failover's part of the page: what it consisted of, each part beside its theory.
    func section(origin: MonotonicInstant) -> String {
        let rows = parts.map { part in
            let arithmetic = part.theory.terms.isEmpty ? "" : " = \(part.theory.arithmetic)"
            let (from, to) = (Self.offset(part.begin, origin), Self.offset(part.end, origin))
            return """
                <tr data-from="\(from)" data-to="\(to)"><td>\(part.name.rawValue)</td>\
                <td class="number">\(Markup.escaped(part.delay.text))</td>\
                <td class="words">\(Markup.escaped(part.theory.total.text + arithmetic))</td></tr>
                """
        }
        guard !rows.isEmpty else { return "" }
        let bars = parts.map { part in
            let share = max(1, part.delay.wholeNanoseconds / 1000)
            return """
                <i class="\(part.name.rawValue)" style="flex-grow:\(share)" \
                title="\(part.name.rawValue) \(Markup.escaped(part.delay.text))">\
                \(part.name.rawValue)</i>
                """
        }
        return """
            <section><h2>The last failover: \(Markup.escaped("\(from) to \(to)")) in \
            \(Markup.escaped(total.text))</h2>
            <p>\(Markup.escaped(paragraph(origin: origin)))</p>
            <div class="parts" role="img" aria-label="its parts to scale">\(bars.joined())</div>
            <div class="scroll"><table class="short"><thead><tr><th>part</th>\
            <th class="number">took</th><th>theory</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></section>
            """
    }

    private static func offset(_ time: MonotonicInstant, _ origin: MonotonicInstant) -> Int {
        Int((time - origin).wholeNanoseconds / 1000)
    }
}
