/// A file that an `include` names.
public struct IncludedFile: Hashable, Sendable {
    /// Its path, as diagnostics name it.
    public var path: String
    /// Its contents.
    public var text: String

    /// The file of that path and contents.
    public init(path: String, text: String) {
        self.path = path
        self.text = text
    }
}

/// Finds the files that an `include` names: given the pattern as written and the file it stands in
/// (to whose folder a relative pattern belongs), the readable files it matches, in order.
public typealias IncludeResolver = (_ pattern: String, _ includingFile: String) -> [IncludedFile]

/// Where included files come from.
enum IncludeSource {
    case resolver(IncludeResolver)
    case files(ConfigurationFiles)
}

/// What an `include` found, and what is to be said of it.
struct IncludeResult {
    var files: [IncludedFile] = []
    /// In keepalived's words, each with the checks that make keepalived refuse to run for it.
    var complaints: [(message: String, severity: ConfDiagnostic.Severity, checks: IncludeChecks)] =
        []

    /// Asks the source for what `pattern` in `includer` names.
    init(
        _ pattern: String, in includer: String, source: IncludeSource, checks: IncludeChecks
    ) {
        switch source {
        case .resolver(let resolve):
            files = resolve(pattern, includer)
            guard files.isEmpty else { return }
            complainOfNothing(
                pattern, isMissing: !pattern.utf8.contains { "*?[".utf8.contains($0) })
        case .files(let view):
            let folder =
                includer.utf8.lastIndex(of: UInt8(ascii: "/")).map { includer[...$0] } ?? ""
            let found = Glob(pattern, in: String(folder), files: view)
            guard !found.paths.isEmpty else {
                complainOfNothing(pattern, isMissing: found.hasMissing)
                return
            }
            if found.hasMissing {
                complaints.append(
                    ("Some config files missing: \"\(pattern)\".", .warning, .braceMatch))
                if checks.contains(.braceMatch) { return }
            }
            for path in found.paths { read(path, from: view, isNamed: !found.hasWildcard) }
        }
    }

    private mutating func complainOfNothing(_ pattern: String, isMissing: Bool) {
        if isMissing {
            complaints.append(
                (
                    "Config files missing '\(pattern)'.", .error,
                    Glob.hasBrace(pattern) ? .braceMatch : .match
                ))
        } else {
            // A pattern may well match nothing: keepalived says so only where it is to match.
            complaints.append(("No config files matched '\(pattern)'.", .note, .wildcardMatch))
        }
    }

    private mutating func read(_ path: String, from view: ConfigurationFiles, isNamed: Bool) {
        let severity: ConfDiagnostic.Severity = isNamed ? .error : .note
        switch view.content(path) {
        case .text(let text):
            files.append(IncludedFile(path: path, text: text))
        case .folder:
            complaints.append(
                (
                    "Configuration file '\(path)/' is a directory - skipping", severity, .readable
                ))
        case .irregular, nil:
            complaints.append(
                (
                    "Configuration file '\(path)' is not a regular non-executable file - skipping",
                    severity, .readable
                ))
        case .unreadable(let reason):
            complaints.append(
                (
                    "Configuration file '\(path)' open problem (\(reason)) - skipping", .error,
                    .readable
                ))
        }
    }
}

extension IncludeChecks {
    /// The checks of a line's `include` keyword, and where the pattern starts; nil where the line
    /// is something else.
    static func ofInclude(_ line: [Cell]) -> (checks: IncludeChecks, patternStart: Int)? {
        guard line.hasPrefix("include"), line.count > 8 else { return nil }
        if isSpaceByte(line[7].byte) { return ([], 8) }
        guard isSpaceByte(line[8].byte) else { return nil }
        switch line[7].byte {
        case UInt8(ascii: "r"): return (.readable, 9)
        case UInt8(ascii: "m"): return ([.readable, .match], 9)
        case UInt8(ascii: "w"): return ([.readable, .match, .wildcardMatch], 9)
        case UInt8(ascii: "b"): return ([.readable, .braceMatch], 9)
        case UInt8(ascii: "a"): return (.all, 9)
        default: return nil
        }
    }

    /// The check that `include_check` knows by that name.
    init?(name: String) {
        switch name {
        case "read": self = .readable
        case "match": self = .match
        case "wildcard_match": self = .wildcardMatch
        case "brace_match": self = .braceMatch
        default: return nil
        }
    }
}
