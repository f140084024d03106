import CLibNL
import CLinux

/// One change asked of the kernel: a message, and the `ip` command that does the same.
///
/// A value that can be kept and sent in a batch with others (``RouteSocket/perform(_:)``). It is
/// made by the functions in the extensions, one for each verb.
public struct Request: Sendable, CustomStringConvertible {
    /// The `ip` command that asks the same, for messages.
    public var operation: String { describe() }
    // Asked for only when the request fails: it takes longer to write than the message.
    private let describe: @Sendable () -> String
    /// The message from its `nlmsghdr` on, without sequence number.
    let message: [UInt8]

    /// - Throws: ``NetlinkError`` when a value does not fit its attribute, or memory runs out.
    init(
        _ operation: @escaping @autoclosure @Sendable () -> String,
        _ build: () throws(LibNLError) -> LibNLMessage
    ) throws(NetlinkError) {
        describe = operation
        do throws(LibNLError) {
            message = try build().bytes
        } catch {
            throw NetlinkError(operation: operation(), code: error.code)
        }
    }

    public var description: String { operation }
}
