import CLinux
import Glibc
import LabModel
import LinuxSystem
import NodeProtocol
import SystemPackage

/// A command that the supervisor itself runs in a node, for a scenario's `exec`, with what it
/// printed.
final class NodeCommand {
    /// Output beyond this is thrown away.
    static let maximumOutputBytes = 64 << 10

    private let loop: EventLoop
    private let channel: MessageChannel
    private let output: SharedDescriptor
    private var printed: [UInt8] = []
    private var result: ActionResult?
    private var outputEnded = false
    private var completion: ((ActionResult) -> Void)?

    /// Starts the command; `completion` is called once, when it has ended and all it printed is
    /// read.
    ///
    /// - Parameter input: what it reads; nothing for nil.
    /// - Throws: ``SystemError`` when this process has no descriptors left.
    init(
        _ command: [String], on node: RunningNode, input source: SharedDescriptor? = nil,
        loop: EventLoop, completion: @escaping (ActionResult) -> Void
    ) throws {
        self.loop = loop
        self.completion = completion
        let (ours, theirs) = try MessageChannel.pair()
        channel = try MessageChannel(ours)
        var ends: [CInt] = [-1, -1]
        try systemCall("make a pipe") { pipe2(&ends, O_CLOEXEC | O_NONBLOCK) }
        output = SharedDescriptor(OwnedDescriptor(ends[0]))
        let input = SharedDescriptor(OwnedDescriptor(ends[1]))
        _ = fcntl(input.rawValue, F_SETFL, 0)
        let source = try source ?? SharedDescriptor(OwnedDescriptor.null())
        try loop.add(channel.socket.rawValue, .readable) { [self] _ in readReport() }
        try loop.add(output.rawValue, .readable) { [self] _ in readOutput() }
        node.send(
            .execute(ExecuteRequest(command: command)), descriptors: [theirs, source, input, input])
    }

    private func readReport() {
        guard let received = try? channel.receive() else { return end(.failed("the node is gone")) }
        for message in received.messages {
            switch try? ExecuteReport(message: message.payload) {
            case .started?, nil: break
            case .failed(_, let reason)?: end(.failed(reason))
            case .exited(let status)?: end(.exited(.status(status), output: ""))
            case .signalled(let signal)?: end(.exited(.signal(signal), output: ""))
            }
        }
        if received.isAtEnd { end(.failed("the node is gone")) }
    }

    private func readOutput() {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(output.rawValue, &buffer, buffer.count)
            if count > 0 {
                let room = Self.maximumOutputBytes - printed.count
                printed.append(contentsOf: buffer.prefix(min(count, max(room, 0))))
            } else if count < 0, errno == EAGAIN || errno == EINTR {
                return
            } else {
                loop.remove(output.rawValue)
                outputEnded = true
                return finishIfComplete()
            }
        }
    }

    private func end(_ result: ActionResult) {
        guard self.result == nil else { return }
        self.result = result
        loop.remove(channel.socket.rawValue)
        // What it started in the background may hold the pipe open for ever: what is there by now
        // has to do.
        readOutput()
        outputEnded = true
        finishIfComplete()
    }

    private func finishIfComplete() {
        guard let result, outputEnded, let completion else { return }
        self.completion = nil
        loop.remove(output.rawValue)
        if case .exited(let reason, _) = result {
            completion(.exited(reason, output: String(decoding: printed, as: UTF8.self)))
        } else {
            completion(result)
        }
    }
}
