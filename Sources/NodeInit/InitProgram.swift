import CLinux
import Glibc
import LinuxSystem

/// `node-init`: PID 1 of a node, started by the lab's supervisor with the connection to it as
/// descriptor 3; or, without being PID 1, what those are copied from (``Zygote``). By other names
/// it is the programs of a node that talk to PID 1 (``Tool``).
public enum InitProgram {
    /// The connection to the supervisor.
    static let supervisorDescriptor: CInt = 3

    /// Runs it to its end.
    public static func main() {
        let arguments = CommandLine.arguments
        if getpid() != 1, let tool = Tool(calledAs: arguments.first ?? "") {
            exit(tool.run(Array(arguments.dropFirst())))
        }
        SignalDescriptor.blockAll()
        guard fcntl(supervisorDescriptor, F_GETFD) >= 0 else {
            Log.write("this program is started by labctl, as PID 1 of a node")
            exit(2)
        }
        umask(0o022)
        do {
            if getpid() != 1 { try Zygote.serve() }
            NodeUsers.prepare()
            // Root in a node is root of the node, and not of the machine whose files and kernel it
            // sees. This process itself builds the node's file system.
            try Capabilities.confine(
                toOwn: [.systemAdministration, .tracing, .deviceFiles], handedOn: .ofNode)
            try Node(socket: OwnedDescriptor(supervisorDescriptor)).run()
        } catch {
            Log.write("\(error)")
            exit(EXIT_FAILURE)
        }
    }
}
