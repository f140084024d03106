import NetworkTypes
import Testing

@testable import LabModel

@Suite("Scenarios as texts of their own")
struct ScenarioTextTests {
    /// A scenario without the places it was read from.
    private func placeless(_ scenario: Scenario) -> Scenario {
        var scenario = scenario
        scenario.steps = scenario.steps.map(placeless)
        scenario.cleanup = scenario.cleanup.map(placeless)
        scenario.files = placeless(scenario.files)
        for index in scenario.checks.indices { scenario.checks[index].line = 0 }
        return scenario
    }

    private func placeless(_ step: Step) -> Step {
        var step = step
        step.line = 0
        switch step.action {
        case .parallel(let parts): step.action = .parallel(parts.map(placeless))
        case .edit(let files): step.action = .edit(placeless(files))
        default: break
        }
        return step
    }

    private func placeless(_ files: [Scenario.FileOverride]) -> [Scenario.FileOverride] {
        files.map { override in
            var override = override
            override.file.source = nil
            return override
        }
    }

    private func expectRoundTrip(_ scenario: Scenario, in lab: Lab) throws {
        let text = try scenario.yaml()
        let decoding = lab.decodeScenario(yaml: text, name: scenario.name, file: "lab.yaml") {
            _ in .missing
        }
        #expect(decoding.diagnostics == [], "\(lab.name): \(text)")
        let read = try #require(decoding.scenario)
        #expect(placeless(read) == placeless(scenario), "\(lab.name): \(text)")
    }

    @Test("every scenario of every lab is the same when it is written and read again")
    func labs() throws {
        var count = 0
        for name in try shippedLabNames() {
            let lab = try shippedLab(name)
            for scenario in lab.scenarios {
                try expectRoundTrip(scenario, in: lab)
                count += 1
            }
        }
        #expect(count > 100)
    }

    @Test("so is one with everything in it")
    func everything() throws {
        let decoding = Lab.decode(yaml: LabFileScenarioTests.yaml, file: "lab.yaml") { path in
            .contents(Array("the content of \(path)".utf8))
        }
        let lab = try #require(decoding.lab)
        #expect(!lab.scenarios.isEmpty)
        for scenario in lab.scenarios { try expectRoundTrip(scenario, in: lab) }
    }

    @Test("so are the checks and the address of routers that may be broken in any way")
    func agreement() throws {
        let vip = IPAddress("10.0.0.100")!
        let lab = try #require(
            Lab.decode(yaml: "name: t\nnodes: { a: {}, b: {} }", file: "t") {
                _ in .missing
            }.lab)
        let scenario = Scenario(
            name: "s", checks: [Check(.ownersAgree), Check(.ableTakeOver)],
            steps: [
                Step(
                    .expect(
                        LabModel.Expectation(
                            .addressOnOne(vip, of: ["a", "b"]), settling: .seconds(1))))
            ])
        try expectRoundTrip(scenario, in: lab)
        #expect(
            try scenario.yaml().contains(
                "- expect: { vip: 10.0.0.100, one-of: [a, b], settled: 1s }"))
    }

    @Test("texts that YAML could take for something else are quoted")
    func quoting() {
        let texts = [
            "", "true", "No", "null", "~", "on", "a b", " a", "#a", "a: b", "- a", "[a]", "{a}",
            "'", "\"", "\\", "\n", "\r\n", "\t", "\u{0}", "\u{7f}", "\u{85}", "\u{2028}",
            "a\u{feff}b", "é", "日本", "🙂", "*a", "&a", "!a", "%a", "@a", "`a", "a\\nb", "0x10",
            "1.10", "10.10.10.10", "::1", "a,b", "a]", "a}", "<<", "=",
        ]
        for text in texts {
            let line = YAMLText.fields(("key", .text(text)), ("list", .texts([text, text]))).line
            let document = YAMLDocument(parsing: line)
            #expect(document.problems.isEmpty, "\(line)")
            guard case .mapping(let entries) = document.root?.content, entries.count == 2,
                case .scalar(let read, _) = entries[0].value.content,
                case .sequence(let values) = entries[1].value.content
            else {
                Issue.record("\(line)")
                continue
            }
            #expect(read == text && !entries[0].value.isNull, "\(line)")
            #expect(values.count == 2)
        }
    }

    @Test("durations are written to the nanosecond, numbers and switches without quotes")
    func words() {
        for nanoseconds: Int64 in [1, 999, 1000, 1001, 1_500_000, 60_000_000_000, 1_000_000_001] {
            let duration = Duration.nanoseconds(nanoseconds)
            #expect(Duration(durationText: YAMLText.duration(duration).line) == duration)
        }
        #expect(Check(.deadAreSilent).text.element == "- dead-are-silent: true")
        #expect(
            Check(.priority(node: nil, 1...9)).text.element
                == "- priority: { from: 1, to: 9 }")
    }

    @Test("comments stand before their steps, and nothing comes of them")
    func comments() throws {
        let scenario = Scenario(
            name: "s", steps: [Step(.wait(.seconds(1))), Step(.control(.kill, Target(node: "a")))])
        #expect(
            try scenario.yaml(header: ["of a test"], comments: [1: "the end of a: # it"]) == """
                # of a test
                steps:
                  - wait: 1s
                  # the end of a: # it
                  - kill: a

                """)
    }

    @Test("a file that is no text cannot be written")
    func binary() {
        let file = NodeFile(path: "/bin", contents: [0xff])
        let scenario = Scenario(
            name: "s", files: [.init(node: "a", file: file)], steps: [Step(.wait(.seconds(1)))])
        #expect(throws: ScenarioTextError(path: "/bin")) { try scenario.yaml() }
    }
}
