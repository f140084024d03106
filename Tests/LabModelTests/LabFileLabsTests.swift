import Foundation
import Glibc
import NetworkTypes
import TestSupport
import Testing

@testable import LabModel

/// The repository's `Labs` folder.
let labsFolder =
    String(#filePath.dropLast("Tests/LabModelTests/LabFileLabsTests.swift".count)) + "Labs"

/// A value after a way through JSON.
func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
    try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
}

/// The folders of the labs that come with the project, in `Labs`.
func shippedLabNames() throws -> [String] {
    let incidents = try FileManager.default.contentsOfDirectory(
        atPath: "\(labsFolder)/incidents")
    let labs =
        try FileManager.default.contentsOfDirectory(atPath: labsFolder)
        + incidents.map { "incidents/\($0)" }
    return labs.filter { fileContents("\(labsFolder)/\($0)/lab.yaml") != nil }
}

/// One of the labs that come with the project.
func shippedLab(_ name: String) throws -> Lab {
    let path = "\(labsFolder)/\(name)/lab.yaml"
    let yaml = String(decoding: try #require(fileContents(path)), as: UTF8.self)
    let decoding = Lab.decode(yaml: yaml, file: path) { path in
        fileContents(path).map { .contents($0) } ?? .missing
    }
    #expect(decoding.diagnostics == [])
    return try #require(decoding.lab)
}

@Suite("lab file: the labs that come with the project")
struct LabFileLabsTests {
    @Test("each reads without a diagnostic, has its folder's name, a plan and a README")
    func all() throws {
        let names = try shippedLabNames()
        #expect(names.count >= 10)
        for name in names {
            let lab = try shippedLab(name)
            #expect(lab.name == name.split(separator: "/").last.map(String.init))
            // The tutorial is typed by a person, or by its test.
            #expect(lab.scenarios.isEmpty == (name == "tutorial"))
            _ = try DeploymentPlan(lab)
            #expect(fileContents("\(labsFolder)/\(name)/README.md") != nil)
        }
    }

    @Test("two-node is the first tutorial: two machines, and a variant in which nopreempt holds")
    func twoNode() throws {
        let lab = try shippedLab("two-node")
        #expect(lab.nodes.map(\.name) == ["master", "backup"])
        #expect(
            lab.scenarios.map(\.name) == ["failover", "takes-back", "nopreempt", "clean-stop"])
        let tutorial = String(decoding: lab.nodes[0].files[0].contents, as: UTF8.self)
        #expect(tutorial.contains("    state MASTER\n"))
        let variant = lab.applying(scenario: lab.scenarios[2])
        let changed = String(decoding: variant.nodes[0].files[0].contents, as: UTF8.self)
        #expect(changed.contains("    state BACKUP\n"))
        #expect(
            changed.split(separator: "\n").dropFirst()
                == tutorial.replacing("state MASTER", with: "state BACKUP").split(separator: "\n")
                .dropFirst())
        #expect(variant.nodes[1] == lab.nodes[1])
    }

    @Test("httpd-ha is the second tutorial: two web servers and a client that is neither")
    func httpdHA() throws {
        let lab = try shippedLab("httpd-ha")
        #expect(lab.nodes.map(\.name) == ["master", "slave", "client"])
        #expect(
            lab.nodes.map { $0.interfaces[0].addresses.map(\.description) } == [
                ["192.168.69.10/24"], ["192.168.69.20/24"], ["192.168.69.1/24"],
            ])
        let downtime = try #require(lab.scenarios.first { $0.name == "primary-downtime" })
        #expect(downtime.probes.first?.interval == .milliseconds(10))
    }
}

@Suite("lab file: the same lab with other files and other daemons")
struct LabFileChangesTests {
    @Test("a scenario's file replaces the node's, or joins it")
    func applying() throws {
        let lab = try lab(
            """
            name: t
            nodes: { a: { files: { /etc/x: a.conf, /etc/y: a.conf } }, b: }
            scenarios:
              s:
                files:
                  a: { /etc/y: { text: new, mode: 0600 } }
                  b: { /etc/z: { text: more } }
                steps: [ wait: 1s ]
            """)
        let changed = lab.applying(scenario: lab.scenarios[0])
        #expect(changed.nodes[0].files.map(\.path) == ["/etc/x", "/etc/y"])
        #expect(changed.nodes[0].files[0] == lab.nodes[0].files[0])
        #expect(changed.nodes[0].files[1].contents == Array("new".utf8))
        #expect(changed.nodes[0].files[1].mode == 0o600)
        #expect(changed.nodes[1].files.map(\.path) == ["/etc/z"])
    }

    @Test("--vrrp KIND swaps every VRRP daemon and leaves everything else alone")
    func everywhere() throws {
        let lab = try shippedLab("httpd-ha")
        let changed = try lab.replacingVRRPDaemon(with: .keepalived)
        #expect(
            changed.nodes.map { $0.services.map(\.kind) } == [
                [.smtp, .http, .keepalived], [.smtp, .http, .keepalived], [],
            ])
        #expect(try changed.replacingVRRPDaemon(with: .vrrpAgent) == lab)
    }

    @Test("--vrrp NODE=KIND swaps one; a later choice wins over an earlier one")
    func oneNode() throws {
        let lab = try shippedLab("two-node")
        let choices = try ["keepalived", "backup=vrrp-agent"].map {
            try #require(VRRPDaemonChoice($0))
        }
        let changed = try lab.replacingVRRPDaemon(choices)
        #expect(changed.nodes.map { $0.services[0].kind } == [.keepalived, .vrrpAgent])
        let mixed = try lab.replacingVRRPDaemon(with: .keepalived, nodes: ["backup"])
        #expect(mixed.nodes.map { $0.services[0].kind } == [.vrrpAgent, .keepalived])
    }

    @Test("what needs our daemon has an obstacle in any other, on any node")
    func obstacle() throws {
        let lab = try shippedLab("httpd-ha")
        let published = try #require(lab.scenarios.first { $0.name == "as-published" })
        #expect(lab.obstacle(to: published) == nil)
        let mixed = try lab.replacingVRRPDaemon(with: .keepalived, nodes: ["slave"])
        #expect(mixed.obstacle(to: published) == "vrrp-agent: slave/keepalived is keepalived")
        #expect(mixed.scenarios.filter { mixed.obstacle(to: $0) != nil } == [published])
    }

    @Test("a choice is KIND or NODE=KIND, of a kind that speaks VRRP")
    func parsing() {
        #expect(VRRPDaemonChoice("keepalived") == VRRPDaemonChoice(kind: .keepalived))
        #expect(
            VRRPDaemonChoice("a=vrrp-agent") == VRRPDaemonChoice(node: "a", kind: .vrrpAgent))
        #expect(VRRPDaemonChoice("a=vrrp-agent")?.description == "a=vrrp-agent")
        for text in ["", "http", "a=", "=keepalived", "a=b=keepalived", "keepalive"] {
            #expect(VRRPDaemonChoice(text) == nil)
        }
    }

    @Test("a node that is unknown, or has no VRRP daemon, is named")
    func refused() throws {
        let lab = try shippedLab("httpd-ha")
        func message(_ node: String) -> String? {
            do throws(Diagnostic) {
                _ = try lab.replacingVRRPDaemon(with: .keepalived, nodes: [node])
                return nil
            } catch {
                return error.description
            }
        }
        #expect(
            message("slvae") == "--vrrp: lab httpd-ha has no node 'slvae'; did you mean 'slave'?")
        #expect(message("client") == "--vrrp: node client has no VRRP daemon to replace")
    }
}
