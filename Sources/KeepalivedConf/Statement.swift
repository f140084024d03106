/// A keyword with its values and its block, where the parser found it.
///
/// A class, since it is handed from reader to reader and never changes once it is parsed.
final class Statement {
    let words: [Word]
    let rule: Keyword
    /// The statements of a block with keywords.
    var body: [Statement] = []
    /// The lines of a block of free lines.
    var entries: [Entry] = []
    /// Where its block ends; nil when it has none, or the file ends before it.
    var endPosition: SourcePosition?
    /// Its line as it stands, where quotes or escapes may make other words of it.
    let quoting: LogicalLine.Quoting?

    /// The statement of a line, without its block.
    init(_ words: [Word], rule: Keyword, quoting: LogicalLine.Quoting?) {
        self.words = words
        self.rule = rule
        self.quoting = quoting
    }

    var keyword: Word { words[0] }
    var name: String { words[0].text }
    var position: SourcePosition { words[0].position }
    /// The values on its line.
    var arguments: Arguments { Arguments(words: words) }

    /// The first value; the parser has made sure of it where `rule.requiresParameter`, so an empty
    /// text never reaches a reader from there.
    var value: Word { words.count > 1 ? words[1] : Word(text: "", position: position) }

    /// The words after the first, counted from 0.
    struct Arguments: RandomAccessCollection {
        fileprivate let words: [Word]

        var startIndex: Int { 0 }
        var endIndex: Int { words.count - 1 }
        subscript(index: Int) -> Word { words[index + 1] }
    }

    /// One line of a block of free lines.
    struct Entry: Sendable {
        /// Its words, at least one.
        var words: [Word]
        /// Whether it stands in braces that keepalived did not understand.
        var isDisplaced: Bool

        var position: SourcePosition { words[0].position }
    }
}
