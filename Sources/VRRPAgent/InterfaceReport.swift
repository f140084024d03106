import NetworkTypes

/// What happened to an interface, as keepalived logs it.
enum InterfaceReport: Hashable {
    case link(InterfaceName, isUp: Bool)
    case assigned(IPAddress, InterfaceName)
    case deassigned(IPAddress, InterfaceName)
    case deleted(InterfaceName)
    /// Made again, that is: of others nothing is said.
    case added(InterfaceName)

    var isDetail: Bool {
        switch self {
        case .link, .deleted: false
        case .assigned, .deassigned, .added: true
        }
    }

    var text: String {
        switch self {
        case .link(let name, let isUp): "Netlink reports \(name) \(isUp ? "up" : "down")"
        case .assigned(let address, let name): "Assigned address \(address) for interface \(name)"
        case .deassigned(let address, let name):
            "Deassigned address \(address) from interface \(name)"
        case .deleted(let name): "Interface \(name) deleted"
        case .added(let name): "Interface \(name) added"
        }
    }
}

/// What has been said of the interfaces that instances are on or track, so that it is said once.
struct InterfaceLog {
    private var isUp: [InterfaceName: Bool] = [:]
    /// Of each family the address that packets are sent from; those of interfaces that were looked
    /// at, be there any or none.
    private var addresses: [InterfaceName: [IPAddress.Family: IPAddress]] = [:]
    private var deleted: Set<InterfaceName> = []

    /// Takes in a report; whether it is news.
    mutating func takes(_ report: InterfaceReport) -> Bool {
        switch report {
        case .link(let name, let isUp):
            return self.isUp.updateValue(isUp, forKey: name) != isUp
        case .assigned(let address, let name):
            return addresses[name, default: [:]].updateValue(address, forKey: address.family)
                != address
        case .deassigned(let address, let name):
            return addresses[name]?.removeValue(forKey: address.family) != nil
        case .deleted(let name): return deleted.insert(name).inserted
        case .added(let name): return deleted.remove(name) != nil
        }
    }

    /// What there is to say of an interface's addresses.
    ///
    /// - Parameter isOnlyTracked: then of the first time nothing: only changes count.
    mutating func reports(
        of name: InterfaceName, isOnlyTracked: Bool, source: (IPAddress.Family) -> IPAddress?
    ) -> [InterfaceReport] {
        var now: [IPAddress.Family: IPAddress] = [:]
        for family in [IPAddress.Family.v4, .v6] { now[family] = source(family) }
        guard let before = addresses[name] ?? (isOnlyTracked ? nil : [:]) else {
            addresses[name] = now
            return []
        }
        // In the kernel's order: an interface that goes loses its IPv6 addresses first.
        let lost = [IPAddress.Family.v6, .v4].filter { now[$0] != before[$0] }.compactMap {
            before[$0].map { InterfaceReport.deassigned($0, name) }
        }
        let gained = [IPAddress.Family.v4, .v6].filter { now[$0] != before[$0] }.compactMap {
            now[$0].map { InterfaceReport.assigned($0, name) }
        }
        return lost + gained
    }

    /// Has all addresses said anew, as after a reload.
    mutating func forgetAddresses() { addresses = [:] }
}
