import Glibc
import LabModel
import LinuxSystem
import NetworkTypes

/// Keeps what `wire-relay` does equal to what the fabric's impaired cables are to do.
///
/// It works in rounds, one at a time; who asks for one while another is on gets one after it.
final class Wires {
    private let fabric: Fabric
    private let loop: EventLoop
    private let program: String
    private var relay: RelayProcess?
    private var isAtWork = false
    private var waiting: [(Result<Void, LabError>) -> Void] = []
    /// How often in a row the relay has not obeyed.
    private var failures = 0
    /// An interface that goes while the relay is told of it is no reason to give up; one that
    /// falls each time is.
    private static let maximumFailures = 3

    /// - Parameter program: the path of `wire-relay`.
    init(_ fabric: Fabric, program: String, loop: EventLoop) {
        self.fabric = fabric
        self.program = program
        self.loop = loop
    }

    /// Has the relay do what the cables are to do now. `completion` is called when it does; at once
    /// where there is nothing to do.
    func update(completion: @escaping (Result<Void, LabError>) -> Void = { _ in }) {
        guard relay != nil || !fabric.splices.isEmpty else { return completion(.success(())) }
        waiting.append(completion)
        if !isAtWork { work() }
    }

    private func work() {
        let served = waiting
        waiting = []
        isAtWork = true
        do {
            try fabric.insertSplices()
            try fabric.removeJoints()
            let links = try fabric.wireLinks()
            if links.isEmpty {
                guard let relay else { return finish(served, .success(())) }
                self.relay = nil
                guard fabric.needsJoints else {
                    relay.end()
                    return finish(served, .success(()))
                }
                // What the kernel is to join must not be joined by the relay any more.
                relay.onEnd = {}
                return relay.set([]) { [unowned self] result in
                    relay.end()
                    finish(served, result)
                }
            }
            let relay = try self.relay ?? start()
            relay.set(links) { [unowned self] result in finish(served, result) }
        } catch {
            finish(served, .failure(LabError(refusal: error)))
        }
    }

    private func start() throws -> RelayProcess {
        let started = try RelayProcess(program: program, log: STDERR_FILENO, loop: loop)
        // Without it not one frame passes: another takes its place at once.
        started.onEnd = { [unowned self] in
            StandardError.print("wire-relay has ended")
            relay = nil
            if !isAtWork { update() }
        }
        // A node that starts again may have made its interface before the relay missed the old one.
        started.onLinkEnd = { [unowned self] in update() }
        relay = started
        return started
    }

    private func finish(
        _ served: [(Result<Void, LabError>) -> Void], _ result: Result<Void, LabError>
    ) {
        isAtWork = false
        var result = result
        switch result {
        case .success:
            failures = 0
            do {
                try fabric.setJoints()
                try fabric.removeSplices()
            } catch {
                result = .failure(LabError(refusal: error))
            }
        case .failure:
            failures += 1
            if failures < Self.maximumFailures {
                waiting = served + waiting
                return work()
            }
        }
        for completion in served { completion(result) }
        if !waiting.isEmpty { work() }
    }
}
