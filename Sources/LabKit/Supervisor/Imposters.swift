import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import Spoofing

/// Keeps the stations that belong to nobody equal to the impostures in force.
final class Imposters {
    private let fabric: Fabric
    private let observer: Observer
    private let loop: EventLoop
    private let program: String
    private var processes: [InterfaceName: ImposterProcess] = [:]
    /// What is in force now.
    private var wanted: [InterfaceName: StationOrder] = [:]
    /// Processes that have been told to end and have not yet.
    private var leaving = 0
    private var waiting: [() -> Void] = []
    /// Called when one has ended without having been told to.
    var onFall: (InterfaceName) -> Void = { _ in }

    /// - Parameter program: the path of `imposter`.
    init(_ fabric: Fabric, observer: Observer, program: String, loop: EventLoop) {
        self.fabric = fabric
        self.observer = observer
        self.program = program
        self.loop = loop
    }

    /// Has stations do what is in force, and no others be there. `completion` is called when they
    /// do, when those that went are gone; or with why one does not.
    ///
    /// - Parameter orders: what each does.
    func update(
        _ orders: [InterfaceName: StationOrder],
        completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        wanted = orders
        do {
            for (network, process) in processes where orders[network] != process.order {
                processes[network] = nil
                leaving += 1
                process.dismiss()
            }
            for (network, stand) in fabric.stands where orders[network] == nil && stand.isTaken {
                try withdraw(network)
            }
        } catch {
            return completion(.failure(LabError(refusal: error)))
        }
        whenGone { [unowned self] in start(completion: completion) }
    }

    /// Takes the station's port away, with all that the timeline has not seen of it yet seen.
    private func withdraw(_ network: InterfaceName) throws {
        try fabric.removeStand(on: network)
        observer.catchUp()
        fabric.forgetStand(on: network)
        try observer.standsChanged()
    }

    private func whenGone(_ body: @escaping () -> Void) {
        if leaving == 0 { return body() }
        waiting.append(body)
    }

    /// Starts what is wanted by now and not there.
    private func start(completion: @escaping (Result<Void, LabError>) -> Void) {
        let orders = wanted.filter { processes[$0.key] == nil }
        var left = orders.count
        guard left > 0 else { return completion(.success(())) }
        var failure: LabError?
        func over(_ result: Result<Void, LabError>) {
            if case .failure(let error) = result { failure = failure ?? error }
            left -= 1
            if left == 0 { completion(failure.map { .failure($0) } ?? .success(())) }
        }
        for (network, order) in orders.sorted(by: { $0.key < $1.key }) {
            // From now on its port goes with it, even if it does not come.
            fabric.stands[network]?.isTaken = true
            do {
                let process = try ImposterProcess(
                    program: program, order, log: STDERR_FILENO, loop: loop
                ) { [unowned self] wasDismissed in
                    ended(on: network, wasDismissed: wasDismissed)
                }
                processes[network] = process
                process.begin(completion: over)
            } catch {
                over(.failure(LabError(refusal: error)))
            }
        }
    }

    private func ended(on network: InterfaceName, wasDismissed: Bool) {
        guard wasDismissed else {
            StandardError.print("imposter on \(network) has ended")
            processes[network] = nil
            return onFall(network)
        }
        leaving -= 1
        guard leaving == 0 else { return }
        let bodies = waiting
        waiting = []
        for body in bodies { body() }
    }
}
