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
    /// The network namespace that it is in but for the time in which a copy is made.
    private let home: OwnedDescriptor

    /// - Parameter socket: the connection to the supervisor.
    private init(_ socket: consuming OwnedDescriptor) throws(SystemError) {
        channel = try MessageChannel(socket)
        home = try FileSystem.openForReading("/proc/self/ns/net")
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
        let network = request.hasNetworkNamespace ? numbers.popLast() : nil
        copy.descriptors = numbers
        // Whoever has the copy's number finds it in its network: it begins there.
        if let network { try enter(network) }
        let reply: CopyReply
        var descriptors: [SharedDescriptor] = []
        do throws(SystemError) {
            switch try copy.make() {
            case .copy: return true
            case .original(let pid, let descriptor):
                reply = .made(pid: pid)
                descriptors = [descriptor]
            }
        } catch {
            reply = .refused(error.code.rawValue)
        }
        if network != nil { try enter(home.rawValue) }
        try channel.send(reply.message, descriptors: descriptors)
        return false
    }

    private func enter(_ network: CInt) throws(SystemError) {
        try systemCall("enter a network namespace") { setns(network, CLINUX_CLONE_NEWNET) }
    }

    private final class Held {
        let message: MessageChannel.Message
        init(_ message: MessageChannel.Message) { self.message = message }
    }
}
