import KeepalivedConf
import NetworkTypes
import Testing

/// Files about how lines are read: numbers 100 to 199 of Fixtures.
@Suite("Lines as keepalived 2.2.7 reads them, recorded")
struct LexicalCaseTests {
    static let cases = RecordedCase.names(in: 100..<200).map { RecordedCase($0) }

    @Test("all of them are there")
    func count() { #expect(Self.cases.count >= 78) }

    @Test("the same decision to run, and the same instances", arguments: cases)
    func instances(_ recorded: RecordedCase) throws {
        let parsed = recorded.parsed()
        #expect(
            parsed.isRefused == (recorded.exitStatus != 0),
            "\(parsed.diagnostics.map(\.description))")
        guard recorded.exitStatus == 0 else { return }
        let ours = parsed.configuration.instances
        try #require(ours.map(\.name) == recorded.instances.map { $0.value("iname") })
        for (ours, theirs) in zip(ours, recorded.instances) {
            RecordedCaseTests().expect(ours, equals: theirs)
        }
    }

    /// keepalived's own mistakes and second thoughts, which are not copied.
    private static let exempt: [String: Set<String>] = [
        // It reads the file twice; here the include itself is reported.
        "124-include-after-condition": ["vrrp instance A already defined"],
        // It counts the rest of a long line as a line; here it is the line in the file.
        "180-long-line-in-value": ["VRRP parsed invalid IP dev. skipping IP..."],
        // It says so for the file it comes to next.
        "119-include-directory-and-executable": [
            "Configuration file '119-include-directory-and-executable.d/run.sh' is not a regular"
                + " non-executable file - skipping",
            "Configuration file '119-include-directory-and-executable.d/sub/' is a directory -"
                + " skipping",
        ],
    ]

    @Test("a diagnostic on each line keepalived complains about", arguments: cases)
    func complaints(_ recorded: RecordedCase) {
        let diagnostics = recorded.parsed().diagnostics
        for complaint in recorded.complaints {
            if Self.exempt[recorded.name]?.contains(complaint.message) == true { continue }
            let here = diagnostics.filter {
                $0.position.line == complaint.line
                    && $0.position.file == complaint.file ?? "\(recorded.name).conf"
            }
            #expect(!here.isEmpty, "\(complaint)")
        }
    }

    @Test("no more than a note on a file that keepalived has no word about")
    func silence() {
        let silent = Self.cases.filter { $0.complaints.isEmpty && $0.messages.isEmpty }
        #expect(silent.count >= 20)
        for recorded in silent {
            for diagnostic in recorded.parsed().diagnostics {
                let isExpected =
                    [.notSupportedYet, .noEffect].contains(diagnostic.kind)
                    || diagnostic.severity == .note
                    || recorded.name.hasPrefix("136")
                #expect(isExpected, "\(recorded.name): \(diagnostic.description)")
            }
        }
    }
}
