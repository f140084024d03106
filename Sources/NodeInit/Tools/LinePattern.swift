import CLinux
import Glibc

/// What `journalctl -g` looks for in lines: an extended regular expression (regex(7)), which is
/// what is commonly used of the Perl ones that journalctl takes. Without a capital letter in it, it
/// does not tell capital letters from small ones.
final class LinePattern {
    private var compiled = regex_t()

    /// - Throws: ``UsageError`` for a text that is no such expression.
    init(_ text: String) throws(UsageError) {
        let folding = text.contains(where: \.isUppercase) ? 0 : REG_ICASE
        let code = regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB | folding)
        guard code == 0 else {
            throw UsageError(message: "Bad pattern \"\(text)\": not a regular expression")
        }
    }

    deinit { regfree(&compiled) }

    /// Whether it is found in a line.
    func matches(_ line: String) -> Bool { regexec(&compiled, line, 0, nil, 0) == 0 }
}
