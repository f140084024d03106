import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes
import SystemPackage
import Testing
import VRRP

@testable import VRRPAgent

/// A mail server in the test's own event loop: one answer for each line it gets.
private final class Sink {
    let loop: EventLoop
    let port: UInt16
    var mails: [String] = []
    var isMute = false
    private let listener: SharedDescriptor
    private var connections: [CInt: (descriptor: SharedDescriptor, text: String, isData: Bool)] =
        [:]

    /// - Parameter isListening: whether anybody is there; otherwise its port refuses connections
    ///   for as long as it is kept, and nobody else gets it meanwhile.
    init(_ loop: EventLoop, isListening: Bool = true) throws {
        self.loop = loop
        listener = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("open") {
                    socket(
                        AF_INET,
                        Int32(SOCK_STREAM.rawValue) | CLINUX_SOCK_CLOEXEC
                            | CLINUX_SOCK_NONBLOCK, 0)
                }))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let number = listener.rawValue
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try systemCall("bind") { bind(number, pointer, length) }
                try systemCall("name") { getsockname(number, pointer, &length) }
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard isListening else { return }
        try systemCall("listen") { listen(number, 8) }
        try loop.add(number, .readable) { [unowned self] _ in accept() }
    }

    deinit {
        loop.remove(listener.rawValue)
        for number in connections.keys { loop.remove(number) }
    }

    private func accept() {
        guard let connection = try? UnixSocket.accept(listener) else { return }
        let descriptor = SharedDescriptor(connection)
        connections[descriptor.rawValue] = (descriptor, "", false)
        if !isMute { say("220-sink\r\n220 ready\r\n", descriptor.rawValue) }
        try? loop.add(descriptor.rawValue, .readable) { [unowned self] _ in
            take(descriptor.rawValue)
        }
    }

    private func say(_ text: String, _ number: CInt) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { send(number, $0.baseAddress, $0.count, CLINUX_MSG_NOSIGNAL) }
    }

    private func take(_ number: CInt) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(number, &buffer, buffer.count, 0)
        guard count > 0 else {
            loop.remove(number)
            connections[number] = nil
            return
        }
        guard !isMute else { return }
        connections[number]?.text += String(decoding: buffer.prefix(count), as: UTF8.self)
        while let connection = connections[number] {
            let end = connection.isData ? "\r\n.\r\n" : "\r\n"
            guard let range = connection.text.firstRange(of: end) else { return }
            let line = String(connection.text[..<range.lowerBound])
            connections[number]?.text.removeSubrange(..<range.upperBound)
            connections[number]?.isData = line == "DATA"
            if connection.isData { mails.append(line) }
            say(
                line == "DATA" ? "354 go\r\n" : line == "QUIT" ? "221 bye\r\n" : "250 ok\r\n",
                number)
        }
    }
}

@Suite("Mail really sent, without blocking anything")
struct MailerTests {
    private let bench: AgentBench

    init() throws { bench = try AgentBench() }

    private func mailer(_ server: String, _ port: UInt16, timeout: Duration = .seconds(10)) throws
        -> Mailer
    {
        let text = """
            global_defs {
                router_id lb01
                notification_email {
                    root@example.org
                }
                smtp_server \(server) \(port)
            }
            """
        var settings = try #require(
            MailSettings(
                Configuration.parse(text, file: "x").configuration.global, localName: nil,
                hostName: "node1", userName: "root"))
        settings.timeout = timeout
        return Mailer(settings, launcher: try bench.launcher(), loop: bench.loop, log: bench.log)
    }

    private func send(_ mailer: Mailer, _ transitions: [VirtualRouter.Transition]) {
        for transition in transitions {
            let notification = TransitionNotice(
                subject: .instance("VI_1"), transition: transition, priority: 1)
            notification.mail(routerID: "lb01").map(mailer.send)
        }
    }

    @Test("mails arrive in the order of what they tell")
    func order() throws {
        let sink = try Sink(bench.loop)
        let mailer = try mailer("127.0.0.1", sink.port)
        send(mailer, [.backup, .master, .fault])
        #expect(!mailer.isIdle)
        try bench.run(until: { mailer.isIdle })
        let subjects = sink.mails.compactMap { mail in
            mail.split(separator: "\r\n").first { $0.hasPrefix("Subject: ") }
        }
        #expect(
            subjects
                == ["BACKUP", "MASTER", "FAULT"].map {
                    "Subject: [lb01] VRRP Instance VI_1 - Entering \($0) state"
                })
        #expect(bench.lines == [])
        #expect(
            bench.details
                == Array(
                    repeating: [
                        "Remote SMTP server [127.0.0.1]:\(sink.port) connected.",
                        "SMTP alert successfully sent.",
                    ], count: 3
                ).flatMap(\.self))
        let date = sink.mails[0].split(separator: "\r\n")[0]
        #expect(
            date.wholeMatch(
                of: /Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/) != nil
        )
    }

    @Test("a server by its name")
    func name() throws {
        let sink = try Sink(bench.loop)
        let mailer = try mailer("localhost", sink.port)
        send(mailer, [.master])
        try bench.run(until: { mailer.isIdle })
        #expect(
            sink.mails.count == 1 || bench.lines.first?.contains("refused") ?? false,
            "localhost may be ::1 here: \(bench.lines)")
        let nameless = try self.mailer("no-such-host.invalid", 25)
        bench.lines = []
        send(nameless, [.master])
        try bench.run(until: { nameless.isIdle })
        #expect(
            bench.lines == ["Invalid smtp server no-such-host.invalid: its address is not known"])
    }

    @Test("nobody there, and a server that says nothing")
    func failures() throws {
        let mute = try Sink(bench.loop)
        mute.isMute = true
        let patient = try mailer("127.0.0.1", mute.port, timeout: .milliseconds(100))
        send(patient, [.master])
        try bench.run(until: { patient.isIdle })
        let timeout = "Timeout reading data to remote SMTP server [127.0.0.1]:\(mute.port)."
        #expect(bench.lines == [timeout, timeout], "the greeting, and the answer to QUIT")
        bench.lines = []
        let nobody = try Sink(bench.loop, isListening: false)
        let lonely = try mailer("127.0.0.1", nobody.port, timeout: .milliseconds(100))
        send(lonely, [.backup, .fault])
        try bench.run(until: { lonely.isIdle })
        let refused = "SMTP connection ERROR to [127.0.0.1]:\(nobody.port): connection refused."
        #expect(bench.lines == [refused, refused], "each mail is tried once")
    }

    @Test("an unreachable server does not make mails pile up")
    func bound() throws {
        let sink = try Sink(bench.loop)
        sink.isMute = true
        let mailer = try mailer("127.0.0.1", sink.port)
        for _ in 0..<1_000 { send(mailer, [.master]) }
        #expect(bench.lines == ["64 SMTP alerts are waiting, the oldest are not sent"])
        #expect(!mailer.isIdle)
    }
}
