import Glibc
import LinuxSystem
import Testing

@Suite(
    "A wrong router is caught by what is meant to catch it, and by nothing else",
    .enabled(if: buildsLabs, "needs root"),
    .enabled(if: access("/usr/bin/python3", X_OK) == 0, "the routers are written in Python"))
struct WrongRouterTests {
    /// The address that is fought for is 10.30.0.100; the right router is our agent, of priority
    /// 90.
    /// Skew and Master_Down_Interval of the other are 0.206 s and 1.106 s with priority 80.
    private static func yaml(_ wrong: WrongRouter) -> String {
        func service(_ name: String, priority: Int) -> String {
            """
            \(name):
                    kind: command
                    autostart: false
                    command: [python3, /root/router.py, \(wrong.rawValue), "\(priority)", "30", 10.30.0.100]
            """
        }
        return """
            networks: { lan: { subnet: 10.30.0.0/24 } }
            nodes:
              peer:
                interfaces: { eth0: { network: lan, address: 10.30.0.1 } }
                files: { /etc/keepalived/keepalived.conf: peer.conf }
                services: { vrrp: { kind: vrrp-agent, autostart: false } }
              subject:
                interfaces: { eth0: { network: lan, address: 10.30.0.2 } }
                files: { /root/router.py: router.py }
                services:
                  \(service("high", priority: 100))
                  \(service("low", priority: 80))
            scenarios:
              gives-up:
                steps:
                  - start: subject/high
                  - expect: { vip: 10.30.0.100, on: subject, within: 3s }
                  - stop: subject/high
                  - expect: { vip: 10.30.0.100, absent: true, within: 2s }
              announces:
                steps:
                  - start: subject/high
                  - expect: { sequence: [ vip(10.30.0.100) on subject, garp(10.30.0.100) from subject ], within: 2s }
              heeds-resignation:
                steps:
                  - start: peer/vrrp
                  - expect: { vip: 10.30.0.100, on: peer }
                  - start: subject/low
                  - wait: 1500ms
                  - expect: { ping: 10.30.0.2, from: peer }    # so that the stop alone is what counts
                  - stop: peer/vrrp
                  - expect: { vip: 10.30.0.100, on: subject, within: 800ms }
              gives-way:
                checks: [ one-owner: { vip: 10.30.0.100, overlap: 100ms } ]
                steps:
                  - start: peer/vrrp
                  - expect: { vip: 10.30.0.100, on: peer }
                  - start: subject/low
                  - wait: 3s
            """
    }

    private static let peer = """
        global_defs {
            vrrp_version 3
        }
        vrrp_instance VI_1 {
            state BACKUP
            interface eth0
            virtual_router_id 51
            priority 90
            advert_int 0.3
            virtual_ipaddress {
                10.30.0.100
            }
        }
        """

    private static let scenarios = ["gives-up", "announces", "heeds-resignation", "gives-way"]

    /// Which scenario a router fails, and what is said of it.
    private static func failure(of router: WrongRouter) -> (scenario: String, words: [String])? {
        switch router {
        case .right: nil
        case .keeps: ("gives-up", ["expected VIP 10.30.0.100 on no node", "on subject"])
        case .silent: ("announces", ["garp(10.30.0.100) from subject"])
        case .deaf: ("heeds-resignation", ["expected VIP 10.30.0.100 on subject within 800 ms"])
        case .greedy:
            ("gives-way", ["expected at most one owner of 10.30.0.100", "on peer and subject"])
        }
    }

    @Test("of the four scenarios each fails the one that is about what it does wrong")
    func matrix() throws {
        // Side by side: they mostly wait.
        let runs = try WrongRouter.allCases.map { router in
            let lab = try LabUnderTest(
                "wrong-\(router.rawValue)", Self.yaml(router),
                files: ["router.py": WrongRouter.program, "peer.conf": Self.peer])
            let programs = try Self.scenarios.enumerated().map { index, scenario in
                try Labctl.start([
                    "test", lab.folder, "--name", "\(lab.name)-\(index)", "--scenario", scenario,
                ])
            }
            return (router, lab, programs)
        }
        for (router, lab, programs) in runs {
            let failure = Self.failure(of: router)
            for (index, program) in programs.enumerated() {
                let scenario = Self.scenarios[index]
                let result = try program.finish()
                let fails = scenario == failure?.scenario
                #expect(
                    result.status == (fails ? 1 : 0),
                    "\(router) in \(scenario):\n\(result.output)\(result.errors)")
                for word in fails ? failure?.words ?? [] : [] {
                    #expect(result.output.contains(word), "\(router):\n\(result.output)")
                }
                try expectNothingLeft(of: "\(lab.name)-\(index)")
            }
        }
    }
}
