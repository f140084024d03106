import Glibc
import LabKit
import LabModel
import NetworkTypes
import Testing

/// Labs as fixtures of tests: what needs a loop, a condition or arithmetic is written so, and not
/// in a lab file.
@Suite("withLab: a lab as a fixture", .serialized, .enabled(if: buildsLabs, "needs root"))
struct LabFixtureTests {
    @Test("whoever is master may go in any way, and a farewell is quicker than silence")
    func everyWayToGo() throws {
        try withLab("Labs/fast-failover") { lab in
            var reactions: [String: Duration] = [:]
            for way in ["stop: master/vrrp", "stop: master", "kill: master"] {
                try lab.run("[ { expect: { vip: 10.10.10.10, on: master } } ]")
                let reports = try lab.run(
                    "[ { \(way) }, { expect: { vip: 10.10.10.10, on: backup } } ]")
                if case .passed(let result)? = reports.last?.phase { reactions[way] = result.after }
                try lab.start(way.hasSuffix("vrrp") ? "master/vrrp" : "master")
            }
            #expect(reactions.count == 3)
            let silence = try #require(reactions["kill: master"])
            for farewell in reactions where farewell.key != "kill: master" {
                #expect(farewell.value < silence, "\(farewell.key)")
            }
        }
    }

    @Test("a test has everything of the lab: commands, the timeline, who holds what")
    func everything() throws {
        let name = try withLab("Labs/fast-failover", vrrp: ["vrrp-agent"]) { lab in
            let result = try lab.execute("client", "sh", "-c", "hostname; echo oops >&2; exit 3")
            #expect(result == CommandResult(status: 3, output: "client\n", errors: "oops\n"))
            #expect(throws: LabError.self) { try lab.execute("client", "no-such-program") }
            #expect(throws: LabError.self) { try lab.kill("nobody") }
            try lab.run("- expect: { vip: 10.10.10.10, on: master }")
            #expect(try lab.holders(of: "10.10.10.10") == ["master"])
            let changes = try lab.timeline().filter { event in
                if case .addressAdded("master", _, let address) = event.kind {
                    address.description == "10.10.10.10/32"
                } else {
                    false
                }
            }
            #expect(changes.count == 1)
            return lab.lab.name
        }
        #expect(name.hasPrefix("fast-failover-"))
        try expectNothingLeft(of: name)
    }

    @Test("what does not hold is thrown with what was seen, and the lab is gone all the same")
    func failure() throws {
        var name = ""
        let failure = try #require(throws: ScenarioFailure.self) {
            try withLab("Labs/fast-failover") { lab in
                name = lab.lab.name
                try lab.run("- expect: { vip: 10.10.10.10, on: client, within: 10ms }")
            }
        }
        #expect(failure.outcome.verdict == .failed)
        #expect(failure.description.hasPrefix("failed: expected VIP 10.10.10.10 on client"))
        #expect(failure.description.contains("\n"), "with a slice of the timeline")
        try expectNothingLeft(of: name)
        let mistake = try #require(throws: LabError.self) {
            try withLab("Labs/fast-failover") { try $0.run("- kill: nobody") }
        }
        #expect("\(mistake)".hasPrefix("steps:1:9: scenario steps names node 'nobody'"))
    }
}
