import NetworkTypes
import Testing

@testable import LabModel

@Suite("Steps written apart from the lab's file")
struct ScenarioFragmentTests {
    private let lab = Lab(
        name: "two", networks: [],
        nodes: [
            Node(
                name: "master", interfaces: [],
                services: [Service(name: "httpd", kind: .http)]),
            Node(name: "backup", interfaces: []),
        ])

    private func decode(_ yaml: String) -> (scenario: Scenario?, diagnostics: [Diagnostic]) {
        lab.decodeScenario(yaml: yaml, name: "steps", file: "labs/two/lab.yaml") { path in
            path == "labs/two/new.conf" ? .contents([7]) : .missing
        }
    }

    @Test("a list is one of steps, in the language of the lab file")
    func list() throws {
        let yaml = "[ { kill: master }, { expect: { vip: 10.0.0.1, on: backup } } ]"
        let scenario = try #require(decode(yaml).scenario)
        #expect(scenario.name == "steps")
        #expect(scenario.steps.map(\.summary) == ["kill master", "expect VIP 10.0.0.1 on backup"])
    }

    @Test("a mapping is all that a scenario can have, with files from the lab's folder")
    func mapping() throws {
        let yaml = """
            probes: { web: { from: backup, ping: 10.0.0.1, every: 10ms } }
            steps:
              - edit: { master: { /etc/x: new.conf } }
              - expect: { outage: web, at-most: 1s }
            """
        let (scenario, diagnostics) = decode(yaml)
        #expect(scenario?.probes.map(\.name) == ["web"], "\(diagnostics)")
        guard case .edit(let files)? = scenario?.steps.first?.action else {
            return #expect(Bool(false), "\(diagnostics)")
        }
        #expect(files.map(\.file.contents) == [[7]])
    }

    @Test(
        "what is wrong is said with its place, and names must be the lab's",
        arguments: [
            ("- kill: slave", "steps:1:9: scenario steps names node 'slave'"),
            ("- stop: master/smtpd", "steps:1:9: scenario steps names service 'smtpd'"),
            ("- kil: master", "steps:1:3: unknown key 'kil' in step 1 of scenario steps"),
            ("", "steps:1:1: there are no steps"), ("- [", "steps:"),
        ])
    func mistakes(yaml: String, message: String) {
        let (scenario, diagnostics) = decode(yaml)
        #expect(scenario == nil)
        #expect(diagnostics.first?.description.hasPrefix(message) == true, "\(diagnostics)")
    }
}
