import KeepalivedConf
import NetworkTypes
import Testing

/// Files about what keywords mean: numbers 200 to 299 of Fixtures.
@Suite("Keywords as keepalived 2.2.7 takes them, recorded")
struct SemanticCaseTests {
    static let cases = RecordedCase.names(in: 200..<300).map { RecordedCase($0) }

    @Test("all of them are there")
    func count() { #expect(Self.cases.count >= 74) }

    @Test("the same decision to run, and the same instances", arguments: cases)
    func instances(_ recorded: RecordedCase) throws {
        let parsed = recorded.parsed()
        #expect(
            parsed.wouldRun == (recorded.exitStatus != 2),
            "\(parsed.diagnostics.map(\.description))")
        guard recorded.exitStatus == 0 else { return }
        let ours = parsed.configuration.instances
        try #require(ours.map(\.name) == recorded.instances.map { $0.value("iname") })
        for (ours, theirs) in zip(ours, recorded.instances) {
            RecordedCaseTests().expect(ours, equals: theirs)
            #expect(
                ours.trackedInterfaces.map(\.interface.text) == theirs.list("track_ifp"))
            let lost = recorded.name.hasPrefix("244") ? 1 : 0
            #expect(ours.virtualRules.count == theirs.list("vrules").count + lost)
        }
    }

    /// Lines of which keepalived complains for a mistake of its own.
    private static let exempt: [String: Set<String>] = [
        // We know the keyword of a later version.
        "268-v3-checksum-keyword": ["Unknown keyword 'v3_checksum_as_v2'"]
    ]

    @Test("a diagnostic in its words on each line keepalived complains about", arguments: cases)
    func complaints(_ recorded: RecordedCase) {
        let diagnostics = recorded.parsed().diagnostics
        for complaint in recorded.complaints {
            if Self.exempt[recorded.name]?.contains(complaint.message) == true { continue }
            let here = diagnostics.filter { $0.position.line == complaint.line }
            #expect(!here.isEmpty, "\(complaint)")
            if Self.isSaidOtherwise(complaint.message) { continue }
            let message = complaint.message
            #expect(
                here.contains { $0.message == message || $0.detail?.contains(message) == true },
                "\(complaint): \(here)")
        }
        for message in recorded.messages where !Self.dependsOnMachine(message) {
            #expect(diagnostics.contains { $0.message == message && !$0.namesLine }, "\(message)")
        }
    }

    /// What keepalived says a second time of a mistake that we report once, or of its own.
    private static func isSaidOtherwise(_ message: String) -> Bool {
        [
            "Unexpected '{' - ignoring", "Unknown keyword '}'", "Unknown rule option fd00::/64",
            "VRRP parsed invalid IP vrrp_instance.", "VRRP parsed invalid IP virtual_ipaddress.",
            "VRRP parsed invalid IP {.",
        ].contains { message.hasPrefix($0) }
    }

    /// What keepalived says after a look at the machine.
    private static func dependsOnMachine(_ message: String) -> Bool {
        ["Disabling track script", "SECURITY VIOLATION", "Non-existent interface"].contains {
            message.hasPrefix($0)
        }
    }

    @Test("the exit status of --config-test is keepalived's, but where that has a reason")
    func testStatus() {
        for recorded in Self.cases {
            guard let theirs = recorded.testExitStatus else { continue }
            // It cannot end, or the keyword is of a later version.
            let isOurs = ["227", "268"].contains { recorded.name.hasPrefix($0) }
            if isOurs { continue }
            let violates = recorded.messages.contains { $0.hasPrefix("SECURITY VIOLATION") }
            let ours = ConfigurationTestStatus(
                of: recorded.parsed().diagnostics, violatesScriptSecurity: violates)
            #expect("\(ours.rawValue)" == theirs, "\(recorded.name)")
        }
    }

    @Test("no more than a note on a file that keepalived has no word about")
    func silence() {
        let silent = Self.cases.filter { $0.complaints.isEmpty && $0.messages.isEmpty }
        #expect(silent.count >= 5)
        for recorded in silent {
            for diagnostic in recorded.parsed().diagnostics {
                #expect(diagnostic.severity == .note, "\(recorded.name): \(diagnostic)")
            }
        }
    }
}
