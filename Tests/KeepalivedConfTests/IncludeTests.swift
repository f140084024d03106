import KeepalivedConf
import Testing

@Suite("include")
struct IncludeTests {
    @Test("included files are read in place, also in the middle of a block")
    func included() throws {
        let parsed = parse(
            instance("include prio.d/*.conf"),
            files: [
                "prio.d/*.conf": [
                    IncludedFile(path: "prio.d/1.conf", text: "priority 90\n"),
                    IncludedFile(path: "prio.d/2.conf", text: "\nadvert_int x\n"),
                ]
            ])
        #expect(try parsed.only.priority == 90)
        #expect(
            parsed.complaints == [
                "prio.d/2.conf:2:12: warning: (VI_1) Advert interval (x) not valid! Must be > 0 -"
                    + " ignoring; invalid number 'x'"
            ])
    }

    @Test("the resolver learns which file includes")
    func nested() {
        var asked: [String] = []
        _ = Configuration.parse("include a\n", file: "/etc/k.conf") { pattern, file in
            asked.append("\(file) includes \(pattern)")
            return pattern == "a" ? [IncludedFile(path: "/etc/a", text: "include b\n")] : []
        }
        #expect(asked == ["/etc/k.conf includes a", "/etc/a includes b"])
    }

    @Test("a file that is named and missing is an error, a pattern without a match a note")
    func missing() {
        let parsed = parse("include a.conf\ninclude d/*.conf\nincludem d/*.conf\n")
        #expect(parsed.diagnostics.map(\.severity) == [.error, .note, .note])
        #expect(parsed.diagnostics.map(\.kind) == Array(repeating: .missingInclude, count: 3))
        #expect(parsed.diagnostics[0].message == "Config files missing 'a.conf'.")
        #expect(!parsed.isRefused)
    }

    @Test("what the keyword's letter asks for is refused when it is missing")
    func required() {
        for line in ["includem a", "includea a", "includew *", "includea *", "includeb {a,b}"] {
            #expect(parse(line + "\n").isRefused, "\(line)")
        }
        for line in ["includer a", "includew a*b", "includeb a", "include {a,b}"] {
            #expect(parse(line + "\n").isRefused == (line == "includew a*b"), "\(line)")
        }
    }

    @Test(
        "--config-test: a file that is missing is said to be, and refused where it must be there",
        arguments: [
            // As keepalived 2.2.7 ends, where none of these files is.
            ("include a", 0), ("includer a", 0), ("includem a", 6), ("includew a", 6),
            ("includeb a", 0), ("includea a", 6), ("include a*", 0), ("includer a*", 0),
            ("includem a*", 0), ("includew a*", 6), ("includeb a*", 0), ("include {a,b}", 0),
            ("includer {a,b}", 0), ("includeb {a,b}", 6), ("include d/a", 0),
            ("include folder", 0), ("includer folder", 6), ("include program", 0),
            ("includer program", 6), ("include {file,a}", 0), ("includeb {file,a}", 6),
        ])
    func testStatus(_ line: String, _ status: Int32) {
        let files = ConfigurationFiles(
            content: { path in
                switch path {
                case "file": .text("")
                case "folder": .folder
                case "program": .irregular
                default: nil
                }
            }, names: { _ in ["file", "folder", "program"] })
        let parsed = Configuration.parse(
            line + "\n" + instance(""), file: "k.conf", files: files)
        #expect(parsed.testStatus.rawValue == status)
        if !line.hasSuffix("*") { #expect(!parsed.diagnostics.isEmpty) }
    }

    @Test("a file that includes itself is an error, once")
    func loop() {
        let parsed = parse(
            "include a\n", files: ["a": [IncludedFile(path: "a", text: "include a\n")]])
        #expect(parsed.diagnostics.map { $0.description } == ["a:1:9: error: 'a' includes itself"])
        #expect(parsed.testStatus == .complaints)
    }
}
