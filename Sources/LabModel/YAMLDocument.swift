import Yams

/// A YAML text as a tree of values with places: the one file that knows Yams.
///
/// Anchors, aliases and merge keys (`<<`) are resolved. Duplicate keys are problems of their own
/// and do not hide the rest of the file.
struct YAMLDocument {
    /// Something wrong with the text as YAML.
    struct Problem {
        var mark: YAMLMark
        var message: String
    }

    /// The most values a document may have once its aliases are resolved; a few lines of nested
    /// aliases can otherwise stand for billions.
    static let maximumValues = 200_000
    /// The most duplicate keys that are looked for in one document.
    static let maximumDuplicates = 100

    /// The document's value; nil when the text is no YAML, or has no document in it.
    private(set) var root: YAMLValue?
    /// What is wrong with it.
    private(set) var problems: [Problem] = []

    /// Reads the one document of `text`.
    init(parsing text: String) {
        // Yams refuses a mapping with a duplicate key and stops. So the first of the two gets
        // another first letter, one that no text contains and that moves nothing else, and the
        // text is read again: the places of both are known then, and the rest of the file is read.
        var scalars = Array(text.unicodeScalars)
        var renamed: [YAMLMark: String] = [:]
        while true {
            do {
                var view = String.UnicodeScalarView()
                view.append(contentsOf: scalars)
                // Without resolver rules: a scalar's type is for the lab file's key to say.
                let node = try Yams.compose(yaml: String(view), .basic, .default, .utf8)
                var converter = Converter(renamed: renamed)
                root = try node.map { try converter.value(of: $0) }
                problems = converter.problems
            } catch let YamlError.duplicatedKeysInMapping(duplicates, context) {
                let mark = YAMLMark(line: context.mark.line, column: context.mark.column)
                let key = duplicates.first ?? ""
                guard renamed.count < Self.maximumDuplicates,
                    Self.rename(key, at: mark, in: &scalars, number: renamed.count)
                else {
                    problems = [Problem(mark: mark, message: "duplicate key '\(key)'")]
                    return
                }
                renamed[mark] = key
                continue
            } catch let problem as TooManyValues {
                problems = [problem.problem]
            } catch {
                problems = [Self.problem(of: error, in: text)]
                // The duplicates found so far are mistakes as well, but where their second key
                // stands is not known without a tree; the syntax error comes first anyway.
            }
            return
        }
    }

    /// Puts a private-use character in place of the first one of the key at `mark`.
    ///
    /// - Returns: false when the key is not written there as plain or quoted text.
    private static func rename(
        _ key: String, at mark: YAMLMark, in scalars: inout [Unicode.Scalar], number: Int
    ) -> Bool {
        var line = 1
        var index = 0
        while line < mark.line, index < scalars.count {
            let isBreak =
                switch scalars[index] {
                case "\r": index + 1 == scalars.count || scalars[index + 1] != "\n"
                case "\n", "\u{85}", "\u{2028}", "\u{2029}": true
                default: false
                }
            if isBreak { line += 1 }
            index += 1
        }
        index += mark.column - 1
        guard index < scalars.count else { return false }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, let first = key.unicodeScalars.first, scalars[index] == first,
            let replacement = Unicode.Scalar(UInt32(0xe000 + number))
        else { return false }
        scalars[index] = replacement
        return true
    }

    /// The lines of a text, broken where YAML 1.1 does (§4.2).
    private static func lines(of text: String) -> [[Unicode.Scalar]] {
        var lines: [[Unicode.Scalar]] = [[]]
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where previous == "\r": break
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": lines.append([])
            default: lines[lines.count - 1].append(scalar)
            }
            previous = scalar
        }
        return lines
    }

    /// The problem behind an error of Yams.
    private static func problem(of error: any Error, in text: String) -> Problem {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let lines = lines(of: text)
            var message = problem
            if case YamlError.composer = error, let context {
                message = "\(context.text) \(problem)"
            } else if mark.line <= lines.count, lines[mark.line - 1].first == "\t" {
                message = "a tab at the beginning of a line; YAML is indented with spaces"
            } else if let context {
                message += " (\(context.text), line \(context.mark.line))"
            }
            var place = YAMLMark(line: mark.line, column: mark.column)
            // The end of a text without a final newline is reported on the line after it.
            if mark.line > lines.count {
                place = YAMLMark(line: lines.count, column: lines[lines.count - 1].count + 1)
            }
            return Problem(mark: place, message: "no valid YAML: \(message)")
        case YamlError.reader(let problem, let offset, _, _):
            // Yams counts characters here, and scalars elsewhere.
            let before = lines(of: String(text.prefix(offset ?? 0)))
            return Problem(
                mark: YAMLMark(line: before.count, column: before[before.count - 1].count + 1),
                message: "no valid YAML: \(problem)")
        default:
            return Problem(mark: YAMLMark(line: 1, column: 1), message: "no valid YAML: \(error)")
        }
    }
}

/// Thrown when resolved aliases make a document too large.
private struct TooManyValues: Error {
    var problem: YAMLDocument.Problem
}

/// Makes values of Yams' nodes.
private struct Converter {
    /// Keys whose first letter was replaced, by their place.
    let renamed: [YAMLMark: String]
    var problems: [YAMLDocument.Problem] = []
    private var count = 0

    init(renamed: [YAMLMark: String]) { self.renamed = renamed }

    /// What YAML itself defines; any other tag would ask for something that is not done here.
    private static let tags = ["str", "int", "float", "bool", "null", "seq", "map"].map {
        "tag:yaml.org,2002:" + $0
    }

    mutating func value(of node: Yams.Node) throws -> YAMLValue {
        let mark = node.mark.map { YAMLMark(line: $0.line, column: $0.column) }
        let place = mark ?? YAMLMark(line: 1, column: 1)
        count += 1
        guard count <= YAMLDocument.maximumValues else {
            throw TooManyValues(
                problem: .init(
                    mark: place,
                    message: "more than \(YAMLDocument.maximumValues) values, aliases resolved"))
        }
        if !Self.tags.contains(node.tag.rawValue) {
            problems.append(
                .init(mark: place, message: "tag '\(node.tag.rawValue)' means nothing here"))
        }
        switch node {
        case .scalar(let scalar):
            return YAMLValue(
                content: .scalar(scalar.string, isPlain: scalar.style == .plain), mark: place)
        case .sequence(let sequence):
            return YAMLValue(
                content: .sequence(try sequence.map { try value(of: $0) }), mark: place)
        case .mapping(let mapping):
            return YAMLValue(content: .mapping(try entries(of: mapping)), mark: place)
        case .alias:
            preconditionFailure("Yams composes aliases into the nodes they stand for")
        }
    }

    /// A mapping's entries: the first of each key, then what merge keys bring in.
    private mutating func entries(of mapping: Yams.Node.Mapping) throws -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        var places: [String: YAMLMark] = [:]
        var merged: [YAMLEntry] = []
        for (keyNode, valueNode) in mapping {
            let keyValue = try value(of: keyNode)
            guard case .scalar(let written, let isPlain) = keyValue.content else {
                problems.append(
                    .init(mark: keyValue.mark, message: "a key must be a text"))
                continue
            }
            let value = try value(of: valueNode)
            if written == "<<", isPlain {
                merged += mergedEntries(from: value)
                continue
            }
            let key = renamed[keyValue.mark] ?? written
            if let first = places[key] {
                problems.append(
                    .init(
                        mark: keyValue.mark,
                        message: "duplicate key '\(key)', first given on line \(first.line)"))
                continue
            }
            places[key] = keyValue.mark
            entries.append(YAMLEntry(key: key, keyMark: keyValue.mark, value: value))
        }
        for entry in merged where places[entry.key] == nil {
            places[entry.key] = entry.keyMark
            entries.append(entry)
        }
        return entries
    }

    /// What the value of a merge key brings in: the entries of one mapping, or of a list of them.
    private mutating func mergedEntries(from value: YAMLValue) -> [YAMLEntry] {
        switch value.content {
        case .mapping(let entries):
            return entries
        case .sequence(let values):
            return values.flatMap { mergedEntries(from: $0) }
        case .scalar:
            problems.append(
                .init(mark: value.mark, message: "'<<' merges mappings, not \(value.typeInWords)"))
            return []
        }
    }
}
