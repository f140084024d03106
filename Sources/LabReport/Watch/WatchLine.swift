/// A line of the screen: stretches of text, each in one style.
public struct WatchLine: Equatable, Sendable {
    /// How text stands out.
    public enum Style: String, Equatable, Sendable {
        case plain = "0"
        case bold = "1"
        case dim = "2"
        case selected = "7"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    /// A stretch of text.
    public struct Run: Equatable, Sendable {
        public var text: String
        public var style: Style
    }

    public private(set) var runs: [Run] = []

    init() {}

    init(_ text: String, _ style: Style = .plain) { add(text, style) }

    /// Adds text. Whatever is not a visible character of one cell's width becomes `?`: what daemons
    /// and servers say must neither move the cursor nor shift what stands beside it.
    mutating func add(_ text: String, _ style: Style = .plain) {
        let cells = text.unicodeScalars.reduce(into: "") { line, scalar in
            let isCell = (0x20...0x7e).contains(scalar.value)
            line.unicodeScalars.append(isCell ? scalar : "?")
        }
        append(cells, style)
    }

    /// Adds characters that are known to be one cell wide each.
    mutating func append(_ cells: String, _ style: Style = .plain) {
        guard !cells.isEmpty else { return }
        if runs.last?.style == style {
            runs[runs.count - 1].text += cells
        } else {
            runs.append(Run(text: cells, style: style))
        }
    }

    /// Fills up with blanks to that width.
    mutating func pad(to width: Int) {
        append(String(repeating: " ", count: max(0, width - count)))
    }

    /// How many cells it takes.
    public var count: Int { runs.reduce(0) { $0 + $1.text.unicodeScalars.count } }

    /// Its text without the styles.
    public var text: String { runs.map(\.text).joined() }

    /// What fits in that many cells.
    func clipped(to width: Int) -> WatchLine {
        var line = WatchLine()
        for run in runs {
            var cells = String.UnicodeScalarView()
            cells.append(contentsOf: run.text.unicodeScalars.prefix(max(0, width - line.count)))
            line.append(String(cells), run.style)
        }
        return line
    }

    /// The same in one style.
    func restyled(_ style: Style) -> WatchLine {
        var line = WatchLine()
        line.append(text, style)
        return line
    }

    /// What makes a terminal show it (ECMA-48, SGR).
    ///
    /// - Parameter isColoured: whether red, green and yellow are; else they are plain.
    func sequence(isColoured: Bool) -> String {
        runs.map { run in
            switch run.style {
            case .plain: run.text
            case .red, .green, .yellow:
                isColoured ? "\u{1b}[\(run.style.rawValue)m\(run.text)\u{1b}[0m" : run.text
            case .bold, .dim, .selected: "\u{1b}[\(run.style.rawValue)m\(run.text)\u{1b}[0m"
            }
        }.joined()
    }
}

/// What a terminal shows, and how little has to be sent for it to show something else.
public struct WatchCanvas: Sendable {
    private let isColoured: Bool
    private var size: WatchSize?
    private var lines: [WatchLine] = []

    /// - Parameter isColoured: whether the terminal is to show colours.
    public init(isColoured: Bool) { self.isColoured = isColoured }

    /// What is to be sent so that the terminal shows `lines`; empty when it does already.
    ///
    /// After another size, which shifts what is there, all is sent.
    public mutating func update(to lines: [WatchLine], size: WatchSize) -> String {
        var sent = ""
        if self.size != size {
            // A line that is drawn over must not be wrapped meanwhile: whole and clean.
            sent = "\u{1b}[2J"
            self.lines = []
        }
        for row in 0..<size.rows {
            let new = row < lines.count ? lines[row] : WatchLine()
            let old = row < self.lines.count ? self.lines[row] : WatchLine()
            guard new != old else { continue }
            sent += "\u{1b}[\(row + 1);1H\(new.sequence(isColoured: isColoured))"
            if new.count < size.columns { sent += "\u{1b}[K" }
        }
        self.size = size
        self.lines = lines
        return sent
    }
}
