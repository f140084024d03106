/// Latencies and failures as one line of characters.
public enum Sparkline {
    /// What became of the requests that were due in one column's time.
    struct Column: Equatable, Sendable {
        /// The slowest answer; nil where none came.
        private(set) var slowest: Duration?
        private(set) var hasFailure = false

        /// Adds a request: how long its answer took, or nil for a failure.
        mutating func add(_ latency: Duration?) {
            guard let latency else { return hasFailure = true }
            slowest = max(slowest ?? latency, latency)
        }
    }

    /// The characters to draw with; each is one cell wide.
    public struct Glyphs: Equatable, Sendable {
        /// From the least to the most.
        let levels: [Character]
        let failure: Character
        let nothing: Character

        /// For every terminal.
        public static let ascii = Glyphs(
            levels: ["_", ".", "-", "=", "+", "*", "#"], failure: "x", nothing: " ")
        /// For a terminal that shows Unicode's block elements in one cell each, as all do but some
        /// that are set up for East Asian languages.
        public static let blocks = Glyphs(
            levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"], failure: "x", nothing: " ")
    }

    /// The characters of a line, and which of them are failures. A column is as high as its slowest
    /// answer compared with the slowest of all.
    static func line(_ columns: [Column], _ glyphs: Glyphs) -> [(glyph: Character, failed: Bool)] {
        let most = columns.compactMap(\.slowest).max() ?? .zero
        return columns.map { column in
            if column.hasFailure { return (glyphs.failure, true) }
            guard let slowest = column.slowest else { return (glyphs.nothing, false) }
            let last = glyphs.levels.count - 1
            let share = most > .zero ? slowest / most : 0
            return (glyphs.levels[min(last, Int(share * Double(glyphs.levels.count)))], false)
        }
    }
}
