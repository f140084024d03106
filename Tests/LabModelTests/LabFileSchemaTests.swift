import TestSupport
import Testing

@testable import LabModel

/// The schema for editors, read.
func schemaValidator() throws -> SchemaValidator {
    // JSON is YAML, so the lab file's own reader reads the schema.
    let bytes = try #require(fileContents("\(labsFolder)/lab.schema.json"))
    let document = YAMLDocument(parsing: String(decoding: bytes, as: UTF8.self))
    try #require(document.problems.isEmpty)
    return SchemaValidator(schema: try #require(document.root))
}

@Suite("lab file: the JSON Schema for editors says what the decoder does")
struct LabFileSchemaTests {
    private func value(_ yaml: String) throws -> YAMLValue {
        let document = YAMLDocument(parsing: yaml)
        try #require(document.problems.isEmpty)
        return try #require(document.root)
    }

    @Test("both know the same keys, and the same ones are required", arguments: LabFileKeys.all)
    func keys(table: LabFileKeys) throws {
        let definition = try #require(try schemaValidator().definition(table.name))
        #expect((definition["properties"]?.keys ?? []).sorted() == table.keys.sorted())
        #expect((definition["required"]?.texts ?? []).sorted() == table.required.sorted())
    }

    @Test("every object in the schema with keys of its own is one of the decoder's tables")
    func tables() throws {
        let schema = try schemaValidator()
        let names = schema.definitionNames.filter {
            schema.definition($0)?["properties"] != nil
        }
        #expect(names.sorted() == LabFileKeys.all.map(\.name).sorted())
        for name in names {
            #expect(schema.definition(name)?["additionalProperties"]?.text == "false")
        }
    }

    @Test("both know the same kinds and restart policies")
    func words() throws {
        let service = try #require(try schemaValidator().definition("service")?["properties"])
        #expect(service["kind"]?["enum"]?.texts == Service.Kind.allCases.map(\.rawValue))
        #expect(
            service["restart"]?["enum"]?.texts == Service.RestartPolicy.allCases.map(\.rawValue))
    }

    @Test("the labs that come with the project are valid")
    func labs() throws {
        for name in try shippedLabNames() {
            let bytes = try #require(fileContents("\(labsFolder)/\(name)/lab.yaml"))
            let problems = try schemaValidator().problems(
                of: value(String(decoding: bytes, as: UTF8.self)))
            #expect(problems == [], "\(name)")
        }
    }

    @Test("a file with everything in it is valid")
    func everything() throws {
        #expect(try schemaValidator().problems(of: value(LabFileScenarioTests.yaml)) == [])
    }

    /// Mistakes that need no knowledge of the rest of the file; the schema sees them as well.
    private static let visible: Set<String> = [
        "a root that is no mapping", "an unknown key at the top, with what it should be",
        "an unknown key that resembles nothing", "keys that are missing", "a lab without nodes",
        "sections of the wrong type", "values of the wrong type", "a lab's name", "nodes' names",
        "an interface name of sixteen characters, also used by a link", "networks' names",
        "an MTU out of range, and one too small for IPv6", "MAC addresses", "environment",
        "services", "expectations that say too much or too little",
        "probes and the parts of a scenario", "published ports",
    ]

    @Test("what the schema can see of the decoder's mistakes, it sees")
    func mistakes() throws {
        let schema = try schemaValidator()
        let all =
            Mistake.text + Mistake.keys + Mistake.topology + Mistake.outside + Mistake.nodes
            + Mistake.scenarios
        let seen = all.filter { Self.visible.contains($0.title) }
        #expect(seen.count == Self.visible.count)
        for mistake in seen {
            let problems = schema.problems(of: try value(mistake.yaml))
            #expect(!problems.isEmpty, "\(mistake.title)")
        }
    }
}
