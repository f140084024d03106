import CLinux
import FoundationEssentials
import Glibc
import LinuxSystem
import SystemPackage

/// A lab that is being brought up: for those who have other things to do meanwhile.
///
/// Its supervisor works by itself; ``advance()`` only has to be called when ``descriptor`` has
/// become readable.
public final class LabLaunch {
    private let channel: MessageChannel
    private let supervisor: Program.Started
    private let directory: LabDirectory
    private let endsWithCaller: Bool
    /// What is to be started when the supervisor asks for it.
    private let slirp4netns: Slirp4netns?

    init(
        _ channel: MessageChannel, supervisor: Program.Started, directory: LabDirectory,
        endsWithCaller: Bool, slirp4netns: Slirp4netns?
    ) {
        self.channel = channel
        self.supervisor = supervisor
        self.directory = directory
        self.endsWithCaller = endsWithCaller
        self.slirp4netns = slirp4netns
    }

    /// Becomes readable when the lab is up, or could not be brought up.
    public var descriptor: CInt { channel.socket.rawValue }

    /// Takes note of what the supervisor has said.
    ///
    /// - Returns: a client of the lab; nil while it is being built.
    /// - Throws: ``LabError``; nothing of the lab is left then.
    public func advance() throws(LabError) -> LabClient? {
        do {
            guard let report = try report() else { return nil }
            switch report {
            case .failed(let kind, let message):
                awaitEnd()
                throw LabError(kind, message)
            case .wantsSlirp4netns: return nil
            case .ready: break
            }
            return LabClient(directory, lifeline: endsWithCaller ? channel : nil)
        } catch {
            // The supervisor removes the directory when it can; this is for when it could not.
            LabDirectory.sweep()
            throw LabError(refusal: error)
        }
    }

    /// Waits until the lab is up.
    ///
    /// - Throws: as ``advance()`` does.
    public func finish() throws(LabError) -> LabClient {
        while true {
            if let client = try advance() { return client }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if channel.hasPendingOutput { waiting.events |= Int16(POLLOUT) }
            poll(&waiting, 1, -1)
        }
    }

    private func report() throws -> LaunchReport? {
        let received = try received()
        for message in received.messages {
            let report = try JSONDecoder().decode(
                LaunchReport.self, from: Data(message.payload))
            guard case .wantsSlirp4netns(let namespace) = report else { return report }
            slirp4netns?.start(for: supervisor.pid, namespace: namespace)
        }
        guard received.isAtEnd else { return nil }
        awaitEnd()
        let log = (try? FileSystem.readText(directory.logPath)) ?? ""
        throw LabError.failed("the supervisor ended while it was starting: \(log)")
    }

    /// What has come; of a supervisor that is gone, the end.
    private func received() throws(SystemError) -> (
        messages: [MessageChannel.Message], isAtEnd: Bool
    ) {
        do {
            try channel.flush()
            return try channel.receive()
        } catch {
            guard error.code == .brokenPipe || error.code == .connectionReset else { throw error }
            return ([], true)
        }
    }

    // A PID namespace's first process has ended only when every other process in it has.
    private func awaitEnd() { supervisor.awaitEnd() }
}
