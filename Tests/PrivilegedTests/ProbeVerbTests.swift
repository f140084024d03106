import FoundationEssentials
import Glibc
import Testing

@Suite("labctl probe", .enabled(if: buildsLabs, "needs root"))
struct ProbeVerbTests {
    /// What `--format json` prints.
    private struct Figures: Decodable {
        var node: String
        var request: String
        var requests: Int
        var lost: Int
        var outages: [[String: Int]]
        var median: Int?
    }

    private static func lab(_ name: String) throws -> LabUnderTest {
        try LabUnderTest(
            name,
            """
            networks: { lan: { subnet: 10.41.0.0/24 } }
            nodes:
              server:
                interfaces: { eth0: { network: lan, address: 10.41.0.1 } }
                files: { /var/www/html/index.html: { text: "hello\\n" } }
                services: { web: { kind: http } }
              client:
                interfaces: { eth0: { network: lan, address: 10.41.0.2 } }
            scenarios:
              one:
                probes: { "ping 10.41.0.1": { from: client, ping: 10.41.0.1 } }
                steps: [ wait: 1ms ]
            """)
    }

    @Test("tells an outage while it goes on and when it is over, until it is interrupted")
    func outage() throws {
        let lab = try Self.lab("probe-verb")
        try lab.up()
        let probe = try Labctl.start(["probe", "-l", lab.name, "client", "http://10.41.0.1/"])
        _ = try probe.awaitOutput("200 hello\n")
        #expect(try Labctl.run("kill", "-l", lab.name, "server/web").status == 0)
        _ = try probe.awaitOutput("no answer: connection refused")
        #expect(try Labctl.run("start", "-l", lab.name, "server/web").status == 0)
        _ = try probe.awaitOutput(" lost)")
        probe.signal(SIGINT)
        let run = try probe.finish(within: .seconds(20))
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("\noutage at "))
        #expect(run.output.contains("\ntime to answer: median "))
        // It is on the timeline as well.
        let events = try Labctl.run("events", "-l", lab.name, "--kind", "probe")
        #expect(events.output.contains("probe http://10.41.0.1/: 200, 6 bytes"))
        try lab.down()
    }

    @Test("ends after so many requests, with figures as JSON, under a name that no scenario has")
    func figures() throws {
        let lab = try Self.lab("probe-count")
        try lab.up()
        let run = try Labctl.run(
            "probe", "-l", lab.name, "client", "ping", "10.41.0.1", "--every", "2ms", "-c", "50",
            "--format", "json")
        #expect(run.status == 0, "\(run.errors)")
        let figures = try JSONDecoder().decode(
            Figures.self, from: Data(run.output.utf8))
        #expect(figures.node == "client")
        #expect(figures.request == "ping 10.41.0.1")
        #expect(figures.requests >= 50)
        #expect(figures.lost == 0)
        #expect(figures.outages.isEmpty)
        #expect(figures.median != nil)
        let events = try Labctl.run("events", "-l", lab.name, "--kind", "probe")
        #expect(events.output.contains("probe ping 10.41.0.1 2: answered"))
        #expect(!events.output.contains("probe ping 10.41.0.1: answered"))
        try lab.down()
    }

    @Test("from a node that stands still nothing is asked")
    func frozen() throws {
        let lab = try Self.lab("probe-frozen")
        try lab.up()
        #expect(try Labctl.run("freeze", "-l", lab.name, "client").status == 0)
        let run = try Labctl.run(
            "probe", "-l", lab.name, "client", "ping", "10.41.0.1", "-c", "3")
        #expect(run.status == 1)
        #expect(run.output.contains("no answer: node client is frozen"))
        #expect(try Labctl.run("thaw", "-l", lab.name, "client").status == 0)
        let thawed = try Labctl.run(
            "probe", "-l", lab.name, "client", "ping", "10.41.0.1", "-c", "3")
        #expect(thawed.status == 0, "\(thawed.output)")
        try lab.down()
    }

    @Test("exits with 1 where nothing answers, 5 without such a node, 2 where nothing is asked")
    func statuses() throws {
        let lab = try Self.lab("probe-status")
        try lab.up()
        let silent = try Labctl.run(
            "probe", "-l", lab.name, "client", "tcp", "10.41.0.1:9", "--for", "50ms")
        #expect(silent.status == 1)
        #expect(silent.output.contains("no answer: connection refused"))
        let nobody = try Labctl.run("probe", "-l", lab.name, "clent", "ping", "10.41.0.1")
        #expect(nobody.status == 5)
        #expect(nobody.errors.contains("clent"))
        let mistakes: [(words: [String], complaint: String)] = [
            (["ping", "10.41.0.1/24"], "no address"), (["tcp", "10.41.0.1"], "no ADDRESS:PORT"),
            (["http", "10.41.0.1"], "http://ADDRESS"), (["dns", "10.41.0.1"], "http, tcp, udp"),
            (["ping", "10.41.0.1", "--keep-open"], "http and tcp"),
            (["ping", "10.41.0.1", "--every", "10us"], "at least 1 ms"),
            (["ping", "10.41.0.1", "-c", "0"], "1 or more"),
        ]
        for (words, complaint) in mistakes {
            let run = try Labctl.start(["probe", "-l", lab.name, "client"] + words)
                .finish(within: .seconds(20))
            #expect(run.status == 2, "\(words)")
            #expect(run.errors.contains(complaint), "\(words): \(run.errors)")
        }
        try lab.down()
    }
}
