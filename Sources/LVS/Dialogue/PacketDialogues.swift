public import KeepalivedConf
public import NetworkTypes

/// `DNS_CHECK`: asks for a name (RFC 1035 §4.1); every answer without an error is right.
public struct DNSDialogue: CheckDialogue {
    private let query: [UInt8]
    private let server: String

    /// - Parameter id: the number by which the answer is known.
    public init(
        type: Checker.DNSType, name: String, to connection: Checker.Connection, id: UInt16
    ) {
        server = IPAddress.pair(connection.address, connection.port)
        // Recursion desired, one question.
        query =
            Self.octets(id) + [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
            + name.split(separator: ".").flatMap { label in
                // A label has no more than 63 octets (RFC 1035 §2.3.4).
                [UInt8(min(label.utf8.count, 63))] + Array(label.utf8.prefix(63))
            }
            + [0] + Self.octets(type.number) + [0, 1]
    }

    public mutating func begin() -> [CheckStep] { [.send(query)] }

    public mutating func receive(_ bytes: [UInt8]) -> [CheckStep] {
        // Not the answer: some other packet, which changes nothing.
        guard bytes.count >= 12, bytes[..<2] == query[..<2], bytes[2] & 0x80 != 0 else { return [] }
        let code = bytes[3] & 0x0f
        return [
            .finish(
                code == 0 ? .success() : .failure("read error occurred. (rcode = \(code))"))
        ]
    }

    public mutating func end() -> [CheckStep] { [] }

    public func result(of trouble: CheckTrouble) -> CheckResult {
        let words =
            switch trouble {
            case .unreachable: "network unreachable for \(server)"
            case .connectionTimeout: "connection timeout."
            case .connectionFailed, .handshakeFailed: "connection failure."
            case .readTimeout: "read timeout from socket"
            case .readFailed(let number, let text):
                "failed to read socket; errno \(number) (\(text))"
            case .writeFailed: "failed to write socket."
            }
        return .failure(words)
    }

    private static func octets(_ number: UInt16) -> [UInt8] {
        [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
    }
}

extension Checker.DNSType {
    /// Its number (RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 4034).
    fileprivate var number: UInt16 {
        switch self {
        case .a: 1
        case .ns: 2
        case .cname: 5
        case .soa: 6
        case .mx: 15
        case .txt: 16
        case .aaaa: 28
        case .rrsig: 46
        case .dnskey: 48
        }
    }
}

/// `UDP_CHECK`: sends a packet. That nothing comes back is well unless an answer is required; that
/// the machine says nobody listens is not.
public struct UDPDialogue: CheckDialogue {
    /// What keepalived sends where no payload is written: 32 bytes.
    private static let standardPayload = Array("keepalived check - keepalived ch".utf8)

    private let check: UDPCheck

    public init(_ check: UDPCheck) { self.check = check }

    public mutating func begin() -> [CheckStep] {
        [.send(check.payload.isEmpty ? Self.standardPayload : check.payload)]
    }

    public mutating func receive(_ bytes: [UInt8]) -> [CheckStep] {
        [.finish(isRight(bytes) ? .success() : .failure("reply data mismatch"))]
    }

    public mutating func end() -> [CheckStep] { [] }

    public func result(of trouble: CheckTrouble) -> CheckResult {
        trouble == .readTimeout && !check.requiresReply ? .success() : .failure("failed")
    }

    private func isRight(_ bytes: [UInt8]) -> Bool {
        guard check.requiresReply, !check.reply.isEmpty else { return true }
        guard
            (check.minimumReplyBytes...max(check.minimumReplyBytes, check.maximumReplyBytes))
                .contains(bytes.count)
        else { return false }
        return zip(bytes, check.reply).allSatisfy { $1 == nil || $0 == $1 }
    }
}

/// `PING_CHECK`: an echo request (RFC 792, RFC 4443 §4.1) on a socket where the kernel fills in
/// identifier and checksum, and takes in only what answers it.
public struct PingDialogue: CheckDialogue {
    private let isIPv6: Bool
    private let sequence: UInt16
    /// As many as keepalived's.
    private static let payloadBytes = 128

    public init(_ family: IPAddress.Family, sequence: UInt16) {
        isIPv6 = family == .v6
        self.sequence = sequence
    }

    public mutating func begin() -> [CheckStep] {
        let header: [UInt8] = [isIPv6 ? 128 : 8, 0, 0, 0, 0, 0]
        let number = [UInt8(sequence >> 8), UInt8(truncatingIfNeeded: sequence)]
        return [.send(header + number + [UInt8](repeating: 0, count: Self.payloadBytes))]
    }

    public mutating func receive(_ bytes: [UInt8]) -> [CheckStep] {
        let isReply = bytes.count >= 8 && bytes[0] == (isIPv6 ? 129 : 0)
        return [.finish(isReply ? .success() : .failure("failed"))]
    }

    public mutating func end() -> [CheckStep] { [] }

    public func result(of trouble: CheckTrouble) -> CheckResult {
        .failure(trouble == .readTimeout ? "timeout" : "failed")
    }
}
