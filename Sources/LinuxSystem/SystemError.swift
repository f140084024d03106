import CLinux
import Glibc
public import SystemPackage

/// A system call that the kernel refused.
public struct SystemError: Error, CustomStringConvertible, Sendable {
    /// What was being done and to what, in the words of a command: `mount tmpfs on /run`.
    public var operation: String
    /// The kernel's reason.
    public var code: Errno

    public init(_ operation: String, _ code: Errno) {
        self.operation = operation
        self.code = code
    }

    public var description: String { "\(operation): \(code.text)" }
}

extension Errno {
    /// The reason in the C library's words, lower case: `no such file or directory`.
    public var text: String {
        let text = String(cString: strerror(rawValue))
        // Leaves acronyms such as RFS alone: only a capital before a small letter is lowered.
        guard let first = text.first, text.dropFirst().first?.isLowercase ?? false else {
            return text
        }
        return first.lowercased() + text.dropFirst()
    }
}

/// Makes a system call, again when a signal interrupted it (EINTR).
///
/// - Returns: what the call returned, when that is not negative.
/// - Throws: ``SystemError`` with `operation` and the errno of the call.
@discardableResult
@specialized(where Result == CInt)
@specialized(where Result == Int)
public func systemCall<Result: SignedInteger>(
    _ operation: @autoclosure () -> String, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = Errno(rawValue: errno)
        if code != .interrupted { throw SystemError(operation(), code) }
    }
}

/// Makes a system call that may have nothing to do yet on a non-blocking descriptor.
///
/// - Returns: what the call returned, or nil where it would have blocked (EAGAIN).
@specialized(where Result == CInt)
@specialized(where Result == Int)
public func systemCallUnlessBlocked<Result: SignedInteger>(
    _ operation: @autoclosure () -> String, _ call: () -> Result
) throws(SystemError) -> Result? {
    do {
        return try systemCall(operation(), call)
    } catch  where error.code == .wouldBlock || error.code == .resourceTemporarilyUnavailable {
        return nil
    }
}
