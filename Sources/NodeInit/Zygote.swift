import CLinux
import Glibc
import LinuxSystem
import NodeProtocol
import SystemPackage

/// A `node-init` that is no node's, but is copied for every node while a lab comes up.
///
/// A thousand nodes have a thousand of these processes. To run the program for each costs a fifth
/// of the processor time in which a node comes up; a copy of one that runs has that behind it.
final class Zygote {
    private let channel: MessageChannel

    /// - Parameter socket: the connection to the supervisor.
    private init(_ socket: consuming OwnedDescriptor) throws(SystemError) {
        channel = try MessageChannel(socket)
    }

    /// Makes copies as the supervisor asks for them, until it hangs up, which ends the process.
    /// Returns in each copy, with its own connection to the supervisor as
    /// ``InitProgram/supervisorDescriptor``.
    static func serve() throws {
        let zygote = Unmanaged.passRetained(
            try Zygote(OwnedDescriptor(InitProgram.supervisorDescriptor)))
        warmUp()
        // Its descriptors are the original's: a copy must not close them.
        while try !zygote.takeUnretainedValue().isCopyAfterNextMessages() {}
    }

    /// What every node needs is there before it is copied.
    private static func warmUp() {
        _ = IDMap.isRootAlone
        let specification = NodeSpecification(
            hostname: "", rootFolder: "", layersFolder: "", programs: [], hosts: "", files: [],
            environment: [], services: [])
        _ = try? NodeRequest(message: NodeRequest.boot(specification).message)
    }

    /// Waits for messages and does what they ask for.
    ///
    /// - Returns: whether this process is a copy.
    private func isCopyAfterNextMessages() throws -> Bool {
        var request = pollfd(fd: channel.socket.rawValue, events: Int16(POLLIN), revents: 0)
        while poll(&request, 1, -1) < 0, errno == EINTR {}
        let received = try channel.receive()
        for message in received.messages {
            let message = Unmanaged.passRetained(Held(message))
            if try isCopy(afterMaking: message.takeUnretainedValue().message) { return true }
            message.release()
        }
        if received.isAtEnd { exit(EXIT_SUCCESS) }
        return false
    }

    private func isCopy(afterMaking message: MessageChannel.Message) throws -> Bool {
        let request = try CopyRequest(message: message.payload)
        var numbers = message.descriptors.map(\.rawValue)
        var copy = ProcessCopy(descriptors: [])
        copy.newNamespaces = Namespaces(rawValue: request.newNamespaces)
        if request.hasControlGroup { copy.controlGroup = numbers.popLast() }
        if request.hasNetworkNamespace { copy.networkNamespace = numbers.popLast() }
        copy.descriptors = numbers
        do throws(SystemError) {
            switch try copy.make() {
            case .copy: return true
            case .original(let pid, let descriptor):
                try channel.send(CopyReply.made(pid: pid).message, descriptors: [descriptor])
            }
        } catch {
            try channel.send(CopyReply.refused(error.code.rawValue).message)
        }
        return false
    }

    private final class Held {
        let message: MessageChannel.Message
        init(_ message: MessageChannel.Message) { self.message = message }
    }
}
