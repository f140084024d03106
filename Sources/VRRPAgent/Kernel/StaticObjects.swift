import KeepalivedConf
import NetworkTypes

/// `static_ipaddress`, `static_routes` and `static_rules`: there as long as the agent runs.
final class StaticObjects {
    private let kernel: KernelShell
    private let log: Log
    private var addresses: [KernelObject] = []
    private var routes: [KernelObject] = []
    private var rules: [KernelObject] = []
    private var tracked: Set<KernelObject> = []

    init(kernel: KernelShell, log: Log) {
        self.kernel = kernel
        self.log = log
    }

    /// Puts in place what a configuration has, at the start and at a reload, and removes what the
    /// one before had and this one has not.
    func set(_ configuration: Configuration) {
        let newAddresses = configuration.staticAddresses.map { KernelObject($0) }
        let newRoutes = configuration.staticRoutes.map { KernelObject($0) }
        let newRules = configuration.staticRules.map { KernelObject($0) }
        let addressDifference = KernelDifference(from: addresses, to: newAddresses)
        kernel.remove(KernelDifference(from: rules, to: newRules).removed, for: "")
        kernel.remove(KernelDifference(from: routes, to: newRoutes).removed, for: "")
        kernel.remove(addressDifference.removed, for: "")
        kernel.add(addressDifference.added, for: "")
        // Some may have gone with an address.
        kernel.add(newRoutes, for: "")
        kernel.add(KernelDifference(from: rules, to: newRules).added, for: "")
        (addresses, routes, rules) = (newAddresses, newRoutes, newRules)
        tracked = Set(
            configuration.staticAddresses.filter(\.isTracked).map { KernelObject($0) }
                + configuration.staticRoutes.filter(\.isTracked).map { KernelObject($0) }
                + configuration.staticRules.filter(\.isTracked).map { KernelObject($0) })
    }

    /// Removes everything: at the end, in the reverse order.
    func remove() {
        kernel.remove(rules, for: "")
        kernel.remove(routes, for: "")
        kernel.remove(addresses, for: "")
        (addresses, routes, rules, tracked) = ([], [], [], [])
    }

    /// Puts back what somebody else has removed, and all that is to be on an interface that has
    /// come up: both as keepalived does.
    func restore(_ report: KernelShell.Report) {
        let returned = Set(
            report.changes.compactMap { change in
                if case .up(let name) = change { name } else { nil }
            })
        var wanted: [KernelObject] = []
        for object in addresses + routes + rules where tracked.contains(object) {
            if let key = object.key(kernel.device), report.gone.contains(key) {
                log.line("Restoring deleted static \(object.sort) \(object)")
                wanted.append(object)
            } else if let interface = object.interface, returned.contains(interface) {
                wanted.append(object)
            }
        }
        kernel.add(wanted, for: "")
    }
}

extension KernelObject {
    /// What the log calls it.
    fileprivate var sort: String {
        switch self {
        case .address: "address"
        case .route: "route"
        case .rule: "rule"
        }
    }

    /// The interface it cannot be without.
    fileprivate var interface: InterfaceName? {
        switch self {
        case .address(_, let name): name
        case .route(let route): route.interface
        case .rule: nil
        }
    }
}
