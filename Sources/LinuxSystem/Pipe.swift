import CLinux
import Glibc

/// Pipes (pipe(7)).
public enum Pipe {
    /// A new pipe, both ends close-on-exec and blocking.
    ///
    /// - Throws: ``SystemError`` when the process has no descriptors left.
    public static func make() throws(SystemError) -> (
        readEnd: SharedDescriptor, writeEnd: SharedDescriptor
    ) {
        var ends: [CInt] = [-1, -1]
        try systemCall("make a pipe") { pipe2(&ends, O_CLOEXEC) }
        return (
            SharedDescriptor(OwnedDescriptor(ends[0])), SharedDescriptor(OwnedDescriptor(ends[1]))
        )
    }
}
