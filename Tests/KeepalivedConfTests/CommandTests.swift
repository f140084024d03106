import Testing

@testable import KeepalivedConf

@Suite("Commands and their words")
struct CommandTests {
    /// The configuration with a script whose `script` line is that.
    private func script(_ line: String) -> ParsedConfiguration {
        parse("vrrp_script s {\nscript \(line)\n}\n")
    }

    private func arguments(_ line: String) throws -> [String] {
        let parsed = script(line)
        #expect(parsed.complaints == [])
        return try #require(parsed.configuration.scripts.first).command.arguments
    }

    @Test("the value is split, with single and double quotes, also within a word")
    func quotes() throws {
        #expect(try arguments(#""/bin/x a  b""#) == ["/bin/x", "a", "b"])
        #expect(try arguments(#""/bin/x 'a  b' c'd e'f ''""#) == ["/bin/x", "a  b", "cd ef", ""])
        #expect(try arguments("'/bin/x a'") == ["/bin/x", "a"])
        #expect(try arguments(#"/bin/x" a"' b'"#) == ["/bin/x", "a", "b"])
    }

    @Test("escapes count twice, in the line and in the value, and inside single quotes too")
    func escapes() throws {
        #expect(
            try arguments(#""/bin/sh -c 'echo \"a b\" \\ x'""#)
                == ["/bin/sh", "-c", #"echo "a b"  x"#])
        #expect(try arguments(#""/bin/x \x41\102\\t\\cA""#) == ["/bin/x", "AB\t\u{1}"])
        #expect(try arguments(#""/bin/x a\\ b""#) == ["/bin/x", "a b"])
        // A NUL ends a word in C.
        #expect(try arguments(#""/bin/x a\\000b""#) == ["/bin/x", "a"])
    }

    @Test("user and group follow a notify command, and may be quoted as it may")
    func user() throws {
        let parsed = parse(instance(#"notify "/bin/x 'a b'" 'nobody' nogroup"#))
        let command = try #require(try parsed.only.notify.any)
        #expect(command.arguments == ["/bin/x", "a b"])
        #expect(command.user == ["nobody", "nogroup"])
    }

    @Test("a quote that is not closed leaves no command, and says which")
    func unfinished() {
        let open = script(#""/bin/x 'a""#)
        #expect(open.configuration.scripts.isEmpty)
        #expect(
            open.complaints.first
                == "k.conf:2:8: warning: String '/bin/x 'a': missing terminating '")
        // The words of the line end at an escaped quote as at any other.
        let odd = script(#""/bin/x a\" b""#)
        #expect(odd.complaints.contains { $0.contains("Unmatched quote: 'script") })
    }

    @Test(
        "what is printed is read as the same words",
        arguments: [
            "plain", "", "two words", "it's", #"a "b" c"#, #"back\slash"#, "tab\tnewline\n", "$x",
            "a{b}#c!d", #"\"'"#,
        ])
    func roundTrip(_ argument: String) throws {
        var configuration = script("/bin/x").configuration
        configuration.scripts[0].command.arguments = ["/bin/x", argument, "end"]
        let parsed = parse(configuration.canonicalText)
        #expect(parsed.complaints == [], "\(configuration.canonicalText)")
        #expect(
            parsed.configuration.scripts.first?.command.arguments == ["/bin/x", argument, "end"])
    }
}
