import Testing

@testable import KeepalivedConf

@Suite("Lines and words")
struct LexerTests {
    /// The logical lines, words joined by `|`.
    private func lines(_ text: String) -> [String] {
        var reader = LineReader(context: ConfigurationContext(), source: .resolver { _, _ in [] })
        reader.read(text, file: "k.conf")
        return reader.lines.map { line in
            switch line.content {
            case .open: "{"
            case .close: "}"
            case .words(let words): words.map(\.text).joined(separator: "|")
            }
        }
    }

    @Test("braces are lines of their own, and what follows them is another line")
    func braces() {
        #expect(lines("a b { c } d") == ["a|b", "{", "c", "}", "d"])
        #expect(lines("a\n{\n}\n") == ["a", "{", "}"])
        #expect(lines("a{b}") == ["a", "{", "b", "}"])
    }

    @Test("comments start at ! or #, with or without a space, but not in double quotes")
    func comments() {
        #expect(lines("! all\na#b\nc ! d\n\"e ! f\" # g") == ["a", "c", "e ! f"])
    }

    @Test("white space is blanks, tabs, and the CR of CR LF")
    func whiteSpace() {
        #expect(lines("\ta\t b \r\nc\r\n") == ["a|b", "c"])
    }

    @Test("double quotes hold a word together, braces and comment characters in it too")
    func quotes() {
        #expect(lines(#"n "x {y} # z" w"#) == ["n|x {y} # z|w"])
        #expect(lines(#"a"b c"d"#) == ["a|b c|d"])
        #expect(lines(#"a "" b"#) == ["a||b"])
    }

    @Test("every word knows its place, columns counted in characters")
    func positions() throws {
        var reader = LineReader(context: ConfigurationContext(), source: .resolver { _, _ in [] })
        reader.read("# ü\n  kéy  \"välue 1\" x { y\n", file: "k.conf")
        let words = reader.lines.flatMap { line in
            if case .words(let words) = line.content { words } else { [Word]() }
        }
        #expect(words.map(\.text) == ["kéy", "välue 1", "x", "y"])
        #expect(words.map(\.position.column) == [3, 8, 18, 22])
        #expect(words.allSatisfy { $0.position.line == 2 && $0.position.file == "k.conf" })
        #expect(reader.lines[1].position.column == 20)
    }

    @Test("an unterminated quote takes the rest of its line, braces included, and is an error")
    func unterminatedQuote() throws {
        var reader = LineReader(context: ConfigurationContext(), source: .resolver { _, _ in [] })
        reader.read("a \"b {\nc\n", file: "k.conf")
        #expect(reader.lines.count == 2)
        #expect(reader.lines[0].quoting == .open("a \"b {"))
        let diagnostic = try #require(reader.diagnostics.first)
        #expect(diagnostic.message == "Unterminated quote 'a \"b {'")
        #expect(diagnostic.severity == .error)
        #expect(diagnostic.position == SourcePosition(file: "k.conf", line: 1, column: 3))
    }

    @Test("a file without a newline at its end, or with nothing in it, is read to its end")
    func endOfFile() {
        #expect(lines("a b") == ["a|b"])
        #expect(lines("") == [])
        #expect(lines("\n\n") == [])
    }

    @Test("a $ that names no variable is the character it is")
    func dollar() throws {
        let parsed = parse(
            instance("authentication {\nauth_type PASS\nauth_pass pa$word\n}"))
        #expect(try parsed.only.authentication == .password(Array("pa$word".utf8)))
        #expect(parsed.diagnostics.isEmpty)
    }
}
