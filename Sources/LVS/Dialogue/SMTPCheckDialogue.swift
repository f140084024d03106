public import KeepalivedConf
import NetworkTypes

/// `SMTP_CHECK`: greets a mail server and takes leave (RFC 5321 §3.1 and §4.1.1.10).
public struct SMTPCheckDialogue: CheckDialogue {
    /// The next answer is the one to this.
    private enum Stage { case greeting, helo, quit }

    /// keepalived's buffer; a longer line counts as its beginning.
    static let longestLineBytes = 512

    private let heloName: String
    private let server: String
    private let host: String
    private let realServer: String
    private var stage = Stage.greeting
    private var line: [UInt8] = []

    /// - Parameter realServer: the machine that is checked, which need not be the one connected to.
    public init(heloName: String, to connection: Checker.Connection, of realServer: RealServer) {
        self.heloName = heloName
        server = IPAddress.pair(connection.address, connection.port)
        host = "\(connection.address)"
        self.realServer = IPAddress.pair(realServer.address, realServer.port)
    }

    public mutating func begin() -> [CheckStep] { [] }

    public mutating func receive(_ bytes: [UInt8]) -> [CheckStep] {
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                if line.count < Self.longestLineBytes { line.append(byte) }
                continue
            }
            let status = Self.status(line)
            line = []
            // keepalived too looks at the first line that comes after it has spoken.
            return answered(status)
        }
        return []
    }

    public mutating func end() -> [CheckStep] {
        [.finish(.failure("Read failure from server \(server)"))]
    }

    public func result(of trouble: CheckTrouble) -> CheckResult {
        let words =
            switch trouble {
            case .unreachable: "Network unreachable for server \(host) - real server \(realServer)"
            case .connectionTimeout: "Connection timeout to server \(server)"
            case .connectionFailed, .handshakeFailed: "Could not connect to server \(server)"
            case .readTimeout: "Read timeout from server \(server)"
            case .readFailed: "Read failure from server \(server)"
            case .writeFailed: "Write failure to server \(server)"
            }
        return .failure(words)
    }

    private mutating func answered(_ status: Int?) -> [CheckStep] {
        switch stage {
        case .greeting:
            guard status == 220 else {
                return [.finish(.failure("Bad greeting banner from server \(server)"))]
            }
            stage = .helo
            return [.send(Array("HELO \(heloName)\r\n".utf8))]
        case .helo:
            guard status == 250 else {
                return [.finish(.failure("Bad HELO response from server \(server)"))]
            }
            stage = .quit
            return [.send(Array("QUIT\r\n".utf8))]
        // Whatever it says to that.
        case .quit: return [.finish(.success())]
        }
    }

    /// Three digits, and then a space or nothing.
    private static func status(_ line: [UInt8]) -> Int? {
        let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line[...]
        let digits = line.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            line.count == 3 || line[3] == UInt8(ascii: " ")
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
