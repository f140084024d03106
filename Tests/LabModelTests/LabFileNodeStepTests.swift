import Testing

@testable import LabModel

@Suite("lab file: limits, clocks and durations")
struct LabFileNodeStepTests {
    private static func yaml(_ steps: String) -> String {
        """
        name: t
        nodes: { a: { services: { web: { kind: http } } }, b: {} }
        scenarios:
          s:
            steps:
        \(steps.split(separator: "\n").map { "      - \($0)" }.joined(separator: "\n"))
        """
    }

    private func steps(_ text: String) throws -> [Step] {
        let decoding = decode(Self.yaml(text))
        #expect(decoding.diagnostics == [])
        return try #require(decoding.lab?.scenarios.first).steps
    }

    @Test("every form of a step")
    func forms() throws {
        let steps = try steps(
            """
            limit: { node: a, cpu: 20%, memory: 64MiB, disk: full }
            limit: { node: a, cpus: 0.2, pids: 50, disk: 10MiB left }
            limit: { node: a, memory: none }
            limit: a cpu 20% pids 50
            { limit: b none }
            { limit: { node: b, disk: full }, for: 2s }
            { freeze: a, for: 1s }
            { kill: a/web, for: 500ms }
            { stop: b, for: 3s }
            reboot: b
            restart: { service: a/web, clock: +1h }
            start: { service: a/web, clock: -30m }
            restart: a/web
            """)
        #expect(
            steps.map(\.summary) == [
                "limit a cpu 20% memory 64MiB disk full",
                "limit a cpu 20% disk 10MiB left pids 50", "limit a memory none",
                "limit a cpu 20% pids 50", "limit b none", "limit b disk full for 2 s",
                "freeze a for 1 s", "kill a/web for 500 ms", "stop b for 3 s", "restart b",
                "restart a/web clock +1h", "start a/web clock -30m", "restart a/web",
            ])
        #expect(steps.compactMap(\.clock).count == 2)
        #expect(steps[10].action == .control(.restart, Target(node: "a", service: "web")))
        #expect(steps[6].options == ControlOptions(lasting: .seconds(1)))
    }

    @Test("what is wrong is said, all of it")
    func mistakes() {
        let decoding = decode(
            Self.yaml(
                """
                limit: a
                limit: { node: c, cpu: 20% }
                limit: { node: a }
                limit: { node: a, cpu: 20, memory: 1k, disk: most }
                limit: { node: a, cpu: 20%, cpus: 0.2 }
                limit: { node: a, memry: 64MiB }
                { limit: a none, for: 1s }
                { start: a, for: 1s }
                reboot: a/web
                restart: { service: a, clock: +1h }
                restart: { service: a/web, clock: later }
                restart: { service: a/web }
                """))
        #expect(
            decoding.diagnostics.map(\.description).joined(separator: "\n") == """
                lab.yaml:6:16: 'limit' of step 1 of scenario s: nothing would be limited: give cpu, \
                memory, disk, pids or none
                lab.yaml:7:24: scenario s names node 'c', which is not defined; the lab's nodes are a, b
                lab.yaml:8:16: 'limit' of step 3 of scenario s: nothing would be limited: give cpu, \
                memory, disk, pids or none
                lab.yaml:9:32: 'limit' of step 4 of scenario s: '20' after 'cpu' is no share, as 20% is
                lab.yaml:9:44: 'limit' of step 4 of scenario s: '1k' after 'memory' is less than 6MiB
                lab.yaml:9:54: 'limit' of step 4 of scenario s: 'most' after 'disk' is no size, as \
                64MiB is, nor 'full'
                lab.yaml:10:16: 'limit' of step 5 of scenario s: 'cpu' is there twice
                lab.yaml:11:27: unknown key 'memry' in 'limit' of step 6 of scenario s; did you mean \
                'memory'?
                lab.yaml:12:26: step 7 of scenario s is nothing that 'for' could take back: it belongs \
                to stop, kill, freeze, link down, blackhole and flap, plug, unplug, impair, \
                partition, cut, imposter and limit
                lab.yaml:13:21: step 8 of scenario s is nothing that 'for' could take back: it belongs \
                to stop, kill, freeze, link down, blackhole and flap, plug, unplug, impair, \
                partition, cut, imposter and limit
                lab.yaml:14:17: 'a/web' of step 9 of scenario s must be NODE: a service is restarted
                lab.yaml:15:29: 'a' of 'restart' of step 10 of scenario s must be NODE/SERVICE
                lab.yaml:16:43: 'later' of 'restart' of step 11 of scenario s is no offset of a clock, \
                as +1h or -30m are, nor 'none'
                lab.yaml:17:9: 'restart' of step 12 of scenario s has no 'clock'
                """)
    }

    @Test("the shell is told for how long, and with which clock")
    func options() throws {
        let web = Target(node: "a", service: "web")
        let steps = [
            Step(.control(.freeze, Target(node: "a")), lasting: .seconds(2)),
            Step(.control(.restart, web), clock: ClockOffset(.seconds(60))),
        ]
        #expect(
            steps.map(\.options) == [
                ControlOptions(lasting: .seconds(2)),
                ControlOptions(clock: ClockOffset(.seconds(60))),
            ])
    }
}
