/// One mistake in a file the user wrote, with the place where it stands.
///
/// Prints as `file:line:column: message`, and sorts in that order.
public struct Diagnostic: Error, Codable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The file as the user named it.
    public var file: String
    /// Its line, from 1; 0 where the mistake is the whole file's.
    public var line: Int
    /// The column in characters, from 1; 0 where the mistake is the whole line's.
    public var column: Int
    /// Whether it stops the lab.
    public var severity: Severity
    /// What is wrong and what would be right: lower case, no full stop.
    public var message: String

    /// How bad a mistake is.
    public enum Severity: String, Codable, Sendable { case error, warning }

    public init(file: String, line: Int, column: Int, severity: Severity = .error, message: String)
    {
        self.file = file
        self.line = line
        self.column = column
        self.severity = severity
        self.message = message
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.file, left.line, left.column, left.message) < (
            right.file, right.line, right.column, right.message
        )
    }

    public var description: String {
        var place = file
        if line > 0 { place += ":\(line)" }
        if line > 0, column > 0 { place += ":\(column)" }
        return "\(place): \(severity == .warning ? "warning: " : "")\(message)"
    }
}
