import FoundationEssentials
import Testing

/// What `labctl status --format json` prints, as far as tests look at it.
struct LabStatusJSON: Decodable {
    struct Node: Decodable {
        var name: String
        var state: String
        var pid: Int32?
        var virtualRouters: [VirtualRouter]
        var interfaces: [Interface]
        var services: [Service]
    }
    struct VirtualRouter: Decodable {
        var instance: String
        var vrid: Int
        var priority: Int
        var role: String?
        var held: [String]
    }
    struct Interface: Decodable {
        var name: String
        var mac: String
        var isUp: Bool
        var addresses: [String]
    }
    struct Service: Decodable {
        var name: String
        var kind: String
        var state: String?
    }

    struct Published: Decodable {
        var hostPort: UInt16
    }

    var lab: String
    var nodes: [Node]
    var published: [Published]

    /// The node of that name.
    func node(_ name: String) throws -> Node {
        try #require(nodes.first { $0.name == name }, "a node \(name) in \(lab)")
    }
}

extension LabStatusJSON.Node {
    /// The name of a service's state.
    func state(of service: String) throws -> String? {
        try #require(services.first { $0.name == service }).state
    }

    /// The interface of that name.
    func interface(_ name: String) throws -> LabStatusJSON.Interface {
        try #require(interfaces.first { $0.name == name })
    }
}

extension LabUnderTest {
    /// The lab at a glance.
    func status() throws -> LabStatusJSON {
        let run = try Labctl.run("status", name, "--format", "json")
        try #require(run.status == 0, "\(run.errors)")
        return try JSONDecoder().decode(LabStatusJSON.self, from: Data(run.output.utf8))
    }

    /// What a shell script prints in a node; it has to end with 0.
    func shell(
        _ node: String, _ script: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let run = try exec(node, "sh", "-c", script)
        #expect(run.status == 0, "\(script): \(run.errors)", sourceLocation: sourceLocation)
        return run.output
    }

    /// Applies a verb to a node or service, which must succeed.
    func apply(
        _ verb: String, _ target: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = try Labctl.run(verb, "-l", name, target)
        #expect(run.status == 0, "\(verb) \(target): \(run.errors)", sourceLocation: sourceLocation)
    }
}
