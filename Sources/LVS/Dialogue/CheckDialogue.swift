import NetworkTypes

/// One check's side of a connection, or of an exchange of packets, as a value: bytes in, bytes out.
public protocol CheckDialogue: Sendable {
    /// The connection has come about, or there is none to wait for.
    mutating func begin() -> [CheckStep]
    /// The other side has sent that: a part of its stream, or a packet.
    mutating func receive(_ bytes: [UInt8]) -> [CheckStep]
    /// The other side has closed the connection.
    mutating func end() -> [CheckStep]
    /// What it comes to when something goes wrong on the way.
    func result(of trouble: CheckTrouble) -> CheckResult
}

/// What a dialogue wants, in order.
public enum CheckStep: Hashable, Sendable {
    case send([UInt8])
    /// It is over: close the connection.
    case finish(CheckResult)
}

/// What goes wrong between two machines.
public enum CheckTrouble: Hashable, Sendable {
    /// There is no way there.
    case unreachable
    /// Nobody has answered the attempt to connect in time.
    case connectionTimeout
    /// It was refused, or has failed otherwise.
    case connectionFailed
    /// The encryption has not come about.
    case handshakeFailed
    /// Nothing has come in time.
    case readTimeout
    /// The kernel's reason, by number and in words.
    case readFailed(Int32, String)
    case writeFailed
}

/// `TCP_CHECK`: it is enough that the connection comes about.
public struct TCPDialogue: CheckDialogue {
    public init() {}

    public mutating func begin() -> [CheckStep] { [.finish(.success())] }
    public mutating func receive(_ bytes: [UInt8]) -> [CheckStep] { [] }
    public mutating func end() -> [CheckStep] { [] }
    public func result(of trouble: CheckTrouble) -> CheckResult {
        .failure(trouble == .connectionTimeout ? "timeout" : "failed")
    }
}

extension IPAddress {
    /// `[192.0.2.1]:25`, as keepalived writes an address and a port.
    static func pair(_ address: IPAddress, _ port: UInt16?) -> String {
        "[\(address)]:\(port ?? 0)"
    }
}
