import LinuxSystem
import NetworkTypes
import SystemPackage

/// All that is proxied: the listening sockets, and a connection to the target for each that is
/// accepted.
final class Proxy {
    /// So many connections at a time; more wait in the kernel's queue. Each takes two descriptors,
    /// of 1024 that a process has.
    static let maximumConnections = 480
    /// Accepted at one go, so that many clients do not keep others waiting for their bytes.
    private static let maximumAcceptsAtOnce = 32

    private struct Service {
        var listener: SharedDescriptor
        var target: Target
    }

    private let loop: EventLoop
    private var services: [Service] = []
    private var connections: [ObjectIdentifier: ProxiedConnection] = [:]
    private var isListening = true

    init(_ loop: EventLoop) { self.loop = loop }

    /// Takes connections from now on.
    ///
    /// - Throws: ``SystemError`` where the descriptor cannot be watched.
    func serve(_ listener: SharedDescriptor, target: Target) throws(SystemError) {
        let service = Service(listener: listener, target: target)
        services.append(service)
        try watch(service)
    }

    private func watch(_ service: Service) throws(SystemError) {
        try loop.add(service.listener.rawValue, .readable) { [unowned self] _ in accept(service) }
    }

    /// Ends all connections to an address: whoever had it has it no more.
    func cut(_ address: IPAddress) {
        for connection in connections.values where connection.target.address == address {
            connection.reset()
        }
    }

    private func accept(_ service: Service) {
        for _ in 0..<Self.maximumAcceptsAtOnce {
            guard connections.count < Self.maximumConnections else { return pause() }
            do {
                // Whoever has gone again before the turn came is nobody's loss (accept(2)).
                guard let client = try TCPSocket.accept(service.listener) else { return }
                begin(client, target: service.target)
            } catch  where error.code == .connectionAbort {
                continue
            } catch {
                StandardError.print("port-proxy: \(error)")
                return pause()
            }
        }
    }

    private func begin(_ client: SharedDescriptor, target: Target) {
        do {
            let connection = try ProxiedConnection(client, target: target, loop: loop)
            connections[ObjectIdentifier(connection)] = connection
            connection.onEnd = { [unowned self, unowned connection] in
                connections[ObjectIdentifier(connection)] = nil
                resume()
            }
        } catch {
            // As the target would have said itself.
            TCPSocket.reset(client)
        }
    }

    /// Takes no further connections until one has ended.
    private func pause() {
        guard isListening, !connections.isEmpty else { return }
        isListening = false
        for service in services { loop.remove(service.listener.rawValue) }
    }

    private func resume() {
        guard !isListening else { return }
        isListening = true
        for service in services {
            do {
                try watch(service)
            } catch {
                StandardError.print("port-proxy: \(error)")
            }
        }
    }
}
