/// A keyword with its values and its block, where the parser found it.
struct Statement: Sendable {
    var keyword: Word
    var rule: Keyword
    var arguments: [Word]
    /// The statements of a block with keywords.
    var body: [Statement] = []
    /// The lines of a block of free lines.
    var entries: [Entry] = []
    /// Where its block ends; nil when it has none, or the file ends before it.
    var endPosition: SourcePosition?
    /// Whether an unterminated quote took the rest of its line.
    var hasUnterminatedQuote = false

    var name: String { keyword.text }
    var position: SourcePosition { keyword.position }

    /// The first value; the parser has made sure of it where `rule.requiresParameter`, so an empty
    /// text never reaches a reader from there.
    var value: Word { arguments.first ?? Word(text: "", position: position) }

    /// One line of a block of free lines.
    struct Entry: Sendable {
        /// Its words, at least one.
        var words: [Word]
        /// Whether it stands in braces that keepalived did not understand.
        var isDisplaced: Bool

        var position: SourcePosition { words[0].position }
    }
}
