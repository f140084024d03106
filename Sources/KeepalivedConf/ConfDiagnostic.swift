/// Where something stands in a configuration file.
public struct SourcePosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The file, as it was named to the parser or found by an `include`.
    public var file: String
    private var storedLine: Int32
    private var storedColumn: Int32
    /// Which of the lines that variables and repetition made stands here, from 1; 0: what is
    /// written. No part of the place: see ``ConfDiagnostic/expandedLine``.
    var expansion: Int32

    /// The line, from 1.
    public var line: Int {
        get { Int(storedLine) }
        set { storedLine = Int32(clamping: newValue) }
    }
    /// The column in characters (Unicode scalars), from 1.
    public var column: Int {
        get { Int(storedColumn) }
        set { storedColumn = Int32(clamping: newValue) }
    }

    /// The place in that file.
    public init(file: String, line: Int, column: Int) {
        self.init(
            file: file, line: Int32(clamping: line), column: Int32(clamping: column), expansion: 0)
    }

    /// The place in that file, in the widths it is kept in.
    init(file: String, line: Int32, column: Int32, expansion: Int32) {
        self.file = file
        storedLine = line
        storedColumn = column
        self.expansion = expansion
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.storedLine == right.storedLine && left.storedColumn == right.storedColumn
            && left.file == right.file
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(file)
        hasher.combine(storedLine)
        hasher.combine(storedColumn)
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }

    public var description: String { "\(file):\(line):\(column)" }
}

/// Something the parser has to say about one place of a configuration file.
///
/// Prints as `file:line:column: severity: message; detail`.
public struct ConfDiagnostic: Error, Hashable, Sendable, CustomStringConvertible {
    /// What sort of trouble it is; what it costs is the `severity`.
    public enum Kind: String, Hashable, Sendable {
        /// keepalived would not run with this file (exit status 2).
        case refused
        /// keepalived would run, without an instance, an address or a block that the file has.
        case lossOfConfiguration
        /// Braces do not match, though nothing was lost by it.
        case unbalancedBraces
        /// No keyword of keepalived 2.2.7 in this block.
        case unknownKeyword
        /// A consequence of an earlier mistake: keepalived complains here too.
        case consequence
        /// A value that keepalived replaces, cuts or ignores.
        case adjustedValue
        /// keepalived acts on it, this version of vrrp-agent does not yet.
        case notSupportedYet
        /// Without effect, in keepalived or by design in vrrp-agent.
        case noEffect
        /// A quote, a byte order mark or a line length that makes keepalived misread the line.
        case misreadLine
        /// An `include` that names no readable file: `--config-test` says so, and ends as without.
        case missingInclude
        /// An `include` that names no readable file where one is required: keepalived would not
        /// run (exit status 6).
        case refusedInclude
    }

    /// How bad it is.
    public enum Severity: String, Hashable, Sendable {
        /// The file does not mean what it says; a checker refuses it.
        case error
        /// It works, but not as written.
        case warning
        /// For completeness: a consequence of something else reported, or without effect.
        case note
    }

    /// Where the mistake stands.
    public var position: SourcePosition
    /// How bad it is.
    public var severity: Severity
    /// What sort of trouble it is.
    public var kind: Kind
    /// What keepalived 2.2.7 says about it, word for word; our own words where it says nothing.
    public var message: String
    /// What keepalived makes of it and what would be right, where `message` does not say.
    public var detail: String?
    /// Whether keepalived names the line in its log: it does for what it finds while it reads, not
    /// for what it finds when it completes an instance.
    public var namesLine: Bool
    /// What the line reads once its variables are replaced and its repetition is done; nil where
    /// that is what is written.
    public var expandedLine: String?
    /// What keepalived says when it runs, where it then says it in other words or says more: of a
    /// number that is none, before what that means.
    var runTimeMessages: [String]?
    /// Whether the parser was in no block then.
    var isAboutTopLevel = false

    /// A diagnostic with all its parts.
    public init(
        _ position: SourcePosition, _ severity: Severity, _ kind: Kind, _ message: String,
        detail: String? = nil, namesLine: Bool = true
    ) {
        self.position = position
        self.severity = severity
        self.kind = kind
        self.message = message
        self.detail = detail
        self.namesLine = namesLine
    }

    /// The lines that keepalived logs when it runs: `(FILE: Line N) message`.
    public var logLines: [String] {
        (runTimeMessages ?? [message]).map { message in
            namesLine ? "(\(position.file): Line \(position.line)) \(message)" : message
        }
    }

    public var description: String {
        "\(position): \(severity.rawValue): \(message)" + (detail.map { "; \($0)" } ?? "")
            + (expandedLine.map { "; the line reads '\($0)'" } ?? "")
    }
}
