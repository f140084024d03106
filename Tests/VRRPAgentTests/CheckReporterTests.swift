import CLinux
import Glibc
import KeepalivedConf
import LVS
import LinuxSystem
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("Who is told by the checkers' process, with real scripts and FIFOs")
struct CheckReporterTests {
    private let bench: AgentBench

    init() throws { bench = try AgentBench() }

    /// A service on 192.0.2.1NN with the machines of those names, whose last word is the address.
    private func service(_ number: Int, _ names: [String], omega: String, notify: String) -> String
    {
        """
        virtual_server 192.0.2.1\(number) 80 {
            protocol TCP
            lb_algo rr
            lb_kind NAT
            \(omega)
            quorum_down "\(notify) quorum \(number) down"
        \(names.map { machine($0, notify: notify) }.joined())}

        """
    }

    private func machine(_ name: String, notify: String) -> String {
        """
            real_server 192.0.2.\(name) 80 {
                notify_down "\(notify) \(name) down"
                notify_up "\(notify) \(name) up"
                TCP_CHECK {
                }
            }

        """
    }

    private func configuration(_ services: String, fifo: String) -> Configuration {
        var configuration = Configuration.parse(services, file: "x").configuration
        configuration.global.notifyFIFOs = [
            NotifyFIFO(
                path: "\(bench.folder)/\(fifo)", script: nil,
                position: SourcePosition(file: "x", line: 1, column: 1))
        ]
        return configuration
    }

    private func book(_ configuration: Configuration) throws -> ScriptBook {
        ScriptBook(
            configuration, machine: try .this(environment: ["PATH=/usr/bin:/bin"]),
            includesCheckers: true)
    }

    /// What was told when one configuration followed another.
    private struct Told {
        /// What the scripts wrote, in any order: nobody waits for them.
        var scripts: Set<String>
        /// The lines of the former configuration's FIFO and of the new one's.
        var formerFIFO: String
        var newFIFO: String
    }

    private func told(_ before: Configuration, then after: Configuration) throws -> Told {
        var balancer = LoadBalancer(before) { $0.lowerBound }
        _ = balancer.handle(.start, now: .zero)
        let readers = try [before, after].map { configuration in
            let path = try #require(configuration.global.notifyFIFOs.first?.path)
            #expect(try FileSystem.makeFIFO(path, mode: 0o600))
            return SharedDescriptor(
                OwnedDescriptor(
                    try systemCall("open") { clinux_open(path, O_RDONLY | O_NONBLOCK, 0) }))
        }
        let reporter = CheckReporter(
            before.global, try book(before), try bench.launcher(), loop: bench.loop,
            log: Log(isStamped: false, isDetailed: false))
        reporter.reload(after.global, try book(after)) {
            for action in balancer.handle(.reload(after), now: .zero) {
                switch action {
                case .run(let command): reporter.run(command)
                case .tell(let line): reporter.tell(line)
                case .ipvs, .log, .mail, .check, .cancelChecks: break
                }
            }
        }
        reporter.tell("the end")
        var isFinished = false
        reporter.finish { isFinished = true }
        try bench.run(until: { isFinished })
        return Told(
            scripts: Set(bench.text("told").split(separator: "\n").map(String.init)),
            formerFIFO: text(readers[0]), newFIFO: text(readers[1]))
    }

    /// What waits in a pipe.
    private func text(_ reader: SharedDescriptor) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(reader.rawValue, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }

    /// A script that notes what it is told.
    private func recorder() throws -> String {
        try bench.script("note", "#!/bin/sh\necho \"$*\" >> \(bench.folder)/told\n")
    }

    @Test(
        "a machine that a reload takes away is told of by its own script, omega or not",
        arguments: ["", "omega"])
    func machine(omega: String) throws {
        let notify = try recorder()
        let told = try told(
            configuration(
                service(0, ["10", "20"], omega: omega, notify: notify), fifo: "former"),
            then: configuration(service(0, ["10"], omega: omega, notify: notify), fifo: "new"))
        #expect(told.scripts == ["20 down"])
        let line = "RS [192.0.2.20]:tcp:80 [192.0.2.10]:tcp:80 DOWN\n"
        #expect(told.formerFIFO == line, "and then it is not the checkers' any more")
        #expect(told.newFIFO == line + "the end\n")
    }

    @Test("a service that a reload takes away: its machines' scripts, and its quorum's")
    func wholeService() throws {
        let notify = try recorder()
        let kept = service(0, ["10"], omega: "omega", notify: notify)
        let told = try told(
            configuration(
                kept + service(1, ["20", "30"], omega: "omega", notify: notify), fifo: "former"),
            then: configuration(kept, fifo: "new"))
        #expect(told.scripts == ["20 down", "30 down", "quorum 1 down"])
        #expect(
            told.formerFIFO == """
                RS [192.0.2.20]:tcp:80 [192.0.2.11]:tcp:80 DOWN
                RS [192.0.2.30]:tcp:80 [192.0.2.11]:tcp:80 DOWN
                VS [192.0.2.11]:tcp:80 DOWN

                """)
    }
}
