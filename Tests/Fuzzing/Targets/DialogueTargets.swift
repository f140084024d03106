import KeepalivedConf
import LVS
import LabModel
import Mail
import NetworkTypes

extension FuzzTarget {
    static let http = FuzzTarget(
        "http", "what an HTTP server answers: an octet for the size of the pieces, then the answer"
    ) { bytes in
        guard let first = bytes.first else { return }
        let answer = bytes.dropFirst()
        let whole = Self.response(to: [answer])
        let inPieces = Self.response(to: pieces(of: answer, size: Int(first) + 1))
        try requireEqual(whole, inPieces, "pieces say the same as the whole")
        for page in checkers.pages {
            for pieces in [[answer], pieces(of: answer, size: Int(first) + 1)] {
                var dialogue = HTTPDialogue(
                    page, page: 0, to: checkers.connection, virtualHost: nil)
                play(&dialogue, pieces)
            }
        }
        var dns = DNSDialogue(
            type: .soa, name: "a.example", to: checkers.connection, id: 0x4142)
        play(&dns, [answer])
        for family in [IPAddress.Family.v4, .v6] {
            var ping = PingDialogue(family, sequence: 1)
            play(&ping, [answer])
        }
    }

    private static func pieces(of bytes: ArraySlice<UInt8>, size: Int) -> [ArraySlice<UInt8>] {
        stride(from: bytes.startIndex, to: bytes.endIndex, by: size).map {
            bytes[$0..<min($0 + size, bytes.endIndex)]
        }
    }

    private static func response(
        to pieces: [ArraySlice<UInt8>]
    ) -> Result<HTTPResponse, HTTPResponseError> {
        var parser = HTTPResponseParser()
        do throws(HTTPResponseError) {
            for piece in pieces {
                if let response = try parser.feed(piece) { return .success(response) }
            }
            return .success(try parser.finish())
        } catch {
            return .failure(error)
        }
    }

    private static func play(
        _ dialogue: inout some CheckDialogue, _ pieces: [ArraySlice<UInt8>]
    ) {
        var steps = dialogue.begin()
        for piece in pieces {
            if case .finish = steps.last { return }
            steps = dialogue.receive(Array(piece))
        }
        _ = dialogue.end()
    }

    static let mail = FuzzTarget(
        "mail", "what comes to and from a mail server: an octet for the size of pieces, then octets"
    ) { bytes in
        guard let first = bytes.first else { return }
        let said = bytes.dropFirst()
        let pieces = pieces(of: said, size: Int(first) + 1)
        try requireEqual(
            serve(pieces), serve([said]), "a server hears the same in pieces as in one")
        var sender = SMTPSender(
            hostname: "n1",
            SMTPSession.Envelope(
                sender: "a@n1", recipients: ["b@n2", "c@n2"], message: Array("hello\n".utf8),
                client: "n1"))
        for piece in pieces { _ = sender.receive(piece) }
        var check = SMTPCheckDialogue(
            heloName: "n1", to: checkers.connection, of: checkers.realServer)
        play(&check, pieces)
        _ = Mailbox.messages(Array(said))
        _ = MailAddress.list(String(decoding: said, as: UTF8.self))
        try checkMailbox(Array(said))
    }

    private static func serve(_ pieces: [ArraySlice<UInt8>]) -> [SMTPSession.Action] {
        var session = SMTPSession(hostname: "mail") { $0 != "nobody" }
        var said: [SMTPSession.Action] = []
        for piece in pieces {
            var actions = session.receive(piece)
            // A message that is being stored holds everything else up.
            while !actions.isEmpty {
                said += actions
                let stores = actions.contains { if case .deliver = $0 { true } else { false } }
                actions = stores ? session.delivered(.stored) : []
            }
        }
        return said
    }

    /// What is put into a mailbox comes out of it, however it looks.
    private static func checkMailbox(_ message: [UInt8]) throws {
        // A stored message is of whole lines.
        let message = message.isEmpty || message.last == 0x0a ? message : message + [0x0a]
        let date = "Sun Nov 22 02:26:13 2026"
        let box = Mailbox.entry(message, from: "a@n1", date: date)
        try requireEqual(
            Mailbox.messages(box + box), [MailMessage(message), MailMessage(message)],
            "a mailbox gives back what was put into it")
    }

    static let logs = FuzzTarget(
        "logs", "what programs print: a line of a log"
    ) { bytes in
        let line = String(decoding: bytes, as: UTF8.self)
        for kind in Service.Kind.allCases { _ = ClaimParser.claim(in: line, of: kind) }
        _ = ClaimParser.claim(inAssignment: line)
        try requireEqual(
            ClaimParser.claim(in: "(VI_1) Entering MASTER STATE", of: .keepalived)?.state, .master,
            "a claim is one")
    }

    /// The checks of a real server with one of each kind.
    private static let checkers: Checkers = {
        let text = """
            virtual_server 10.10.10.10 80 {
                lb_algo rr
                lb_kind DR
                protocol TCP
                real_server 10.10.10.11 80 {
                    HTTP_GET {
                        url { path / status_code 200-299 digest 0123456789abcdef0123456789abcdef }
                    }
                }
                real_server 10.10.10.12 80 {
                    HTTP_GET { url { path /page status_code 200 regex "^hello" } }
                }
            }
            """
        let parsed = Configuration.parse(text, file: "keepalived.conf").configuration
        return Checkers(parsed)
    }()
}

/// What checks are about.
private struct Checkers {
    var pages: [HTTPCheck] = []
    let realServer: RealServer
    let connection: Checker.Connection

    init(_ configuration: Configuration) {
        let servers = configuration.virtualServers.flatMap(\.realServers)
        guard let server = servers.first, let connection = server.checkers.first?.connection else {
            fatalError("the sample has real servers with checkers")
        }
        realServer = server
        self.connection = connection
        for checker in servers.flatMap(\.checkers) {
            if case .http(let check) = checker.kind { pages.append(check) }
        }
        precondition(pages.count == 2, "the sample has two pages")
    }
}
