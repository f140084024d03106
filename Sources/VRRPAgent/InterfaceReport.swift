import NetworkTypes

/// What happened to an interface, as keepalived logs it.
enum InterfaceReport: Hashable {
    case link(InterfaceName, isUp: Bool)
    case assigned(IPAddress, InterfaceName)
    case deassigned(IPAddress, InterfaceName)

    var isDetail: Bool {
        switch self {
        case .link: false
        case .assigned, .deassigned: true
        }
    }

    var text: String {
        switch self {
        case .link(let name, let isUp): "Netlink reports \(name) \(isUp ? "up" : "down")"
        case .assigned(let address, let name): "Assigned address \(address) for interface \(name)"
        case .deassigned(let address, let name):
            "Deassigned address \(address) from interface \(name)"
        }
    }
}
