public import LabModel

/// A run in a few lines of text: a row for each node and each probe, time from left to right.
///
///             0 s       2 s       4 s       6 s
///     master  BBBBBBBBBBBBBBBB=========x
///     backup  BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB==
///     web     xxxxxxxxxxxxxxxx.........xxxxxxxxxx..
///                                      ^ kill master
///
/// `=` has the virtual address, `B` is a backup, `-` runs no VRRP daemon, `#` stands still.
public struct RunPicture {
    /// What a piece of text is about, for those who paint it.
    public enum Tone: Sendable {
        case plain, faint, master, backup, bad
    }

    private let view: RunView
    private let from: Int
    private let length: Int
    private let width: Int
    private let paint: (Tone, String) -> String

    /// The least and the greatest number of columns of the rows themselves.
    private static let widths = 24...120

    /// - Parameters:
    ///   - record: what was run.
    ///   - events: its timeline, in order.
    ///   - columns: how wide it may be, names included.
    ///   - paint: gives text its colour.
    public init(
        _ record: RunRecord, events: [TimelineEvent], columns: Int = 80,
        paint: @escaping (Tone, String) -> String = { $1 }
    ) {
        view = RunView(record, events: events)
        from = min(max(0, view.began), view.length - 1)
        length = view.length - from
        let names = view.nodes.map(\.name.count) + view.probes.map(\.name.count)
        let room = columns - (names.max() ?? 0) - 2
        width = min(max(room, Self.widths.lowerBound), Self.widths.upperBound)
        self.paint = paint
    }

    /// The lines.
    public var lines: [String] {
        var rows = [row("", [(.faint, axis)])]
        for node in view.nodes { rows.append(row(node.name, cells(of: node))) }
        for probe in view.probes { rows.append(row(probe.name, cells(of: probe))) }
        return rows + faults
    }

    private var nameWidth: Int {
        (view.nodes.map(\.name.count) + view.probes.map(\.name.count)).max() ?? 0
    }

    private func row(_ name: String, _ pieces: [(Tone, String)]) -> String {
        let blanks = String(repeating: " ", count: nameWidth - name.count + 2)
        var text = name + blanks + pieces.map { paint($0.0, $0.1) }.joined()
        while text.last == " " { text.removeLast() }
        return text
    }

    // MARK: Columns

    /// The column of a moment.
    private func column(_ time: Int) -> Int {
        min(max(0, (time - from) * width / length), width - 1)
    }

    /// The columns that a stretch touches; none for one that was over before the scenario began.
    private func columns(_ begin: Int, _ end: Int?) -> ClosedRange<Int>? {
        let end = end ?? view.length
        guard end >= from else { return nil }
        return column(begin)...max(column(begin), column(end))
    }

    private func joined(_ cells: [(Tone, Character)]) -> [(Tone, String)] {
        var pieces: [(Tone, String)] = []
        for (tone, character) in cells {
            if pieces.last?.0 == tone {
                pieces[pieces.count - 1].1.append(character)
            } else {
                pieces.append((tone, String(character)))
            }
        }
        return pieces
    }

    // What is the case at a column's end is drawn, but for the ends of nodes and daemons, which
    // would go unseen when they are back within one column.
    private func cells(of node: RunView.NodeLane) -> [(Tone, String)] {
        var cells = [(Tone, Character)](repeating: (.plain, " "), count: width)
        for span in node.states {
            guard let columns = columns(span.from, span.to) else { continue }
            let cell: (Tone, Character) =
                switch span.state {
                case .down: (.plain, " ")
                case .frozen: (.bad, "#")
                case .up: (.faint, "-")
                case .backup: (.backup, "B")
                case .master: (.master, "=")
                }
            for index in columns { cells[index] = cell }
        }
        for mark in node.marks where mark.time >= from { cells[column(mark.time)] = (.bad, "x") }
        return joined(cells)
    }

    private func cells(of probe: RunView.ProbeLane) -> [(Tone, String)] {
        var cells = [(Tone, Character)](repeating: (.plain, " "), count: width)
        for result in probe.results where result[0] >= from && result[2] == 1 {
            cells[column(result[0])] = (.faint, ".")
        }
        for result in probe.results where result[0] >= from && result[2] == 0 {
            cells[column(result[0])] = (.bad, "x")
        }
        return joined(cells)
    }

    // MARK: Words

    private var axis: String {
        let rough = Double(length) / Double(width) * 10
        var step = 1
        for candidate in Self.steps where Double(step) < rough { step = candidate }
        var text = ""
        for time in stride(from: 0, to: length, by: step) {
            let place = time * width / length
            let label = Duration.microseconds(time).text
            guard place >= text.count, place + label.count <= width else { continue }
            text += String(repeating: " ", count: place - text.count) + label + " "
        }
        return text
    }

    /// 1, 2 and 5 of every power of ten, in microseconds.
    private static let steps = (0..<10).flatMap { exponent in
        let power = (0..<exponent).reduce(1) { power, _ in power * 10 }
        return [power, 2 * power, 5 * power]
    }

    /// What was done, each below its moment.
    private var faults: [String] {
        var told: [(time: Int, text: String)] = []
        for mark in view.nodes.flatMap(\.marks) where mark.isFault && mark.time >= from {
            if !told.contains(where: { $0 == (mark.time, mark.text) }) {
                told.append((mark.time, mark.text))
            }
        }
        return told.sorted { $0.time < $1.time }.map { fault in
            let moment = Duration.microseconds(fault.time - from).text
            let words = "\(fault.text), \(moment)"
            let place = column(fault.time)
            // Near the right edge the words stand before their moment.
            if place + 2 + words.count > width, place > words.count + 1 {
                let blanks = String(repeating: " ", count: place - words.count - 1)
                return row("", [(.plain, blanks), (.bad, "\(words) ^")])
            }
            return row("", [(.plain, String(repeating: " ", count: place)), (.bad, "^ \(words)")])
        }
    }
}
