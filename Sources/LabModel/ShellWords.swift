/// A command line split into words, as a POSIX shell does before it expands anything (POSIX.1
/// 2.2, Quoting): white space separates, a backslash and both kinds of quotes keep what they
/// protect together. Nothing is expanded; what asks a shell for more is refused.
public enum ShellWords {
    /// Why a command line cannot be split.
    public enum Problem: Error, Equatable {
        /// A quote without its end.
        case unterminatedQuote
        /// A backslash at the end.
        case danglingBackslash
        /// A pipe, redirection, variable or the like, which only a shell would understand.
        case needsShell(Character)
    }

    /// The words of `line`.
    public static func split(_ line: String) throws(Problem) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in line {
            if isEscaped {
                // Inside double quotes a backslash protects only what has a meaning there.
                if quote == "\"", !"\"\\$`".contains(character) { word?.append("\\") }
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                word = word ?? ""
                isEscaped = true
            } else if let open = quote {
                if character == open {
                    quote = nil
                } else if open == "\"", character == "$" || character == "`" {
                    throw .needsShell(character)
                } else {
                    word?.append(character)
                }
            } else if character == "'" || character == "\"" {
                word = word ?? ""
                quote = character
            } else if character.isWhitespace {
                if let finished = word { words.append(finished) }
                word = nil
            } else if "|&;<>()$`".contains(character) {
                throw .needsShell(character)
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { throw .unterminatedQuote }
        guard !isEscaped else { throw .danglingBackslash }
        if let word { words.append(word) }
        return words
    }
}
