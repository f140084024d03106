import CLinux
import Glibc
import LabModel
package import LinuxSystem
import NetworkTypes
import SystemPackage

/// A question that is one datagram, and whose answer is another.
package protocol DatagramQuestion {
    /// Opens a socket, in the calling thread's network namespace: the node's. What is sent on it
    /// goes where it has to.
    func open() throws -> OwnedDescriptor
    /// Where what is sent goes, for a socket that is not connected.
    var destination: SocketEndpoint? { get }
    /// What is sent for the request of that number.
    func message(_ number: UInt32) -> [UInt8]
    /// What a datagram that arrived answers.
    func heard(_ datagram: ArraySlice<UInt8>) -> Heard
}

/// What a datagram answers.
package enum Heard: Equatable {
    case nothing
    case request(UInt32)
    /// The answer does not say which request it is to: the newest, for the others would have been
    /// answered before it was sent.
    case newest
}

/// Asks by datagrams from one socket, however many are under way.
final class DatagramProber: Prober {
    let pending: PendingRequests
    private let question: (any DatagramQuestion)?
    private let network: NodeNetwork
    private let loop: EventLoop
    private var socket: SharedDescriptor?

    /// - Parameter question: nil where the node has no way to ask it.
    init(_ question: (any DatagramQuestion)?, _ network: NodeNetwork, loop: EventLoop) {
        self.question = question
        self.network = network
        self.loop = loop
        pending = PendingRequests(loop: loop)
    }

    deinit { close() }

    func ask(timeout: Duration, completion: @escaping (ProbeResult.Outcome) -> Void) {
        let number = pending.add(timeout: timeout, completion: completion)
        do {
            guard let question else { throw SystemError("send", .noRouteToHost) }
            let socket = try socket ?? open(question)
            try send(question.message(number), on: socket.rawValue, to: question.destination)
        } catch {
            pending.failSoon(number, error)
        }
    }

    func close() {
        guard let socket else { return }
        loop.remove(socket.rawValue)
        socket.close()
        self.socket = nil
    }

    private func open(_ question: any DatagramQuestion) throws -> SharedDescriptor {
        let opened = SharedDescriptor(try network.run { try question.open() })
        try loop.add(opened.rawValue, .readable) { [unowned self] _ in receive() }
        socket = opened
        return opened
    }

    private func send(
        _ message: [UInt8], on number: CInt, to destination: SocketEndpoint?
    ) throws(SystemError) {
        try systemCall("send a probe") {
            destination.map { $0.send(message, on: number) }
                ?? Glibc.send(number, message, message.count, CLINUX_MSG_NOSIGNAL)
        }
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while let number = socket?.rawValue {
            do {
                let count = try systemCallUnlessBlocked("receive an answer") {
                    recv(number, &buffer, buffer.count, 0)
                }
                guard let count else { break }
                switch question?.heard(buffer.prefix(count)) ?? .nothing {
                case .nothing: continue
                case .request(let number): pending.end(number, .replied)
                case .newest: if let newest = pending.newest { pending.end(newest, .replied) }
                }
            } catch {
                // What came back is an ICMP error about one of them, and true of all.
                pending.endAll(.failed(error.code.text))
            }
        }
        // What else is known about errors; while it is kept, the socket counts as readable.
        while let number = socket?.rawValue,
            recv(number, &buffer, buffer.count, CLINUX_MSG_ERRQUEUE | CLINUX_MSG_DONTWAIT) >= 0
        {}
    }
}
