import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage

/// The process that nodes' first processes are copied from while the lab comes up: a `node-init`
/// that is no node's (`Sources/NodeInit/Zygote.swift`).
///
/// It is there for speed alone: where it cannot be had, or has been killed, programs are started
/// as ever.
final class NodeZygote {
    /// How long a copy may take to be made: milliseconds, on a machine that is not out of its mind.
    private static let patience = Duration.seconds(20)

    private let loop: EventLoop
    let process: Program.Started
    private var channel: MessageChannel?
    private var inbox: [MessageChannel.Message] = []

    /// Starts it.
    ///
    /// - Parameters:
    ///   - program: the path of `node-init`.
    ///   - log: where it, and its copies, print.
    /// - Throws: ``SystemError``.
    init(program: String, log: CInt, loop: EventLoop) throws(SystemError) {
        self.loop = loop
        let (ours, theirs) = try MessageChannel.pair()
        let null = try OwnedDescriptor.null()
        process = try Program(
            path: program, arguments: ["node-init"], environment: [],
            descriptors: [null.rawValue, log, log, theirs.rawValue]
        ).start()
        theirs.close()
        channel = try MessageChannel(ours)
    }

    /// Has a copy of it take the part of a program that was to be started: of its first three
    /// descriptors, it has those already.
    ///
    /// - Returns: nil when that cannot be; from then on nothing is asked of it any more. A copy
    ///   that may have been made all the same finds the other ends of its descriptors closed.
    func start(_ program: Program) -> Program.Started? {
        guard let channel else { return nil }
        do {
            let request = CopyRequest(
                newNamespaces: program.newNamespaces.rawValue,
                hasNetworkNamespace: program.networkNamespace != nil,
                hasControlGroup: program.controlGroup != nil)
            let numbers =
                program.descriptors.dropFirst(3)
                + [program.networkNamespace, program.controlGroup].compactMap(\.self)
            try channel.send(
                request.message,
                descriptors: try numbers.map { number throws(SystemError) in
                    SharedDescriptor(
                        OwnedDescriptor(
                            try systemCall("duplicate a descriptor") {
                                fcntl(number, F_DUPFD_CLOEXEC, 3)
                            }))
                })
            guard let reply = try nextMessage(on: channel),
                case .made(let pid) = try CopyReply(message: reply.payload),
                let descriptor = reply.descriptors.first
            else {
                close()
                return nil
            }
            return Program.Started(
                pid: pid, pidDescriptor: descriptor,
                isInControlGroup: program.controlGroup != nil)
        } catch {
            close()
            return nil
        }
    }

    /// Has it end; its copies live on.
    func close() {
        guard let channel else { return }
        self.channel = nil
        channel.socket.close()
        try? loop.add(process.pidDescriptor.rawValue, .readable) { [self] _ in
            loop.remove(process.pidDescriptor.rawValue)
            _ = Termination.reap(process.pid)
        }
    }

    private func nextMessage(on channel: MessageChannel) throws -> MessageChannel.Message? {
        let deadline = MonotonicClock.now + Self.patience
        while inbox.isEmpty {
            let rest = (deadline - MonotonicClock.now).wholeNanoseconds / 1_000_000
            var request = pollfd(fd: channel.socket.rawValue, events: Int16(POLLIN), revents: 0)
            guard rest > 0 else { return nil }
            if poll(&request, 1, Int32(rest)) < 0 { continue }
            let received = try channel.receive()
            inbox += received.messages
            if received.isAtEnd, inbox.isEmpty { return nil }
        }
        return inbox.removeFirst()
    }
}
