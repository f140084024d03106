import CLinux
import Glibc
import LinuxSystem
import NodeProtocol

/// PID 1's ear for the node's own programs: does what `systemctl`, `reboot` and the like ask, and
/// answers when it is done.
final class UnitManager {
    private unowned let node: Node
    private let loop: EventLoop
    private let listener: SharedDescriptor
    private var clients: [ObjectIdentifier: Connection] = [:]
    private var jobs: [Job] = []

    /// A request whose answer waits for a service.
    private struct Job {
        var client: ObjectIdentifier
        var service: Service
        var verb: UnitVerb
    }

    /// Listens from now on.
    ///
    /// - Throws: ``SystemError`` when the node's /run is full.
    init(_ node: Node, loop: EventLoop) throws(SystemError) {
        self.node = node
        self.loop = loop
        let path = NodeRoot.managerSocket
        listener = try UnixSocket.listen(at: path)
        // Anybody may look; who may do something is decided by who asks.
        try systemCall("set the mode of \(path)") { chmod(path, 0o666) }
        try loop.accept(listener) { [unowned self] socket in serve(socket) }
    }

    private func serve(_ socket: consuming OwnedDescriptor) {
        do {
            let isRoot = try UnixSocket.peerUser(of: socket.rawValue) == 0
            var key: ObjectIdentifier?
            let client = try Connection(
                socket, loop: loop,
                onMessage: { [unowned self] message in
                    if let key { receive(message.payload, from: key, isRoot: isRoot) }
                },
                onClose: { [unowned self] in if let key { forget(key) } })
            key = ObjectIdentifier(client)
            clients[ObjectIdentifier(client)] = client
        } catch { Log.write("\(error)") }
    }

    private func forget(_ client: ObjectIdentifier) {
        clients[client] = nil
        jobs.removeAll { $0.client == client }
    }

    private func receive(_ payload: [UInt8], from client: ObjectIdentifier, isRoot: Bool) {
        let request: UnitRequest
        do {
            request = try UnitRequest(message: payload)
        } catch {
            clients[client]?.close()
            return forget(client)
        }
        guard isRoot || request == .list else { return answer(.refused, to: client) }
        switch request {
        case .list:
            let reports = node.allServices.map {
                $0.report(isEnabled: EnabledUnits.contains($0.specification.name))
            }
            answer(.units(reports), to: client)
        case .control(let verb, let name):
            withService(name, for: client) { control(verb, $0, for: client) }
        case .signal(let number, let name, let onlyMain):
            withService(name, for: client) { service in
                guard service.signalMain(onlyMain ? number : 0) else {
                    return answer(.failed("no process to kill"), to: client)
                }
                if !onlyMain { service.signalAll(number) }
                answer(.done(changed: true), to: client)
            }
        case .setEnabled(let isEnabled, let name):
            do {
                answer(.done(changed: try EnabledUnits.set(name, to: isEnabled)), to: client)
            } catch { answer(.failed("\(error)"), to: client) }
        case .resetFailed(let name):
            withService(name, for: client) { service in
                service.handle(.resetFailed)
                answer(.done(changed: true), to: client)
            }
        case .setHostname(let name):
            do {
                try systemCall("set the hostname to \(name)") { sethostname(name, name.utf8.count) }
                answer(.done(changed: true), to: client)
            } catch { answer(.failed("\(error)"), to: client) }
        case .powerOff(let restarts):
            // Who asked is told before it is ended with everything else.
            answer(.done(changed: true), to: client)
            loop.schedule(after: .zero) { [unowned self] in
                node.powerOff(restarts: restarts, isAskedByNode: true)
            }
        }
    }

    private func withService(
        _ name: String, for client: ObjectIdentifier, _ body: (Service) -> Void
    ) {
        guard let service = node.service(name) else {
            return answer(.failed("no such unit"), to: client)
        }
        body(service)
    }

    private func control(_ verb: UnitVerb, _ service: Service, for client: ObjectIdentifier) {
        let job = Job(client: client, service: service, verb: verb)
        switch verb {
        case .start: node.start(service)
        case .stop: service.handle(.stop)
        case .restart:
            service.handle(.stop)
            node.start(service)
        case .reload: service.handle(.reload)
        }
        if !conclude(job) { jobs.append(job) }
    }

    /// Answers those whose service has come to rest.
    func reconsider() { jobs.removeAll { conclude($0) } }

    /// Answers a job if its service has come to rest; whether it has.
    private func conclude(_ job: Job) -> Bool {
        guard let reply = job.verb.reply(for: job.service) else { return false }
        answer(reply, to: job.client)
        return true
    }

    private func answer(_ reply: UnitReply, to client: ObjectIdentifier) {
        clients[client]?.send(reply)
    }
}

extension UnitVerb {
    /// The answer to whoever has asked for it; nil while that is not decided.
    fileprivate func reply(for service: Service) -> UnitReply? {
        guard !service.isChanging else { return nil }
        let report = service.report(isEnabled: false)
        switch (self, report.phase) {
        case (.start, .failed), (.restart, .failed), (.start, .restarting),
            (.restart, .restarting):
            return .failed(report.failure ?? "its process has ended")
        default: return .done(changed: true)
        }
    }
}
