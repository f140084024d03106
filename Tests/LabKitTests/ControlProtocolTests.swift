import Foundation
import LabModel
import NetworkTypes
import Testing

@testable import LabKit

@Suite("what labctl and a supervisor say to each other survives the JSON")
struct ControlProtocolTests {
    private func roundTrip<Message: Codable>(_ message: Message) throws -> (Message, String) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let first = try encoder.encode(message)
        let decoded = try JSONDecoder().decode(Message.self, from: first)
        let second = try encoder.encode(decoded)
        #expect(first == second)
        return (decoded, String(decoding: first, as: UTF8.self))
    }

    @Test("requests")
    func requests() throws {
        let execute = ExecuteOptions(
            command: ["sh", "-c", "echo \"$A\"\n"], environment: ["A=ü"], workingDirectory: nil,
            user: "nobody", terminalRows: 24, terminalColumns: 80)
        let all: [ControlRequest] = [
            .status, .down, .control(.kill, Target(node: "master")),
            .control(
                .stop, Target(node: "master", service: "keepalived"),
                ControlOptions(lasting: .seconds(2), clock: ClockOffset(.seconds(-60)))),
            .execute(node: "a", execute),
            .logs(LogQuery(node: nil, service: nil, follows: true, tail: 10)),
            .logs(LogQuery(node: "a", service: "web", follows: false, tail: nil)),
            .events(follow: true), .runScenario("fail-over"), .awaitConvergence,
        ]
        var texts: Set<String> = []
        for request in all { texts.insert(try roundTrip(request).1) }
        #expect(texts.count == all.count, "no two requests look the same")
        guard case .execute("a", let options) = try roundTrip(all[4]).0 else {
            Issue.record("it is no execute request any more")
            return
        }
        #expect(options.command == execute.command)
        #expect(options.environment == execute.environment)
        #expect(options.user == "nobody")
        #expect(options.terminalRows == 24)
        guard case .control(.stop, let target, let given) = try roundTrip(all[3]).0 else {
            Issue.record("it is no stop request any more")
            return
        }
        #expect(target.description == "master/keepalived")
        #expect(given == ControlOptions(lasting: .seconds(2), clock: ClockOffset(.seconds(-60))))
    }

    @Test("replies")
    func replies() throws {
        let line = LogLine(
            node: "a", service: "web", time: MonotonicInstant(nanoseconds: 7), isError: true,
            text: "\u{1b}[31mred\u{1b}[0m")
        guard case .logLine(let sameLine) = try roundTrip(ControlReply.logLine(line)).0 else {
            Issue.record("it is no line any more")
            return
        }
        #expect(sameLine == line)
        let event = TimelineEvent(
            time: MonotonicInstant(nanoseconds: 42), stamp: .kernel,
            kind: .service(node: "a", service: "web", .exited(.signal(9))))
        guard case .event(let sameEvent) = try roundTrip(ControlReply.event(event)).0 else {
            Issue.record("it is no event any more")
            return
        }
        #expect(sameEvent == event)
        let message = Data(ControlReply.message(of: event))
        guard
            case .event(let fastEvent) = try JSONDecoder().decode(
                ControlReply.self, from: message)
        else {
            Issue.record("it is no event when written by hand")
            return
        }
        #expect(fastEvent == event)
        let outcome = ScenarioOutcome(
            verdict: .inconclusive, message: "stalled", duration: .milliseconds(1500))
        guard case .verdict(let same) = try roundTrip(ControlReply.verdict(outcome)).0 else {
            Issue.record("it is no verdict any more")
            return
        }
        #expect(same == outcome)
        #expect(try roundTrip(ControlReply.done).1 != roundTrip(ControlReply.status(status)).1)
    }

    private var status: LabStatus {
        get throws {
            let mac = try #require(MACAddress("02:00:00:00:00:01"))
            let vip = try #require(IPAddress("10.10.10.10"))
            return LabStatus(
                lab: "two-node", uptime: .seconds(5),
                nodes: [
                    NodeStatus(
                        name: "master", state: .running, isFrozen: true, pid: 4711,
                        virtualRouters: [
                            VirtualRouterStatus(
                                instance: "VI_1", vrid: 51, priority: 100, role: .master,
                                held: [vip])
                        ],
                        interfaces: [
                            InterfaceStatus(
                                name: "eth0", mac: mac, isUp: true, hasCarrier: false,
                                addresses: [InterfaceAddress(vip, prefixLength: 24)])
                        ],
                        services: [
                            ServiceStatus(
                                name: "web", kind: .http, state: .ready, since: .zero,
                                isFrozen: true)
                        ])
                ],
                faults: [.linkDown(try #require(Endpoint.parse("master:eth0")))],
                published: [
                    PublishedPort(hostAddress: vip, hostPort: 8080, address: vip, port: 80)
                ],
                gateways: [
                    GatewayStatus(
                        network: try #require(InterfaceName("lan")),
                        addresses: [InterfaceAddress(vip, prefixLength: 24)],
                        external: .nat(.init(enablesForwarding: true)))
                ])
        }
    }

    @Test("a status carries roles and addresses in the words that people read")
    func statusWords() throws {
        let text = try roundTrip(ControlReply.status(status)).1
        for word in [
            "\"MASTER\"", "\"10.10.10.10/24\"", "\"02:00:00:00:00:01\"", "\"running\"", "\"http\"",
        ] {
            #expect(text.contains(word), "\(text)")
        }
    }

    @Test(
        "a failure keeps its kind, and so its exit status",
        arguments: [LabError.machine("m"), .state("s"), .failed("f")])
    func failures(error: LabError) throws {
        let reply = ControlReply.failed(ControlReply.FailureKind(error), error.description)
        guard case .failed(let kind, let text) = try roundTrip(reply).0 else {
            Issue.record("it is no failure any more")
            return
        }
        #expect("\(LabError(kind, text))" == "\(error)")
        #expect(ControlReply.FailureKind(LabError(kind, text)) == ControlReply.FailureKind(error))
        guard case .failed(let launched, _) = try roundTrip(LaunchReport(error)).0 else {
            Issue.record("it is no failed launch any more")
            return
        }
        #expect(launched == ControlReply.FailureKind(error))
    }
}
