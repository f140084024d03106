import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// `keep-capabilities PROGRAM [ARGUMENT]...`: runs a program that gives up what it does not need by
/// asking for exactly what it does (cap_set_proc(3)), and ends where it does not get that. It gets
/// what root in a node has, whoever it becomes, and believes that it has asked.
///
/// FRR's zebra is such a one: it wants CAP_SYS_ADMIN, for network namespaces that a node has no use
/// for (lib/privs.c, zprivs_caps_init).
struct CapabilityKeeper {
    private let console: Console

    init(_ console: Console) { self.console = console }

    /// Does not return when it has become the program; answers the exit status else.
    func run(_ arguments: [String]) -> Int32 {
        guard let path = arguments.first else {
            console.printError("Usage: keep-capabilities PROGRAM [ARGUMENT]...")
            return LaunchError.notRunnable
        }
        do {
            try systemCall("keep capabilities") { clinux_keep_capabilities() }
            try SystemCallFilter.forgoNewPrivileges()
            do {
                try SystemCallFilter([.init(CLINUX_SYS_CAPSET, answer: nil)]).install()
            } catch  where error.code == .noFunction || error.code == .invalidArgument {
                // A kernel without filters: the program may get what it asks for.
            }
        } catch {
            console.printError("keep-capabilities: \(error)")
            return LaunchError.notRunnable
        }
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        execv(path, words)
        let refusal = Errno(rawValue: errno)
        console.printError("keep-capabilities: \(SystemError("run \(path)", refusal))")
        return refusal == .noSuchFileOrDirectory
            ? LaunchError.notFound : LaunchError.notRunnable
    }
}
