/// Text made safe for the languages that reports are written in.
enum Markup {
    /// Text of HTML, SVG or XML, as content and within quoted attributes: the five characters that
    /// mean something replaced, and the control characters that XML has no way to write.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: result += "\u{fffd}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A string in double quotes, as DOT and YAML read it.
    static func quoted(_ text: String) -> String {
        let content = text.map { character in
            switch character {
            case "\"", "\\": "\\\(character)"
            case _ where character.isNewline: "\\n"
            default: "\(character)"
            }
        }
        return "\"\(content.joined())\""
    }

    /// A description of the Test Anything Protocol: `#` begins a directive, and a line is a line.
    static func description(_ text: String) -> String {
        text.map { character in
            switch character {
            case "#", "\\": "\\\(character)"
            case _ where character.isNewline: " "
            default: "\(character)"
            }
        }.joined()
    }

    /// Text within Mermaid's quotation marks.
    static func entities(_ text: String) -> String {
        text.map { $0 == "\"" ? "#quot;" : "\($0)" }.joined()
    }
}
