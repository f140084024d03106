import CLinux
import Glibc

extension Mount {
    /// A copy of a mount, and of those below it, that is mounted nowhere: to be handed to a process
    /// in another mount namespace (open_tree(2)).
    ///
    /// - Throws: ``SystemError``.
    public static func copy(_ target: String) throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(
            OwnedDescriptor(
                try systemCall("copy the mount of \(target)") { clinux_clone_mount(target) }))
    }

    /// Mounts such a copy, once (move_mount(2)).
    ///
    /// - Throws: ``SystemError``.
    public static func attach(_ copy: CInt, on target: String) throws(SystemError) {
        try systemCall("mount a copy on \(target)") { clinux_attach_mount(copy, target) }
    }
}
