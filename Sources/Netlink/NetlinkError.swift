import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// A request that the kernel refused, or a netlink socket that failed.
public struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked for, as the `ip` command that asks the same.
    public var operation: String
    /// The kernel's reason: the error of its `nlmsgerr`, never one of libnl's own NLE_ numbers.
    public var code: Errno
    /// What the kernel said in its extended acknowledgement, as it said it; nil when it gave none.
    public var kernelMessage: String?

    public init(operation: String, code: Errno, kernelMessage: String? = nil) {
        self.operation = operation
        self.code = code
        self.kernelMessage = kernelMessage
    }

    /// The failure of a system call on the socket, in the words of the request it was made for.
    init(_ operation: String, _ error: SystemError) {
        self.init(operation: operation, code: error.code)
    }

    /// `ip link add br0 type bridge: file exists (the kernel's text)`.
    public var description: String {
        let reason = "\(operation): \(code.text)"
        guard let kernelMessage else { return reason }
        return "\(reason) (\(kernelMessage))"
    }
}
