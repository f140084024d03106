import CLinux
import Glibc
import SystemPackage

/// A copy of the calling process, in namespaces of its own: what fork(2) makes, with what fork
/// lacks. For a process of one thread.
///
/// Where many processes of one program are wanted, copies of one that has started are cheaper than
/// as many starts: execve(2), the runtime's own beginning, and the memory that both need.
public struct ProcessCopy {
    /// Namespaces made for it.
    public var newNamespaces: Namespaces = []
    /// The folder of the control group (cgroup v2) that it begins in, open; nil for the caller's.
    public var controlGroup: CInt?
    /// The descriptors it gets as 3, 4, and so on; 0 to 2 are the caller's, all others are closed.
    public var descriptors: [CInt]

    /// In which of the two processes the call has returned.
    public enum Side {
        /// The caller; the copy's process id, as the caller's PID namespace numbers it, and a
        /// descriptor that is readable when it has ended (pidfd_open(2)).
        case original(pid: Int32, pidDescriptor: SharedDescriptor)
        case copy
    }

    public init(descriptors: [CInt]) { self.descriptors = descriptors }

    /// Makes it. It leads a session of its own, and is the child of the caller's parent, who learns
    /// of its end.
    ///
    /// In the copy every object still has the descriptor that it had, whose number may be another's
    /// now: what closes one there must have been left behind before.
    ///
    /// - Throws: ``SystemError``: ENOSYS before Linux 5.3, and where clone3(2) is forbidden.
    public func make() throws(SystemError) -> Side {
        var copy = clinux_copy()
        copy.clone_flags = newNamespaces.rawValue
        copy.control_group = controlGroup ?? -1
        copy.descriptor_count = CInt(descriptors.count)
        let pid = try descriptors.withUnsafeBufferPointer { numbers throws(SystemError) in
            copy.descriptors = numbers.baseAddress
            return try systemCall("copy this process") { clinux_copy_process(&copy) }
        }
        if pid == 0 { return .copy }
        return .original(
            pid: pid, pidDescriptor: SharedDescriptor(OwnedDescriptor(copy.pidfd)))
    }
}
