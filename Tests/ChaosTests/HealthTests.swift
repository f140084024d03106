import LabModel
import NetworkTypes
import Testing

@testable import Chaos

@Suite("Chaos: what a lab is judged by")
struct HealthTests {
    private func summaries(_ steps: [Step]) -> [String] { steps.map(\.summary) }

    private func heirs(_ change: (inout VirtualRouterFacts) -> Void) -> [String] {
        let ground = Ground(FiveNodes.lab, routers: FiveNodes.routers(change))
        return Health.heirs(of: FiveNodes.address, on: ground)
    }

    @Test("without a scenario: addresses, backups, neighbours and answers to pings")
    func derived() {
        #expect(FiveNodes.health.probes.map(\.name) == ["ping-1"])
        #expect(FiveNodes.health.probes.map(\.node) == ["client"])
        #expect(FiveNodes.health.checks.map(\.rule) == [.ownersAgree, .ableTakeOver])
        #expect(
            summaries(FiveNodes.health.expectations) == [
                "expect VIP 10.10.10.100 on node1 settled for 440 ms",
                "expect neighbour 10.10.10.100 of client at node1 within 2.37 s",
                "expect VI_1 BACKUP on node2, node3, node4 and node5",
                "expect an answer of ping 10.10.10.100 to client",
            ])
        #expect(FiveNodes.health.preamble == FiveNodes.health.expectations)
    }

    @Test("§6.4.3: the highest priority has the address, if it preempts")
    func preempting() { #expect(heirs { _ in } == ["node1"]) }

    @Test("§6.4.2: whoever was first of those that nobody may preempt keeps it")
    func notPreempting() {
        #expect(heirs { $0.preempts = false } == FiveNodes.names)
        #expect(heirs { if $0.node == "node1" { $0.preempts = false } } == ["node1", "node2"])
        #expect(
            heirs { $0.priority = $0.node < "node3" ? 200 : 100 } == ["node1", "node2"])
    }

    @Test("where scripts and groups decide, too, it may be on any")
    func conditions() {
        #expect(heirs { $0.hasConditions = $0.node == "node5" } == FiveNodes.names)
        let ground = Ground(
            FiveNodes.lab, routers: FiveNodes.routers { $0.hasConditions = true })
        #expect(
            summaries(Health(ground, scenario: nil).expectations).first
                == "expect VIP 10.10.10.100 on one of node1, node2, node3, node4 and node5 "
                + "settled for 440 ms")
    }

    @Test("nobody promises right neighbour entries without garp_master_refresh")
    func neighbours() {
        let ground = Ground(
            FiveNodes.lab,
            routers: FiveNodes.routers {
                if $0.node == "node4" { $0.announcementRefresh = nil }
            })
        let steps = summaries(Health(ground, scenario: nil).expectations)
        #expect(!steps.contains { $0.contains("neighbour") })
    }

    @Test("a scenario's own checks, probes and lasting expectations take part")
    func ownScenario() throws {
        let text = """
            probes: { web: { from: client, http: "http://10.10.10.100/" } }
            checks: [ dead-are-silent: true, owners-agree: true ]
            steps:
              - expect: { vip: 10.10.10.100, on: node2, within: 9s }
              - expect: { http: "http://10.10.10.100/", from: client, body: hello }
              - expect: { adverts: { from: node2 }, at-least: 1 }
              - wait: 1s
            cleanup: [ wait: 2s ]
            """
        let decoding = FiveNodes.lab.decodeScenario(yaml: text, name: "chaos", file: "lab.yaml") {
            _ in .missing
        }
        let own: Scenario = try #require(decoding.scenario)
        let health = Health(FiveNodes.ground, scenario: own)
        #expect(health.checks.map(\.rule) == [.deadAreSilent, .ownersAgree, .ableTakeOver])
        #expect(health.probes.map(\.name) == ["web"])
        let expectations = summaries(health.expectations)
        #expect(
            expectations == [
                "expect VIP 10.10.10.100 on node2 within 9 s settled for 440 ms",
                "expect neighbour 10.10.10.100 of client at node2 within 2.37 s",
                "expect VI_1 BACKUP on node1, node3, node4 and node5",
                "expect 'hello' from http://10.10.10.100/ to client",
            ])
        #expect(health.preamble.count == 4 + 2)
        #expect(summaries(health.cleanup) == ["wait 2 s"])
    }
}
