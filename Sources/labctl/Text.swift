import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem
import SystemPackage

/// Columns that line up.
struct TextTable {
    private var rows: [[String]]

    init(_ header: [String]) { rows = [header] }

    mutating func add(_ row: [String]) { rows.append(row) }

    /// The table, two spaces between columns, nothing after the last.
    var text: String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in
            rows.map { $0[column].count }.max() ?? 0
        }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}

/// Colours, where standard output is a terminal that wants them.
enum Style: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"

    static let isOn: Bool = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil

    func callAsFunction(_ text: String) -> String {
        Self.isOn ? "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" : text
    }
}

/// Prints a value as JSON, keys in a fixed order.
func printJSON(_ value: some Encodable, isPretty: Bool = true) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
        isPretty
        ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        : [.sortedKeys, .withoutEscapingSlashes]
    printLine(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// Prints a line to standard output at once, for whoever follows a pipe.
///
/// Results that cannot be printed end the program: as any other program's in a pipe when the
/// reader has gone away (`labctl events | head`), else with a message.
func printLine(_ text: String) { printText(text + "\n") }

/// Prints text to standard output as it is.
func printText(_ text: String) {
    do {
        try FileSystem.writeAll(
            Array(text.utf8)[...], to: STDOUT_FILENO, name: "standard output")
    } catch {
        if error.code == .brokenPipe { endForLackOfReader() }
        printError("\(error)")
        exit(ExitStatus.failed.rawValue)
    }
}

/// Dies of SIGPIPE, as programs do that write to a pipe nobody reads.
func endForLackOfReader() -> Never {
    signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
    exit(ExitStatus.failed.rawValue)
}

/// Prints a file's mistakes where they belong.
func printWarnings(_ diagnostics: [Diagnostic]) {
    for diagnostic in diagnostics { printError(diagnostic.description) }
}
