import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import Spoofing

// Stations that belong to nobody, as `imposter` makes and ends them.

extension Supervisor {
    /// Why an imposture cannot be in this lab; nil for what can, and for other faults.
    func impostureProblem(of fault: Fault) -> String? {
        guard case .imposter(let network, let imposture) = fault else { return nil }
        do throws(ImpostureError) {
            _ = try stationOrder(imposture, on: network)
            return nil
        } catch {
            return "imposter \(network): \(error)"
        }
    }

    private func stationOrder(
        _ imposture: Imposture, on name: InterfaceName
    ) throws(ImpostureError) -> StationOrder {
        guard let network = order.lab.network(name) else {
            preconditionFailure("a fault's network is one of the lab's")
        }
        var station = try imposture.order(
            on: network, in: order.lab, routers: order.virtualRouters)
        station.interface = fabric.stands[name]?.outer.index ?? 0
        return station
    }

    /// Whether a fault needs a port that is not there yet.
    func lacksStand(for fault: Fault) -> InterfaceName? {
        guard case .imposter(let network, let imposture) = fault, !imposture.isNone else {
            return nil
        }
        let stand = fabric.stands[network]
        let isOperational = stand.map { observer.operationalPorts.contains($0.port.index) }
        return isOperational == true ? nil : network
    }

    /// Makes the port of an imposter, before it sends anything.
    func prepareStand(
        on name: InterfaceName, completion: @escaping (Result<Void, LabError>) -> Void
    ) {
        do {
            let mac = try stationOrder(Imposture([]), on: name).mac
            let stand = try fabric.makeStand(on: name, mac: mac)
            try observer.standsChanged()
            wait(
                until: { [unowned self] in
                    // Another one may have been healed, and this port with it.
                    guard fabric.stands[name] != nil else {
                        return .failure(.failed("the imposter on \(name) was healed meanwhile"))
                    }
                    return observer.operationalPorts.contains(stand.port.index)
                        ? .success(()) : nil
                }, completion: completion)
        } catch {
            completion(.failure(LabError(refusal: error)))
        }
    }

    /// Has the stations do what is in force.
    func updateImposters(completion: @escaping (Result<Void, LabError>) -> Void) {
        var orders: [InterfaceName: StationOrder] = [:]
        for (network, imposture) in fabric.faults.impostures {
            // Looked at before it came into force.
            orders[network] = try? stationOrder(imposture, on: network)
        }
        imposters.update(orders, completion: completion)
    }

    /// One that has fallen is gone, and the timeline says so.
    func imposterFell(on network: InterfaceName) {
        guard fabric.faults.impostures[network] != nil else { return }
        apply(.imposter(network, Imposture())) { result in
            guard case .failure(let error) = result else { return }
            StandardError.print("what is left of the imposter on \(network): \(error)")
        }
    }
}
