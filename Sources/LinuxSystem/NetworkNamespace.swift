import CLinux
import Glibc
import SystemPackage

/// A network namespace, held by a descriptor: as long as this value lives, the namespace does.
public struct NetworkNamespace: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// The namespace that descriptor refers to (of /proc/PID/ns/net, or a pidfd).
    public init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// The calling thread's own.
    public static func current() throws(SystemError) -> NetworkNamespace {
        NetworkNamespace(
            OwnedDescriptor(
                try systemCall("open /proc/thread-self/ns/net") {
                    clinux_open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC, 0)
                }))
    }

    /// That of a process, numbered as the calling process sees it.
    public static func of(pid: Int32) throws(SystemError) -> NetworkNamespace {
        NetworkNamespace(
            OwnedDescriptor(
                try systemCall("open pidfd of process \(pid)") { clinux_pidfd_open(pid) }))
    }

    /// The one that `ip netns` knows by that name: /run/netns/NAME.
    public static func named(_ name: String) throws(SystemError) -> NetworkNamespace {
        let path = "/run/netns/\(name)"
        return NetworkNamespace(
            OwnedDescriptor(
                try systemCall("open network namespace \(path)") {
                    clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
                }))
    }

    /// A new, empty one; the calling thread stays where it is.
    public static func create() throws(SystemError) -> NetworkNamespace {
        let home = try current()
        try systemCall("unshare --net") { unshare(CLINUX_CLONE_NEWNET) }
        let created: NetworkNamespace
        do {
            created = try current()
        } catch {
            home.enter()
            throw error
        }
        home.enter()
        return created
    }

    /// The number of its descriptor, for `IFLA_NET_NS_FD`; valid as long as this value lives.
    public var rawValue: CInt { descriptor.rawValue }

    /// A second descriptor of it.
    public func duplicate() throws(SystemError) -> OwnedDescriptor { try descriptor.duplicate() }

    /// Does something with the calling thread inside this namespace, and brings the thread back.
    ///
    /// Sockets opened by `body` belong to this namespace for good, whatever thread uses them, and
    /// keep it alive. `body` returns values or descriptors, never closures.
    ///
    /// - Throws: ``SystemError`` when the namespace cannot be entered, and whatever `body` throws.
    public func run<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        let home = try Self.current()
        let number = descriptor.rawValue
        try systemCall("enter network namespace") { setns(number, CLINUX_CLONE_NEWNET) }
        defer { home.enter() }
        return try body()
    }

    /// Moves the calling thread into this namespace, for good. A program that is to live in it does
    /// this before it opens sockets or has other threads.
    ///
    /// - Throws: ``SystemError`` when it cannot be entered (CAP_SYS_ADMIN).
    public func enterForGood() throws(SystemError) {
        let number = descriptor.rawValue
        try systemCall("enter network namespace") { setns(number, CLINUX_CLONE_NEWNET) }
    }

    // Going back to where the thread came from cannot fail for a reason the caller could act on;
    // staying in the wrong namespace would make every later call lie.
    private borrowing func enter() {
        guard setns(descriptor.rawValue, CLINUX_CLONE_NEWNET) == 0 else {
            fatalError("cannot return to the own network namespace: \(Errno(rawValue: errno).text)")
        }
    }
}
