/// What the supervisor asks of the process that nodes' first processes are copied from, over the
/// socket that it has as descriptor 3: a copy of itself. Descriptors with the message: those that
/// the copy gets as 3 and on, then the network namespace and the control group, where it has them.
public struct CopyRequest: Equatable, Sendable, WireCodable {
    /// The CLONE_NEW* flags of the namespaces made for it (clone(2)).
    public var newNamespaces: Int32
    /// Whether it enters a network namespace.
    public var hasNetworkNamespace: Bool
    /// Whether it begins in a control group.
    public var hasControlGroup: Bool

    public init(newNamespaces: Int32, hasNetworkNamespace: Bool, hasControlGroup: Bool) {
        self.newNamespaces = newNamespaces
        self.hasNetworkNamespace = hasNetworkNamespace
        self.hasControlGroup = hasControlGroup
    }

    public func write(to writer: inout WireWriter) {
        writer.put(newNamespaces)
        writer.put(hasNetworkNamespace)
        writer.put(hasControlGroup)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        newNamespaces = try reader.integer()
        hasNetworkNamespace = try reader.bool()
        hasControlGroup = try reader.bool()
    }
}

/// The answer to a ``CopyRequest``.
public enum CopyReply: Equatable, Sendable, WireCodable {
    /// It is there, under that number in the supervisor's PID namespace; its pidfd comes along.
    case made(pid: Int32)
    /// The kernel made none: errno.
    case refused(Int32)

    public func write(to writer: inout WireWriter) {
        switch self {
        case .made(let pid):
            writer.put(UInt8(0))
            writer.put(pid)
        case .refused(let code):
            writer.put(UInt8(1))
            writer.put(code)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.integer(UInt8.self) {
        case 0: self = .made(pid: try reader.integer())
        case 1: self = .refused(try reader.integer())
        default: throw WireError(expected: "a kind of copy reply")
        }
    }
}
