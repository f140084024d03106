import Glibc
import LinuxSystem
import Testing

/// What stands up to a station that lies, and what cannot: our agent as the protocol has it.
@Suite("Imposters among virtual routers", .enabled(if: buildsLabs, "needs root"))
struct ImposterAgentTests {
    /// What differs between the versions.
    struct Dialect: Sendable, CustomTestStringConvertible {
        var name: String
        /// Lines of the instance.
        var lines: String
        /// Words that make an advert a right one for it.
        var proof: String
        var testDescription: String { name }
    }

    static let dialects = [
        Dialect(
            name: "version 2 with a password",
            lines: "advert_int 1\n authentication { auth_type PASS auth_pass k4ll1sti }",
            proof: " auth k4ll1sti"),
        Dialect(name: "version 3", lines: "version 3\n advert_int 0.5", proof: ""),
    ]

    private func lab(_ name: String, _ dialect: Dialect, scenarios: String = "") throws
        -> LabUnderTest
    {
        func configuration(_ priority: Int) -> String {
            """
            vrrp_instance VI_1 {
             interface eth0
             virtual_router_id 51
             priority \(priority)
             \(dialect.lines.replacing(" {", with: " {\n").replacing(" }", with: "\n}")
                .replacing("PASS ", with: "PASS\n"))
             virtual_ipaddress {
              10.10.10.100
             }
            }

            """
        }
        return try LabUnderTest(
            name,
            """
            networks: { lan: { subnet: 10.10.10.0/24 } }
            nodes:
              a:
                interfaces: { eth0: { network: lan, address: 10.10.10.1 } }
                files: { /etc/keepalived/keepalived.conf: a.conf }
                services: { keepalived: { kind: vrrp-agent } }
              b:
                interfaces: { eth0: { network: lan, address: 10.10.10.2 } }
                files: { /etc/keepalived/keepalived.conf: b.conf }
                services: { keepalived: { kind: vrrp-agent } }
            \(scenarios)
            """, files: ["a.conf": configuration(200), "b.conf": configuration(100)])
    }

    /// Brings it up and lets it elect, to the last word that a daemon says of that.
    private func settle(_ lab: LabUnderTest) throws -> String {
        try lab.up("--wait", "converged")
        // The address is there before the daemon says so, and its route.
        try waitUntil("the master says so") {
            try lab.events("claim").contains("keepalived says that VI_1 is MASTER")
        }
        return try transitions(lab)
    }

    /// Expects that no router has changed its state, and no address its place.
    private func expectNothing(
        in lab: LabUnderTest, since before: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let now = try transitions(lab)
        #expect(
            now == before, "\(now) instead of \(before)", sourceLocation: sourceLocation)
    }

    /// Every change of a router's state, and of who has which address; but for link-local ones,
    /// which take their time until nobody else is known to have them.
    private func transitions(_ lab: LabUnderTest) throws -> String {
        let lines = try ["claim", "address-added", "address-removed"].flatMap { kind in
            try lab.events(kind).split(separator: "\n").filter { !$0.contains(" fe80::") }
        }
        return lines.joined(separator: "\n")
    }

    /// What a node's daemon has counted, by the counters' names.
    private func counters(_ lab: LabUnderTest, _ node: String) throws -> [String: Int] {
        let text = try lab.shell(
            node,
            "rm -f /tmp/keepalived.stats; kill -USR2 $(cat /run/keepalived.pid);"
                + " until grep -q Zero /tmp/keepalived.stats 2>/dev/null; do sleep 0.01; done;"
                + " cat /tmp/keepalived.stats")
        var counters: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":")
            guard parts.count == 2, let number = Int(parts[1].drop { $0 == " " }) else { continue }
            counters[String(parts[0].drop { $0 == " " }), default: 0] += number
        }
        return counters
    }

    @Test(
        "whatever is wrong with an advert, it changes nothing and is counted", arguments: dialects)
    func refused(dialect: Dialect) throws {
        let lab = try lab("imp-refused-\(dialect.name.count)", dialect)
        let before = try settle(lab)
        for flaw in ["checksum", "ttl", "version", "type", "length", "vrid", "random"] {
            let words = "flood 200\(dialect.proof) wrong \(flaw)".split(separator: " ")
            try lab.fault("imposter", "lan", words.map(String.init))
            usleep(300_000)
        }
        try lab.fault("imposter", "lan", "none")
        try expectNothing(in: lab, since: before)
        for node in ["a", "b"] {
            let counters = try counters(lab, node)
            for name in ["Length", "TTL"] {
                #expect(counters[name] ?? 0 > 10, "\(name) of \(node): \(counters)")
            }
            // Those of the packets and of the authentication have one name.
            #expect(counters["Invalid Type"] ?? 0 > 10, "\(node): \(counters)")
        }
        let log = try lab.shell("a", "journalctl -u keepalived --no-pager")
        for line in ["Invalid VRRPv", "wrong version", "invalid TTL/HL"] {
            #expect(log.contains(line), "\(line)")
        }
        try lab.down()
    }

    @Test("without the password nobody is believed; and every one of its adverts is counted")
    func password() throws {
        let lab = try lab("imp-password", Self.dialects[0])
        let before = try settle(lab)
        try lab.fault("imposter", "lan", "flood", "50")
        usleep(500_000)
        try lab.fault("imposter", "lan", "flood", "50", "auth", "k4ll1st")
        usleep(500_000)
        try lab.fault("heal")
        try expectNothing(in: lab, since: before)
        for node in ["a", "b"] {
            let counters = try counters(lab, node)
            #expect(counters["Type Mismatch"] ?? 0 > 5 && counters["Failure"] ?? 0 > 5)
        }
        try lab.down()
    }

    @Test(
        "what the routers have said themselves moves nothing, however often it is said again",
        arguments: dialects)
    func replayed(dialect: Dialect) throws {
        let lab = try lab("imp-replay-\(dialect.name.count)", dialect)
        let before = try settle(lab)
        let received = try counters(lab, "b")["Received"] ?? 0
        try lab.fault("imposter", "lan", "replay", "delay", "200ms", "replay", "rate", "100")
        try waitUntil("b has heard many") {
            try (counters(lab, "b")["Received"] ?? 0) > received + 200
        }
        try expectNothing(in: lab, since: before)
        // There is no defence against this: an advert that is long past holds the backup down.
        try lab.fault("kill", "a")
        usleep(4_500_000)
        #expect(try lab.status().node("b").virtualRouters.first?.held == [])
        try lab.fault("heal")
        try waitUntil("b takes over", within: .seconds(10)) {
            try lab.status().node("b").virtualRouters.first?.held == ["10.10.10.100"]
        }
        try lab.down()
    }

    @Test(
        "100 000 adverts a second that nobody believes move nothing, and push no node's frame out",
        arguments: dialects)
    func flood(dialect: Dialect) throws {
        let lab = try lab("imp-flood-\(dialect.name.count)", dialect)
        let before = try settle(lab)
        for words in ["wrong checksum", "wrong random"] {
            let words = "flood 100000 \(words)".split(separator: " ").map(String.init)
            try lab.fault("imposter", "lan", words + ["--for", "2s"])
            try waitUntil("it is over") {
                try !Labctl.run("status", lab.name).output.contains("imposter")
            }
        }
        try expectNothing(in: lab, since: before)
        let lost = try lab.events("lost")
        #expect(lost.contains("imposter@lan") && lost.contains("more frames, left out"))
        #expect(!lost.contains("frames lost"), "no node's: \(lost)")
        try lab.down()
    }

    @Test("a stranger with the highest priority silences all; healed, the master is back in time")
    func outranked() throws {
        for (daemon, dialect) in [
            ("vrrp-agent", Self.dialects[0]), ("keepalived", Self.dialects[1]),
        ] {
            let lab = try lab(
                "imp-255-\(daemon.count)", dialect,
                scenarios: """
                    scenarios:
                      rogue:
                        checks: [ one-owner: 10.10.10.100 ]
                        steps:
                          - expect: { vip: 10.10.10.100, on: a }
                          - imposter: lan advert\(dialect.proof)
                          - expect: { vip: 10.10.10.100, absent: true, for: 2s }
                          - expect: { adverts: { from: imposter@lan, priority: 255 }, at-least: 2 }
                          - imposter: lan none
                          - expect: { vip: 10.10.10.100, on: a }
                          - { imposter: lan advert interval 2s\(dialect.proof), for: 1s }
                          - wait: 1500ms
                          - expect: { vip: 10.10.10.100, on: a, within: 12s }
                      answers:
                        checks: [ no-duplicate-address: true ]
                        steps:
                          - expect: { vip: 10.10.10.100, on: a }
                          - imposter: lan arp 10.10.10.100 announce
                          - wait: 1s
                    """)
            let run = try Labctl.start([
                "test", lab.folder, "--scenario", "rogue", "--vrrp", daemon,
            ]).finish()
            #expect(run.status == 0, "\(run.output)\(run.errors)")
            let answers = try Labctl.start(
                ["test", lab.folder, "--scenario", "answers", "--vrrp", daemon]
            ).finish()
            #expect(answers.status == 1)
            #expect(
                answers.output.contains("(imposter@lan) and on a"),
                "\(answers.output)\(answers.errors)")
        }
    }
}

extension LabUnderTest {
    /// As with words one by one.
    fileprivate func fault(
        _ verb: String, _ network: String, _ words: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = try Labctl.start([verb, "-l", name, network] + words).finish()
        #expect(run.status == 0, "\(run.errors)", sourceLocation: sourceLocation)
    }
}
