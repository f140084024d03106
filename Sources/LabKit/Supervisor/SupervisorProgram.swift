import CLinux
import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem

/// The supervisor as a program of its own: what `labctl` becomes when a lab is started.
public enum SupervisorProgram {
    /// The first argument that makes `labctl` a supervisor.
    public static let argument = "supervise"
    /// The descriptor of the socket to whoever started it.
    static let launcherDescriptor: CInt = 3
    /// The descriptor of the run directory's open, locked lock file.
    static let lockDescriptor: CInt = 4

    /// Runs a supervisor until its lab is taken down. Standard error goes to the lab's log.
    ///
    /// - Precondition: the process is PID 1 of a PID namespace, in mount and network namespaces
    ///   of its own, and has one thread.
    public static func run() -> Never {
        SignalDescriptor.blockAll()
        do {
            let launcher = try MessageChannel(OwnedDescriptor(launcherDescriptor))
            let lock = SharedDescriptor(OwnedDescriptor(lockDescriptor))
            guard let order = try receiveOrder(launcher) else {
                // Whoever started the lab was ended before it could say what is in it.
                try ownDirectory()?.remove()
                exit(1)
            }
            do {
                guard let directory = ownDirectory() else { exit(2) }
                let doors = HostDoors(inheritedFor: order)
                try Supervisor(order, in: directory, launcher: launcher, lock: lock).run(doors)
            } catch {
                // Before the loop runs, whatever went wrong is this machine's refusal.
                let report = LaunchReport(LabError(refusal: error))
                try? ownDirectory()?.remove()
                try launcher.send(Array(JSONEncoder().encode(report)))
            }
        } catch {
            StandardError.print("supervisor: \(error)")
        }
        exit(1)
    }

    /// The arguments of a supervisor of that lab.
    static func arguments(_ directory: LabDirectory) -> [String] {
        ["labctl", argument, directory.name, directory.root]
    }

    /// The directory of the lab that this process was told to supervise: in a user namespace
    /// everybody is root, and would look for it where root has its labs.
    private static func ownDirectory() -> LabDirectory? {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else { return nil }
        return LabDirectory(arguments[2], in: arguments[3])
    }

    private static func receiveOrder(_ launcher: MessageChannel) throws -> SupervisorOrder? {
        var waiting = pollfd(fd: launcher.socket.rawValue, events: Int16(POLLIN), revents: 0)
        while true {
            poll(&waiting, 1, -1)
            let received = try launcher.receive()
            if let message = received.messages.first {
                return try JSONDecoder().decode(SupervisorOrder.self, from: Data(message.payload))
            }
            if received.isAtEnd { return nil }
        }
    }
}
