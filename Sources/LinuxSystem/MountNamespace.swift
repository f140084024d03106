import CLinux
import Glibc
import SystemPackage

/// A mount namespace beside the calling process's own: what is mounted there costs nothing where
/// the process is, and is not copied with it.
///
/// The process enters it for the time that something takes. That is for a process of one thread
/// (setns(2)).
public struct MountNamespace: ~Copyable {
    private let other: Place
    private let home: Place

    /// A namespace and the root that a process has in it, which need not be the namespace's.
    private struct Place: ~Copyable {
        let namespace: OwnedDescriptor
        let root: OwnedDescriptor

        /// The calling process's.
        static func current() throws(SystemError) -> Place {
            Place(
                namespace: try FileSystem.openForReading("/proc/self/ns/mnt"),
                root: OwnedDescriptor(
                    try systemCall("open /") {
                        clinux_open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
                    }))
        }

        borrowing func enter() throws(SystemError) {
            let (namespace, root) = (namespace.rawValue, root.rawValue)
            try systemCall("enter a mount namespace") { setns(namespace, CLINUX_CLONE_NEWNS) }
            try systemCall("enter its root") { fchdir(root) }
            try systemCall("make it the root") { chroot(".") }
        }
    }

    /// Makes a copy of the calling process's; the process stays where it is, in its root folder.
    ///
    /// - Throws: ``SystemError``: EPERM without CAP_SYS_ADMIN and CAP_SYS_CHROOT, EINVAL in a
    ///   process of several threads.
    public static func copyOfOwn() throws(SystemError) -> MountNamespace {
        let home = try Place.current()
        // Whether there is a way back is tried before there is need of it.
        try home.enter()
        try systemCall("unshare --mount") { unshare(CLINUX_CLONE_NEWNS) }
        let other: Place
        do {
            other = try Place.current()
        } catch {
            goHome(home)
            throw error
        }
        goHome(home)
        return MountNamespace(other: other, home: home)
    }

    private init(other: consuming Place, home: consuming Place) {
        self.other = other
        self.home = home
    }

    /// Does something in it and brings the process back, to its root folder.
    ///
    /// - Throws: ``SystemError`` when it cannot be entered, and what `body` throws.
    public func run<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        defer { Self.goHome(home) }
        try other.enter()
        return try body()
    }

    // Staying there would make every later path lie.
    private static func goHome(_ home: borrowing Place) {
        do {
            try home.enter()
        } catch {
            fatalError("cannot return to the own mount namespace: \(error)")
        }
    }
}
