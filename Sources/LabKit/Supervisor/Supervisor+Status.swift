import LabModel
import LinuxSystem
import NetworkTypes

// What `status` shows: kernel and wire, not what daemons say of themselves.

extension Supervisor {
    /// How long the first election may take in `up --wait converged`: the longest
    /// Master_Down_Interval of the lab on top of this.
    static let convergenceMargin: Duration = .seconds(10)

    /// The lab at a glance.
    func status() -> LabStatus {
        observer.catchUp()
        return LabStatus(
            lab: order.lab.name, uptime: MonotonicClock.now - started,
            nodes: nodes.map(status(of:)), faults: fabric.faults.faults,
            published: order.lab.published,
            gateways: order.lab.networks.compactMap { network in
                guard network.gateway != nil || network.parent != nil else { return nil }
                return GatewayStatus(
                    network: network.name, addresses: network.gateway ?? [],
                    external: network.external,
                    hostDevice: network.isNATed ? outside?.nat?.device : network.parent,
                    hostProgram: network.isNATed && outside?.userNAT?.isOpen ?? false
                        ? "slirp4netns" : nil)
            })
    }

    private func status(of node: RunningNode) -> NodeStatus {
        let name = node.node.name
        let kernel = observer.interfaces(of: name)
        return NodeStatus(
            name: name, state: node.state, isFrozen: node.isFrozen, pid: node.hostPID,
            virtualRouters: order.virtualRouters.filter { $0.node == name }.map {
                status(of: $0, on: node)
            },
            interfaces: fabric.interfaces(of: name).map { interface in
                let state = kernel[interface.index]
                return InterfaceStatus(
                    name: interface.name.text, mac: interface.mac, isUp: state?.isUp ?? false,
                    hasCarrier: state?.hasCarrier ?? false,
                    addresses: (state?.addresses ?? []).sorted {
                        ($0.address, $0.prefixLength) < ($1.address, $1.prefixLength)
                    })
            },
            services: node.node.services.map { service in
                let record = node.services[service.name]
                return ServiceStatus(
                    name: service.name, kind: service.kind, state: record?.state,
                    since: record?.since, isFrozen: record?.isFrozen ?? false)
            })
    }

    private func status(
        of router: VirtualRouterFacts, on node: RunningNode
    ) -> VirtualRouterStatus {
        let held = router.addresses.filter { ownership.holders(of: $0).contains(router.node) }
        let role: VirtualRouterStatus.Role? =
            if !held.isEmpty {
                .master
            } else if node.isAlive, case .ready = node.services[router.service]?.state {
                .backup
            } else {
                nil
            }
        return VirtualRouterStatus(
            instance: router.instance, vrid: router.vrid, priority: router.priority, role: role,
            held: held)
    }

    /// Calls `completion` when every virtual address that a running daemon could hold is held, or
    /// when the protocol's time for that is over.
    func awaitConvergence(completion: @escaping (Result<Void, LabError>) -> Void) {
        let longest = order.virtualRouters.map {
            $0.masterDownInterval().reduce(.zero) { $0 + $1.duration }
        }.max()
        let deadline = MonotonicClock.now + (longest ?? .zero) + Self.convergenceMargin
        let listener = timeline.addListener { [unowned self] event in
            if case .addressAdded = event.kind { reconsiderSoon() }
        }
        loop.schedule(at: deadline) { [unowned self] in reconsiderSoon() }
        wait(until: { [unowned self] in
            let missing = unheldAddresses()
            if missing.isEmpty { return .success(()) }
            guard MonotonicClock.now >= deadline else { return nil }
            let list = missing.map(\.description).joined(separator: ", ")
            return .failure(.failed("no node holds \(list)"))
        }) { [unowned self] result in
            timeline.removeListener(listener)
            completion(result)
        }
    }

    private func unheldAddresses() -> [IPAddress] {
        var wanted: Set<IPAddress> = []
        for router in order.virtualRouters {
            guard let node = nodesByName[router.node],
                case .ready = node.services[router.service]?.state
            else { continue }
            wanted.formUnion(router.addresses)
        }
        return wanted.filter { ownership.holders(of: $0).isEmpty }.sorted()
    }
}
