/// A decoder that must stand whatever bytes come: what libFuzzer runs (`scripts/fuzz NAME`), and
/// what the unit tests run over the corpus.
public struct FuzzTarget: Sendable {
    /// Its name: of its folder in Corpus, and on the command line.
    public let name: String
    /// What the bytes are.
    public let summary: String
    /// Decodes the bytes and looks at what came of it. A crash is a finding, and so is a
    /// ``Breach``.
    public let run: @Sendable (_ bytes: [UInt8]) throws -> Void

    init(
        _ name: String, _ summary: String,
        run: @escaping @Sendable (_ bytes: [UInt8]) throws -> Void
    ) {
        self.name = name
        self.summary = summary
        self.run = run
    }

    /// All decoders.
    public static let all: [FuzzTarget] = [
        .advertisement, .frame, .superframe, .netlink, .keepalivedConf, .frrConf, .labFile,
        .scenario, .words,
        .nodeMessages, .controlMessages, .timeline, .relayMessages, .http, .mail, .logs,
        .sysctl, .nodeCommands, .alerts, .trackedFile, .scriptResults, .machine, .probeAnswers,
        .record,
    ]

    /// The decoder of that name.
    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Something that a decoder promises and did not keep.
public struct Breach: Error, CustomStringConvertible {
    public var description: String
}

/// Throws a ``Breach`` unless the condition holds.
func require(_ condition: Bool, _ promise: @autoclosure () -> String) throws {
    if !condition { throw Breach(description: promise()) }
}

/// Throws a ``Breach`` unless both are the same.
func requireEqual<Value: Equatable>(
    _ one: Value, _ other: Value, _ promise: @autoclosure () -> String
) throws {
    if one != other { throw Breach(description: "\(promise()):\n  \(one)\n  \(other)") }
}

/// The lines of a text, as those count who look for a place in it.
struct TextPlaces {
    /// Columns of each line.
    private let columns: [Int]

    /// A text whose lines end with LF, and with nothing else.
    init(endingWithLF text: String) {
        columns = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map(\.count)
    }

    /// A text whose lines end with what ends a line of YAML 1.1 (§4.2).
    init(yaml text: String) {
        var columns = [0]
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where previous == "\r": break
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": columns.append(0)
            default: columns[columns.count - 1] += 1
            }
            previous = scalar
        }
        self.columns = columns
    }

    /// Whether there is such a place; the end of a line is one.
    func contain(line: Int, column: Int) -> Bool {
        line >= 1 && line <= columns.count && column >= 1 && column <= columns[line - 1] + 1
    }
}
