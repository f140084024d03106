import LabModel
import LinuxSystem
import NetworkTypes
import SystemPackage

/// Something that asks one and the same question from inside a node, as often as it is told to.
///
/// Its sockets belong to the node's network namespace and keep it alive, so it is cancelled before
/// the node is killed; asked again, it opens them anew.
protocol Prober: AnyObject {
    /// What was asked and is not answered yet.
    var pending: PendingRequests { get }
    /// Asks once more. `completion` is called once, later; never from within.
    func ask(timeout: Duration, completion: @escaping (ProbeResult.Outcome) -> Void)
    /// Closes its sockets; nothing is under way.
    func close()
    /// Gives up all that is under way for that reason, and closes its sockets.
    func cancel(_ reason: String)
}

extension Prober {
    func cancel(_ reason: String) {
        close()
        pending.endAll(.failed(reason))
    }
}

/// Requests that are under way, each with its own time to be answered in.
final class PendingRequests {
    private struct Entry {
        var completion: (ProbeResult.Outcome) -> Void
        var timer: EventLoop.TimerID?
    }

    private let loop: EventLoop
    private var entries: [UInt32: Entry] = [:]
    private var last: UInt32 = 0
    /// Called when the last one has ended.
    var onEmpty: () -> Void = {}

    init(loop: EventLoop) { self.loop = loop }

    var isEmpty: Bool { entries.isEmpty }

    /// The one asked last; nil when there is none.
    var newest: UInt32? { entries.keys.max() }

    /// Begins one, which fails by itself when the time is over; nil for one whose time somebody
    /// else watches.
    ///
    /// - Returns: its number, which no other has.
    func add(
        timeout: Duration?, completion: @escaping (ProbeResult.Outcome) -> Void
    ) -> UInt32 {
        last += 1
        let number = last
        let timer = timeout.map {
            loop.schedule(after: $0) { [weak self] in self?.end(number, .failed("timed out")) }
        }
        entries[number] = Entry(completion: completion, timer: timer)
        return number
    }

    /// Whether that one is still under way.
    func has(_ number: UInt32) -> Bool { entries[number] != nil }

    /// Ends one; nothing when it has ended.
    func end(_ number: UInt32, _ outcome: ProbeResult.Outcome) {
        guard let entry = entries.removeValue(forKey: number) else { return }
        if let timer = entry.timer { loop.cancel(timer) }
        entry.completion(outcome)
        if entries.isEmpty { onEmpty() }
    }

    /// Lets one fail once what is being handled now is done.
    func failSoon(_ number: UInt32, _ error: any Error) {
        let reason = (error as? SystemError)?.code.text ?? "\(error)"
        loop.schedule(after: .zero) { [self] in end(number, .failed(reason)) }
    }

    /// Ends all of them, the oldest first.
    func endAll(_ outcome: ProbeResult.Outcome) {
        for number in entries.keys.sorted() { end(number, outcome) }
    }
}

/// Where a prober opens its sockets: the network of a node, while that runs.
struct NodeNetwork {
    let node: String
    /// The node's first process; nil when it does not run.
    let process: () -> Int32?

    /// Does something in the node's network namespace.
    ///
    /// - Throws: ``LabError/state(_:)`` when the node does not run, and what `body` throws.
    func run<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        guard let pid = process() else { throw LabError.state("node \(node) is not running") }
        return try NetworkNamespace.of(pid: pid).run(body)
    }
}

extension Supervisor {
    /// What asks that question from inside a node; it is there until it is retired.
    ///
    /// - Parameter keepsOpen: whether all requests share one connection.
    func prober(
        for request: ProbeRequest, from name: String, keepsOpen: Bool
    ) -> any Prober {
        let network = NodeNetwork(node: name) { [unowned self] in
            guard let node = try? node(name), node.state == .running else { return nil }
            return node.process?.pid
        }
        let prober: any Prober =
            switch request {
            case .http(let url):
                connections(
                    to: TransportAddress(url.address, port: url.port),
                    .http(url, isLast: !keepsOpen), network)
            case .tcp(let server):
                connections(to: server, keepsOpen ? .echo : .connect, network)
            case .udp(let server):
                DatagramProber(UDPQuestion(server), network, loop: loop)
            case .ping(let address):
                DatagramProber(
                    PingQuestion(address, identifier: takeIdentifier()), network, loop: loop)
            case .arp(let address):
                DatagramProber(
                    fabric.resolution(of: address, from: name), network, loop: loop)
            }
        probers[name, default: [:]][ObjectIdentifier(prober)] = prober
        return prober
    }

    private func connections(
        to server: TransportAddress, _ dialogue: ClientConnection.Dialogue,
        _ network: NodeNetwork
    ) -> any Prober {
        dialogue.keepsOpen
            ? ClientConnection(to: server, dialogue, network, loop: loop)
            : FreshConnections(to: server, dialogue, network, loop: loop)
    }

    /// A number that tells one prober's echo requests from another's.
    private func takeIdentifier() -> UInt16 {
        lastIdentifier &+= 1
        return lastIdentifier
    }

    /// Asks nothing more; what is under way still ends, and then its sockets are closed.
    func retire(_ prober: any Prober, of node: String) {
        let key = ObjectIdentifier(prober)
        let end = { [unowned self, unowned prober] in
            prober.close()
            // Not from within itself.
            loop.schedule(after: .zero) { [unowned self] in probers[node]?[key] = nil }
        }
        if prober.pending.isEmpty { end() } else { prober.pending.onEmpty = end }
    }

    /// Gives up every request that is under way from a node, so that none of their sockets keeps
    /// its network alive.
    func cancelProbes(from node: String, reason: String) {
        for prober in probers[node]?.values ?? [:].values { prober.cancel(reason) }
    }

    /// What becomes of every request from a node that stands still: nothing in it asks, though its
    /// kernel would send what we ask there. Nil for any other.
    func refusal(ofRequestsFrom name: String) -> ProbeResult.Outcome? {
        guard let node = try? node(name), node.isFrozen else { return nil }
        return .failed("node \(name) is frozen")
    }

    /// Asks one question from inside a node; `completion` is called once, later.
    func ask(
        _ request: ProbeRequest, from name: String, timeout: Duration,
        completion: @escaping (ProbeResult.Outcome) -> Void
    ) {
        if let refusal = refusal(ofRequestsFrom: name) {
            loop.schedule(after: .zero) { completion(refusal) }
            return
        }
        let prober = prober(for: request, from: name, keepsOpen: false)
        prober.ask(timeout: timeout, completion: completion)
        retire(prober, of: name)
    }
}
