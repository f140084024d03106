import CLinux
import Glibc

extension SharedDescriptor {
    /// A second descriptor of the same open file, with an owner of its own. Like dup(2),
    /// close-on-exec.
    public func duplicate() throws(SystemError) -> OwnedDescriptor {
        let number = rawValue
        return OwnedDescriptor(
            try systemCall("duplicate a descriptor") { fcntl(number, F_DUPFD_CLOEXEC, 3) })
    }
}
