import CLinux
import Glibc
public import SystemPackage

/// A file descriptor with one owner, closed when the owner goes.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number, for calls; valid as long as this value lives.
    public let rawValue: CInt

    /// Takes over a descriptor that nobody else will close.
    public init(_ rawValue: CInt) {
        precondition(rawValue >= 0, "a descriptor is not negative")
        self.rawValue = rawValue
    }

    deinit { close(rawValue) }

    /// Gives the number up: the caller closes it, or hands it to something that does.
    public consuming func release() -> CInt {
        let number = rawValue
        discard self
        return number
    }

    /// The same descriptor as swift-system's type, which does not own it.
    public var borrowed: FileDescriptor { FileDescriptor(rawValue: rawValue) }

    /// A second descriptor of the same open file. Like dup(2), close-on-exec.
    public func duplicate() throws(SystemError) -> OwnedDescriptor {
        let number = rawValue
        return OwnedDescriptor(
            try systemCall("duplicate a descriptor") { fcntl(number, F_DUPFD_CLOEXEC, 3) })
    }
}

/// An owned descriptor that can be stored where copyable things are (closures, arrays, other
/// classes).
public final class SharedDescriptor {
    private var owned: OwnedDescriptor?
    /// The number; valid until ``close()``.
    public let rawValue: CInt

    /// Takes over the descriptor.
    public init(_ descriptor: consuming OwnedDescriptor) {
        rawValue = descriptor.rawValue
        owned = consume descriptor
    }

    /// Whether it has not been closed.
    public var isOpen: Bool { owned != nil }

    /// Closes it now instead of with the last reference.
    public func close() { owned = nil }
}
