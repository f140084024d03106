import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Starting the daemon in the background, as an init script expects it: this process ends when the
/// daemon runs, with status 0, or when it does not, with the daemon's.
///
/// A Swift program does not fork: it starts itself again, in a session of its own, with
/// `--detached` and no terminal, and waits for the word on descriptor 3.
enum Background {
    /// The descriptor on which the daemon says that it runs.
    private static let readyDescriptor: CInt = 3

    static func start(_ options: Options, arguments: [String]) -> ExitStatus {
        do throws(SystemError) {
            return try launch(arguments)
        } catch {
            LineWriter.standardError().write("\(Version.name): \(error)")
            return .failure
        }
    }

    private static func launch(_ arguments: [String]) throws(SystemError) -> ExitStatus {
        let nothing = try OwnedDescriptor.null()
        let ready = try Pipe.make()
        var program = Program(
            path: try FileSystem.ownProgram(),
            arguments: arguments + ["--detached", try FileSystem.workingFolder()],
            environment: try environment(),
            descriptors: [
                nothing.rawValue, nothing.rawValue, nothing.rawValue, ready.writeEnd.rawValue,
            ])
        program.leadsSession = true
        program.workingDirectory = "/"
        let started = try program.start()
        // With the daemon's the last copy is closed, however it ends.
        ready.writeEnd.close()
        if try says(ready.readEnd.rawValue) { return .success }
        var waiting = pollfd(fd: started.pidDescriptor.rawValue, events: Int16(POLLIN), revents: 0)
        try systemCall("wait for process \(started.pid)") { poll(&waiting, 1, -1) }
        guard case (_, .exited(let status))? = Termination.reap(started.pid) else {
            return .failure
        }
        return ExitStatus(rawValue: status) ?? .failure
    }

    /// Tells the process that started this one that the daemon runs; nothing in the foreground.
    static func tellReady(_ options: Options) {
        guard options.detachedFrom != nil else { return }
        var word: UInt8 = 1
        write(readyDescriptor, &word, 1)
        close(readyDescriptor)
    }

    private static func says(_ descriptor: CInt) throws(SystemError) -> Bool {
        var word: UInt8 = 0
        return try systemCall("wait for the daemon") { read(descriptor, &word, 1) } == 1
    }

    private static func environment() throws(SystemError) -> [String] {
        try FileSystem.read("/proc/self/environ").split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
