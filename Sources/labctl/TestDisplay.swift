import Glibc
import LinuxSystem

/// Where it is shown how tests go: lines, and on a terminal, below them, a few that are drawn anew
/// as time passes.
final class TestDisplay {
    /// How often what changes with time is drawn.
    static let refreshInterval: Duration = .milliseconds(100)

    private let output: CInt
    /// Whether lines can be drawn anew.
    let isLive: Bool
    /// How many there are.
    private var drawnCount = 0

    /// How wide it is.
    var columns: Int { Int(Terminal.size(of: output).columns) }

    /// - Parameter output: standard output, or standard error where results go to the former.
    init(_ output: CInt) {
        self.output = output
        isLive = isatty(output) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"
    }

    /// Prints lines that stay.
    func print(_ lines: [String]) {
        write(erasure + lines.map { $0 + "\n" }.joined())
        drawnCount = 0
    }

    /// Draws the lines that change, in place of those before.
    func draw(_ lines: [String]) {
        guard isLive else { return }
        // One that is broken by the terminal would count as one and take two.
        let columns = columns
        write(erasure + lines.map { $0.prefix(max(columns - 1, 20)) + "\n" }.joined())
        drawnCount = lines.count
    }

    // Up to the first of the lines, and everything from there on gone.
    private var erasure: String { drawnCount == 0 ? "" : "\u{1b}[\(drawnCount)A\u{1b}[J" }

    private func write(_ text: String) {
        guard !text.isEmpty else { return }
        if output == STDOUT_FILENO { return printText(text) }
        try? FileSystem.writeAll(Array(text.utf8)[...], to: output, name: "standard error")
    }
}
