import Testing

@testable import LabModel

/// A lab file with one or more mistakes, and all that `labctl check` says about it.
struct Mistake: Sendable, CustomTestStringConvertible {
    let title: String
    let yaml: String
    /// The diagnostics, one to a line.
    let expected: String

    init(_ title: String, _ yaml: String, _ expected: String) {
        self.title = title
        self.yaml = yaml
        self.expected = expected
    }

    var testDescription: String { title }
}

/// The diagnostics of a file in which `a.conf` can be read, `folder` and `secret` cannot, and no
/// other file exists.
func decode(_ yaml: String, file: String = "lab.yaml") -> LabDecoding {
    Lab.decode(yaml: yaml, file: file) { path in
        switch path {
        case "a.conf": .contents(Array("content of a".utf8))
        case "folder": .directory
        case "secret": .unreadable("permission denied")
        default: .missing
        }
    }
}

@Suite("lab file: every mistake is one error with its place and what would be right")
struct LabFileMistakeTests {
    @Test(
        "mistakes",
        arguments: Mistake.text + Mistake.keys + Mistake.topology + Mistake.outside + Mistake.nodes
            + Mistake.scenarios + Mistake.language + Mistake.counts)
    func mistake(_ mistake: Mistake) {
        let decoding = decode(mistake.yaml)
        let found = decoding.diagnostics.map(\.description).joined(separator: "\n")
        #expect(found == mistake.expected)
        #expect(decoding.hasErrors == (decoding.lab == nil))
    }

    @Test("a warning does not stop the lab")
    func warningAlone() {
        let decoding = decode(
            """
            name: t
            nodes: { a: { services: { k: { kind: keepalived, config: /k, autostart: false } } } }
            """)
        #expect(decoding.diagnostics.map(\.severity) == [.warning])
        #expect(decoding.lab?.nodes.first?.services.first?.configuration == "/k")
    }

    @Test("the diagnostics come in the order of the file, whatever found them")
    func order() {
        let diagnostics = decode(
            """
            scenarios: { s: { steps: [ stop: nobody ] } }
            nodes: { a: { interfaces: { eth0: { network: lan, address: 10.0.1.1 } } } }
            networks: { lan: { subnet: 10.0.0.0/24, mtu: 1 } }
            name: T
            """
        ).diagnostics
        #expect(diagnostics.map(\.line) == [1, 3, 4])
        #expect(diagnostics == diagnostics.sorted())
    }

    @Test("a network takes the 1023 ports of a Linux bridge, and not one more")
    func tooManyPorts() throws {
        func yaml(nodes: Int) -> String {
            let nodes = (0..<nodes).map { "  n\($0): { interfaces: { eth0: { network: lan } } }" }
            return """
                name: t
                networks: { lan: { subnet: 10.0.0.0/16 } }
                nodes:
                \(nodes.joined(separator: "\n"))
                """
        }
        #expect(decode(yaml(nodes: 1023)).diagnostics.isEmpty)
        #expect(
            decode(yaml(nodes: 1024)).diagnostics.map(\.description) == [
                "lab.yaml:2:13: network lan has 1024 interfaces; a Linux bridge takes 1023"
            ])
    }

    @Test("control characters are refused by the YAML reader, with their place")
    func controlCharacter() {
        let diagnostics = decode("name: t\nnodes: { a: { \u{1}: x } }").diagnostics
        #expect(
            diagnostics.map(\.description) == [
                "lab.yaml:2:15: no valid YAML: control characters are not allowed"
            ])
        // What ends a line of YAML: a carriage return with its line feed, or alone.
        for lineEnd in ["\r\n", "\r", "\u{2028}"] {
            let lines = ["# äöü", "name: t", "nodes: { ä: { \u{1}: x } }"]
            #expect(
                decode(lines.joined(separator: lineEnd)).diagnostics.map(\.description) == [
                    "lab.yaml:3:15: no valid YAML: control characters are not allowed"
                ])
        }
    }

    @Test("a file cut short anywhere, or without any one of its lines, is a lab or has errors")
    func mutilated() {
        let whole = LabFileScenarioTests.yaml
        let lines = whole.split(separator: "\n", omittingEmptySubsequences: false)
        var texts = stride(from: 0, to: whole.count, by: 7).map { String(whole.prefix($0)) }
        for index in lines.indices {
            texts.append((lines[..<index] + lines[(index + 1)...]).joined(separator: "\n"))
        }
        var labs = 0
        for text in texts {
            let decoding = decode(text)
            #expect((decoding.lab != nil) != decoding.hasErrors, "\(text)")
            let places = decoding.diagnostics.map(\.line)
            #expect(places.allSatisfy { (1...lines.count).contains($0) }, "\(text)")
            labs += decoding.lab == nil ? 0 : 1
        }
        #expect(labs > 10 && labs < texts.count)
    }

    @Test("a file with the line ends of Windows has the same places", arguments: ["\n", "\r\n"])
    func lineEnds(lineEnd: String) {
        func places(_ lines: [String]) -> [String] {
            decode(lines.joined(separator: lineEnd)).diagnostics.map { "\($0.line):\($0.column)" }
        }
        #expect(places(["name: t", "nodes: { a: {} }", "\tx: 1", "y: 2"]) == ["3:1"])
        #expect(places(["name: t", "nodes: { a: {}, \u{1}: {} }", "y: 2"]) == ["2:17"])
        #expect(
            places(["name: t", "nodes:", "  a: {}", "  a: {}", "  b: { x: 1 }"])
                == ["4:3", "5:8"])
    }

    @Test("a hundred levels of nesting are an error like any other")
    func deepNesting() {
        let nested = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(
            decode("name: t\nnodes: \(nested)").diagnostics.map(\.description) == [
                "lab.yaml:2:8: nodes must be a mapping from names, not a list"
            ])
    }
}

@Suite("lab file: what was probably meant")
struct LabFileSpellingTests {
    @Test(
        "insertions, deletions, replacements and swaps count one each",
        arguments: [
            ("lan", "lan", 0), ("lna", "lan", 1), ("la", "lan", 1), ("lanx", "lan", 1),
            ("lab", "lan", 1), ("", "lan", 3), ("slvae", "slave", 1), ("abc", "xyz", 3),
        ])
    func distance(left: String, right: String, expected: Int) {
        #expect(SpellingSuggestion.editDistance(left, right) == expected)
        #expect(SpellingSuggestion.editDistance(right, left) == expected)
    }

    @Test("only what is close is suggested, the first of equals, whatever the case")
    func closest() {
        #expect(SpellingSuggestion.closest(to: "mastr", among: ["slave", "master"]) == "master")
        #expect(SpellingSuggestion.closest(to: "MASTER", among: ["master"]) == "master")
        #expect(SpellingSuggestion.closest(to: "lax", among: ["lan", "lay"]) == "lan")
        #expect(SpellingSuggestion.closest(to: "x", among: ["a", "b"]) == nil)
        #expect(SpellingSuggestion.closest(to: "internet", among: ["lan", "wan"]) == nil)
    }

    @Test("a long list of names is cut")
    func longList() {
        let names = (10..<40).map { "n\($0)" }
        let hint = SpellingSuggestion.hint(for: "gateway", among: names)
        #expect(hint.hasPrefix("; known are n10, n11,"))
        #expect(hint.hasSuffix("n25, ..."))
    }
}
