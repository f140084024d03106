import NodeProtocol
import Testing

/// One value of every case, every optional both given and not.
private enum Samples {
    static let specification = NodeSpecification(
        hostname: "master", diskFolder: "/lab", rootFolder: "/lab/root",
        layersFolder: "/lab/layers",
        programs: [.init(name: "vrrp-agent", hostPath: "/usr/bin/vrrp-agent")],
        hostMirror: "../../.host", outputFolder: "/lab/output", hosts: "10.0.0.1 master\n",
        files: [
            .init(path: "/a", contents: [0, 255, 10], mode: 0o4755, owner: "root", group: "34"),
            .init(path: "/ü", contents: [], mode: 0),
        ], environment: ["A=b", "EMPTY="],
        services: [service(.started)])

    static func service(
        _ readiness: ServiceSpecification.Readiness,
        _ restart: ServiceSpecification.RestartPolicy = .no
    ) -> ServiceSpecification {
        ServiceSpecification(
            name: "httpd", aliases: ["apache2"], description: "a web server",
            startsWithNode: false, command: ["http-backend", "--port", "80"], readiness: readiness,
            readinessTimeoutNanoseconds: 5_000_000_000, restart: restart,
            stopTimeoutNanoseconds: .max)
    }

    static let requests: [NodeRequest] = [
        .boot(specification), .sysctls([]), .sysctls([.init("net.ipv4.ip_forward", "1")]),
        .start(service(.started)), .start(service(.notify, .onFailure)),
        .start(service(.tcpPort(65535), .always)), .start(service(.file("/run/x.pid"))),
        .start(service(.command(["test", "-e", "/x"]))), .start(service(.daemon(pidFile: nil))),
        .start(service(.daemon(pidFile: "/run/x.pid"))), .stop(service: "httpd"),
        .kill(service: ""), .reload(service: "keepalived"),
        .freeze(service: "keepalived", true), .freeze(service: nil, false),
        .execute(ExecuteRequest(command: ["ip", "a"])),
        .execute(
            ExecuteRequest(
                command: ["sh"], environment: ["TERM=xterm"], workingDirectory: "/var",
                user: "daemon", terminal: .init(rows: 24, columns: 80))),
        .powerOff,
    ]

    static let reports: [NodeReport] = [
        .notified(service: "vrrp", assignment: "X_VRRP=7 MASTER VI_1"),
        .booted(enabled: ["httpd", "smtp"]), .failed("no space left"),
        .sysctlFailed(name: "a.b", reason: "no such file"),
        .sysctlsDone,
        .service(name: "x", state: .running(pid: 17), time: 1),
        .service(name: "x", state: .ready, time: .max),
        .service(name: "x", state: .stopping, time: 0),
        .service(name: "x", state: .exited(status: -1), time: -1),
        .service(name: "x", state: .signalled(signal: 9), time: 3),
        .service(name: "x", state: .failed("died"), time: 4), .poweringOff(restarts: true),
        .frozen(service: "x", true), .frozen(service: nil, false),
    ]

    static let unitRequests: [UnitRequest] =
        UnitVerb.allCases.map { .control($0, unit: "httpd") } + [
            .list, .signal(15, unit: "httpd", onlyMain: true), .setEnabled(false, unit: "x"),
            .resetFailed(unit: "httpd"),
            .powerOff(restarts: true), .powerOff(restarts: false),
        ]

    static let unitReplies: [UnitReply] = [
        .units([]),
        .units(
            UnitReport.Phase.allCases.map { phase in
                UnitReport(
                    name: "httpd", aliases: ["apache2"], description: "a web server",
                    command: ["http-backend", "--port", "80"], isEnabled: true, phase: phase,
                    since: 5, pid: 12, end: .exited(status: 3), failure: "died")
            } + [UnitReport(name: "x", end: .signalled(signal: 9)), UnitReport(name: "y")]),
        .done(changed: true), .done(changed: false), .failed("no such unit"), .refused,
    ]

    static let executeReports: [ExecuteReport] = [
        .started, .failed(status: 127, reason: "sh: not found"), .exited(status: 255),
        .signalled(signal: 15),
    ]
}

@Suite("What supervisor, node and clients say to each other")
struct NodeMessageTests {
    @Test("every request comes out as it went in", arguments: Samples.requests)
    func request(_ request: NodeRequest) throws { try check(request) }

    @Test("every report comes out as it went in", arguments: Samples.reports)
    func report(_ report: NodeReport) throws { try check(report) }

    @Test("every report of a command comes out as it went in", arguments: Samples.executeReports)
    func executeReport(_ report: ExecuteReport) throws { try check(report) }

    @Test("every request of a node's own programs comes out as it went in")
    func unitRequest() throws { for request in Samples.unitRequests { try check(request) } }

    @Test("every answer to them comes out as it went in")
    func unitReply() throws { for reply in Samples.unitReplies { try check(reply) } }

    @Test("a line that a service has printed is kept with its time and where it came from")
    func storedLine() {
        var line = StoredLine(nanoseconds: 17, isError: true, text: "two  words ")
        #expect(StoredLine(line.bytes.dropLast()) == line)
        line.pid = 12
        #expect(StoredLine(line.bytes.dropLast()) == line)
        #expect(line.bytes.last == UInt8(ascii: "\n"))
        #expect(StoredLine(Array("17 e".utf8)[...]) == nil)
    }

    @Test("a signal for a command comes out as it went in")
    func executeInput() throws { try check(ExecuteInput.signal(15)) }

    @Test("a list longer than its message is refused before it is read")
    func longList() {
        // A list of sysctls that claims four thousand million entries.
        #expect(throws: WireError.self) { try NodeRequest(message: [1, 255, 255, 255, 255]) }
    }

    @Test("unknown numbers of cases are refused, and the error says what was expected")
    func unknownCases() {
        #expect(message(of: { try NodeRequest(message: [9]) }) == "a request to a node")
        #expect(message(of: { try NodeReport(message: [8]) }) == "a node's report")
        #expect(message(of: { try ExecuteReport(message: [4]) }) == "a command's report")
        var report = NodeReport.service(name: "", state: .ready, time: 0).message
        report[report.count - 1] = 6
        #expect(message(of: { try NodeReport(message: report) }) == "a service's state")
        var request = NodeRequest.start(Samples.service(.started)).message
        request[request.count - 9] = 3
        #expect(message(of: { try NodeRequest(message: request) }) == "a restart policy")
        request[request.count - 18] = 6
        #expect(message(of: { try NodeRequest(message: request) }) == "a kind of readiness")
    }

    @Test("integers are little-endian, texts led by their length")
    func layout() {
        #expect(NodeRequest.stop(service: "ab").message == [3, 2, 0, 0, 0, 97, 98])
        #expect(ExecuteInput.signal(0x0102).message == [2, 1, 0, 0])
    }

    /// Decodes to itself; cut short anywhere, or with a byte too many, it decodes to nothing.
    private func check<Value: WireCodable & Equatable>(_ value: Value) throws {
        let message = value.message
        #expect(try Value(message: message) == value)
        for length in 0..<message.count {
            #expect(throws: WireError.self, "cut to \(length) bytes") {
                try Value(message: Array(message.prefix(length)))
            }
        }
        #expect(throws: WireError.self) { try Value(message: message + [0]) }
    }

    private func message(of decoding: () throws -> some Any) -> String? {
        do {
            _ = try decoding()
            return nil
        } catch {
            return (error as? WireError)?.expected
        }
    }
}
