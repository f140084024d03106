import CLinux
import Glibc
import LinuxSystem
import NodeProtocol

/// What a command in a node came to.
public struct CommandResult: Equatable, Sendable {
    /// Its exit status; 128 and the signal's number when one ended it.
    public var status: Int32
    /// What it printed to standard output.
    public var output: String
    /// What it printed to standard error.
    public var errors: String

    public init(status: Int32, output: String, errors: String) {
        self.status = status
        self.output = output
        self.errors = errors
    }
}

extension LabClient {
    /// Runs a command in a node to its end, without terminal and input.
    ///
    /// - Parameter what: what an error calls it; nil for the node and the command.
    /// - Throws: ``LabError/failed(_:)`` when it cannot be run, or the node goes down under it.
    public func execute(
        _ command: [String], on node: String, as what: String? = nil
    ) throws(LabError) -> CommandResult {
        let connection = try ControlConnection(directory)
        do {
            let input = SharedDescriptor(try OwnedDescriptor.null())
            let (output, outputEnd) = try Pipe.make()
            let (errors, errorsEnd) = try Pipe.make()
            try connection.send(
                .execute(
                    node: node, ExecuteOptions(command: command, environment: [])),
                descriptors: [input, outputEnd, errorsEnd])
            outputEnd.close()
            errorsEnd.close()
            return try Self.collect(
                connection.channel, output: output, errors: errors,
                what: what ?? "\(node): \(command.joined(separator: " "))")
        } catch {
            throw LabError(refusal: error)
        }
    }

    /// Reads what a command prints until it has ended.
    ///
    /// - Parameter output: nil where that goes elsewhere.
    static func collect(
        _ channel: MessageChannel, output: SharedDescriptor?, errors: SharedDescriptor, what: String
    ) throws -> CommandResult {
        var result = CommandResult(status: 0, output: "", errors: "")
        var bytes: [[UInt8]] = [[], []]
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        var hasEnded = false
        while true {
            var waiting = [output, errors, channel.socket].map { descriptor in
                pollfd(
                    fd: descriptor.map { $0.isOpen ? $0.rawValue : -1 } ?? -1,
                    events: Int16(POLLIN), revents: 0)
            }
            if hasEnded { waiting[2].fd = -1 }
            // What a child of the command prints later, which has its pipes, is not waited for.
            let ready = poll(&waiting, nfds_t(waiting.count), hasEnded ? 0 : -1)
            if hasEnded, ready <= 0 { break }
            for (index, pipe) in [output, errors].enumerated() where waiting[index].revents != 0 {
                guard let pipe else { continue }
                let count = read(pipe.rawValue, &buffer, buffer.count)
                if count > 0 { bytes[index] += buffer.prefix(count) } else { pipe.close() }
            }
            guard waiting[2].revents != 0 else { continue }
            if let status = try status(channel, what) {
                result.status = status
                hasEnded = true
            }
        }
        result.output = String(decoding: bytes[0], as: UTF8.self)
        result.errors = String(decoding: bytes[1], as: UTF8.self)
        return result
    }

    /// The status of the command, once it has ended.
    private static func status(_ channel: MessageChannel, _ what: String) throws -> Int32? {
        let received = try channel.receive()
        for message in received.messages {
            switch try ExecuteReport(message: message.payload) {
            case .started: break
            case .failed(_, let reason): throw LabError.failed("\(what): \(reason)")
            case .exited(let status): return status
            case .signalled(let signal): return ExecuteSession.signalBase + signal
            }
        }
        if received.isAtEnd { throw LabError.failed("\(what): the node is gone") }
        return nil
    }
}
