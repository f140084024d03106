import KeepalivedConf
import NetworkTypes
import Testing

@Suite("Blocks, braces and unknown keywords")
struct StructureTests {
    @Test("a misspelled keyword is a warning with a suggestion")
    func misspelledKeyword() throws {
        let parsed = parse(instance("priorty 90"))
        #expect(
            parsed.complaints == [
                "k.conf:4:1: warning: Unknown keyword 'priorty'; did you mean 'priority'?"
            ])
        #expect(try parsed.only.priority == 100)
    }

    @Test("a word unlike any keyword gets no suggestion")
    func noSuggestion() {
        #expect(
            parse(instance("zzzzzz 1")).complaints == [
                "k.conf:4:1: warning: Unknown keyword 'zzzzzz'"
            ])
    }

    @Test("a keyword of another block names that block")
    func keywordOfAnotherBlock() {
        #expect(
            parse(instance("auth_pass x")).complaints == [
                "k.conf:4:1: warning: Unknown keyword 'auth_pass'; it belongs in authentication"
            ])
    }

    @Test("a misspelled block loses what follows: one error, the rest is notes")
    func misspelledBlock() throws {
        let parsed = parse(
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipadress {
                    192.0.2.1
                }
                priority 90
            }
            vrrp_instance VI_2 {
                interface eth0
                virtual_router_id 52
                virtual_ipaddress {
                    192.0.2.2
                }
            }
            """)
        let errors = parsed.diagnostics.filter { $0.severity == .error }
        #expect(
            errors.map { $0.description } == [
                "k.conf:4:5: error: Unknown keyword 'virtual_ipadress'; did you mean"
                    + " 'virtual_ipaddress'?; keepalived takes its '}' for the end of vrrp_instance"
                    + " VI_1"
            ])
        #expect(errors[0].kind == .lossOfConfiguration)
        let notes = parsed.diagnostics.filter { $0.severity == .note }
        #expect(notes.map(\.position.line) == [5, 7, 8])
        // As keepalived has it: the first instance without its address and its priority.
        let instances = parsed.configuration.instances
        #expect(instances.map(\.name) == ["VI_1", "VI_2"])
        #expect(instances[0].virtualAddresses.isEmpty && instances[0].priority == 100)
        #expect(instances[1].virtualAddresses.count == 1)
    }

    @Test("keepalived takes known keywords in an unknown block for the instance's")
    func knownKeywordInUnknownBlock() throws {
        let parsed = parse(instance("health {\npriority 33\n}"))
        #expect(try parsed.only.priority == 33)
        #expect(parsed.hasErrors)
    }

    @Test("a missing '}' before an instance loses it, and says which block is open")
    func missingCloseBrace() {
        let parsed = parse("global_defs {\nrouter_id a\n" + instance(""))
        let errors = parsed.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.position.line) == [3])
        #expect(errors.map(\.kind) == [.lossOfConfiguration])
        // keepalived says it twice; it is one mistake.
        let last = parsed.diagnostics.last
        #expect(last?.message == "There are 1 missing '}'s or extra '{'s")
        #expect(last?.severity == .note && last?.position.line == 10)
        #expect(parsed.configuration.instances.isEmpty)
    }

    @Test("a missing '}' at the end loses nothing, and is an error all the same")
    func missingLastBrace() throws {
        let parsed = parse(String(instance("priority 90").dropLast(2)))
        #expect(try parsed.only.priority == 90)
        #expect(
            parsed.complaints == [
                "k.conf:7:1: error: There are 1 missing '}'s or extra '{'s; the '{' of"
                    + " vrrp_instance on line 1 is not closed"
            ])
    }

    @Test("a '}' too many between instances is a warning; in an instance, it loses the rest")
    func extraCloseBrace() {
        #expect(
            parse(instance("") + "\n}\n").complaints == ["k.conf:9:1: warning: Extra '}' found"])
        let parsed = parse(instance("}"))
        let errors = parsed.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.position.line) == [5])
        #expect(errors[0].kind == .lossOfConfiguration)
        #expect(
            errors[0].detail
                == "it belongs in vrrp_instance; is there a '}' too many before it?;"
                + " keepalived ignores the whole block")
    }

    @Test("a missing '{' is an error; keepalived goes on as if it were there")
    func missingOpenBrace() throws {
        let parsed = parse(
            "vrrp_instance VI_1\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n"
                + "192.0.2.1\n}\n}\n")
        // What its parent process makes of the lines are notes.
        #expect(
            parsed.complaints.filter { !$0.contains(": note: ") } == [
                "k.conf:2:1: error: Missing '{' at beginning of configuration block; of"
                    + " vrrp_instance VI_1",
                "k.conf:7:1: warning: Extra '}' found",
            ])
        #expect(try parsed.only.virtualAddresses.count == 1)
    }

    @Test("a list without its '{' is one error, whatever is then taken for its entries")
    func missingOpenBraceOfList() throws {
        let parsed = parse(
            "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\n"
                + "virtual_ipaddress\n192.0.2.1\npriority 9\n}\npriority 8\n}\n")
        let errors = parsed.diagnostics.filter { $0.severity == .error }
        #expect(
            errors.map { $0.description } == [
                "k.conf:5:1: error: Missing '{' at beginning of configuration block; of"
                    + " virtual_ipaddress"
            ])
        #expect(try parsed.only.virtualAddresses.count == 1)
        #expect(try parsed.only.priority == 8)
    }

    @Test("a '{' after a keyword without a block is an error")
    func unexpectedOpenBrace() {
        let parsed = parse(instance("priority 90 {\n}"))
        let errors = parsed.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.position) == [SourcePosition(file: "k.conf", line: 4, column: 13)])
        #expect(errors[0].message == "Unexpected '{' - ignoring")
        #expect(errors[0].kind == .lossOfConfiguration)
    }

    @Test("a block in a list is an error, and says that a '}' may be missing before it")
    func blockInList() {
        let parsed = parse(instance("", addresses: "192.0.2.1\ntrack_script {\nchk\n}\npriority 7"))
        let errors = parsed.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.position.line) == [7])
        #expect(errors[0].detail?.hasPrefix("is a '}' missing before it?") == true)
        let notes = parsed.diagnostics.filter { $0.kind == .consequence }
        // `chk`, and the last '}', which is one too many for keepalived.
        #expect(notes.map(\.position.line) == [8, 12])
    }

    @Test("a '{' in a list is a line that is no address; those before and after it count")
    func openBraceInList() throws {
        // As keepalived 2.2.7 does, which has these addresses then.
        for (brace, kept) in [("{", ["192.0.2.1", "192.0.2.2"]), ("{ }", ["192.0.2.1"])] {
            let parsed = parse(instance("", addresses: "192.0.2.1\n\(brace)\n192.0.2.2"))
            let errors = parsed.diagnostics.filter { $0.kind == .lossOfConfiguration }
            #expect(errors.map(\.position.line) == [7], "\(brace)")
            #expect(errors[0].message == "VRRP parsed invalid IP {. skipping IP...", "\(brace)")
            let addresses = try parsed.only.virtualAddresses.map { "\($0.address.address)" }
            #expect(addresses == kept, "\(brace)")
        }
        let first = parse(instance("", addresses: "{\n192.0.2.1"))
        #expect(try first.only.virtualAddresses.count == 1)
        // Where any word will do, too.
        for list in ["global_defs {\nnotification_email {", "track_group T {\ngroup {"] {
            let parsed = parse(list + "\na\n{ }\n}\n" + instance(""))
            #expect(parsed.hasErrors && parsed.testStatus == .complaints, "\(list)")
        }
    }

    @Test("words after a value do no harm, a second word after a block's keyword does")
    func extraWords() throws {
        let parsed = parse(instance("priority 90 or so"))
        #expect(try parsed.only.priority == 90)
        #expect(parsed.complaints == [])
        let lost = parse(
            "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 1\n"
                + "virtual_ipaddress 192.0.2.1\n{\n}\n}\n")
        #expect(lost.diagnostics.first?.kind == .lossOfConfiguration)
        #expect(lost.diagnostics.first?.position.column == 19)
    }

    @Test("an instance without a name, or with two, is skipped with all that is in it")
    func unnamedInstance() {
        for name in ["", "a b"] {
            let parsed = parse(
                "vrrp_instance \(name) {\nfoo {\n}\n}\n" + instance(""))
            #expect(parsed.configuration.instances.map(\.name) == ["VI_1"])
            #expect(
                parsed.complaints == [
                    "k.conf:1:1: error: vrrp_instance must have a name; one word, or in double"
                        + " quotes; keepalived skips this instance"
                ])
        }
    }

    @Test("a keyword vrrp-agent does not act on is a warning, one without effect a note")
    func unsupported() {
        let parsed = parse(
            "global_defs {\nenable_traps\nv3_checksum_as_v2\n}\nbfd_instance B {\n}")
        #expect(
            parsed.diagnostics.map { $0.description } == [
                "k.conf:2:1: note: 'enable_traps' has no effect in vrrp-agent",
                "k.conf:3:1: note: 'v3_checksum_as_v2' is newer than keepalived 2.2.7, which does"
                    + " not know it",
                "k.conf:5:1: warning: 'bfd_instance': known to keepalived, not supported by"
                    + " vrrp-agent",
            ])
    }

    @Test("-P: what is wrong in the block of a virtual server is told, and stops nobody")
    func virtualServersOfNobody() {
        let mistakes = [
            "real_server 192.0.2.9 80 {\nweight\n}", "real_server {\n}", "foo 1",
            "real_server 192.0.2.9 80 {\nTCP_CHECK {\nconnect_port\n}\n}",
        ]
        for mistake in mistakes {
            let text =
                "virtual_server 192.0.2.1 80 {\nprotocol TCP\n\(mistake)\n}\n" + instance("")
            let whole = Configuration.parse(text, file: "k.conf")
            #expect(whole.testStatus == (mistake == "foo 1" ? .complaints : .missingParameter))
            let ours = Configuration.parse(
                text, file: "k.conf", context: ConfigurationContext(readsVirtualServers: false))
            #expect(
                !ours.isRefused
                    && ours.diagnostics.map(\.position) == whole.diagnostics.map(\.position))
            #expect(ours.configuration.instances.map(\.name) == ["VI_1"])
            #expect(ours.configuration.virtualServers.isEmpty)
        }
    }

    @Test("log lines are keepalived's")
    func logLines() {
        let parsed = parse(instance("nopreempt\nstate MASTER\npriority 90\nstate x"))
        #expect(
            parsed.diagnostics.flatMap(\.logLines) == [
                "(k.conf: Line 7) (VI_1) unknown state 'x', defaulting to BACKUP"
            ])
        let cleared = parse(instance("nopreempt\nstate MASTER\npriority 90"))
        #expect(
            cleared.diagnostics.flatMap(\.logLines) == [
                "(VI_1) Warning - nopreempt will not work with initial state MASTER - clearing"
            ])
    }

    @Test("what is wrong with a number is logged before what that means, some of it as a warning")
    func numberLogLines() {
        // As keepalived 2.2.7 logs the same lines when it runs.
        let text = """
            vrrp_script s {
            script /bin/true
            interval 5x
            weight 300
            rise 0
            timeout -1
            }
            vrrp_instance VI_1 {
            interface eth0
            virtual_router_id 51
            priority 300
            preempt_delay 3x
            advert_int 1.0000001
            virtual_ipaddress {
            10.10.10.21
            }
            }
            """
        #expect(
            parse(text).diagnostics.filter(\.namesLine).flatMap(\.logLines) == [
                "(k.conf: Line 3) WARNING - invalid number '5x'",
                "(k.conf: Line 4) number '300' outside range [-253, 253]",
                "(k.conf: Line 4) vrrp_script s weight 300 must be in [-253, 253]",
                "(k.conf: Line 5) WARNING - number '0' outside range [1, 2147483647]",
                "(k.conf: Line 5) (s): vrrp script rise value '0' invalid, defaulting to 1",
                "(k.conf: Line 6) WARNING - negative number '-1'",
                "(k.conf: Line 6) (s): vrrp script timeout '-1' invalid - ignoring",
                "(k.conf: Line 11) number '300' outside range [1, 255]",
                "(k.conf: Line 11) (VI_1) Priority not valid! must be between 1 & 255. Using"
                    + " default 100",
                "(k.conf: Line 12) WARNING - invalid number '3x'",
                "(k.conf: Line 13) WARNING - number '1.0000001' has too many decimal places",
            ])
    }

    @Test("a thousand instances are read, in order")
    func manyInstances() {
        let text = (0..<1000).map { number in
            """
            vrrp_instance VI_\(number) {
                interface eth\(number / 255)
                virtual_router_id \(number % 255 + 1)
                virtual_ipaddress {
                    10.0.\(number / 250).\(number % 250 + 1)
                }
            }

            """
        }.joined()
        let parsed = parse(text)
        #expect(parsed.diagnostics.isEmpty)
        #expect(parsed.configuration.instances.map(\.name) == (0..<1000).map { "VI_\($0)" })
    }

    @Test("no file makes the parser trap: each recorded file, cut anywhere")
    func cutFiles() {
        for recorded in RecordedCaseTests.understood {
            let bytes = Array(recorded.text.utf8)
            for end in stride(from: 0, to: bytes.count, by: 37) {
                _ = RecordedCaseTests.parse(recorded, upTo: end)
            }
        }
    }
}

extension RecordedCaseTests {
    /// Parses the first `end` bytes of a file.
    static func parse(_ recorded: RecordedCase, upTo end: Int) -> ParsedConfiguration {
        Configuration.parse(
            String(decoding: recorded.text.utf8.prefix(end), as: UTF8.self), file: recorded.name)
    }
}
