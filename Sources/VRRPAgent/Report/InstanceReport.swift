import KeepalivedConf
import NetworkTypes
import VRRP

/// What one `vrrp_instance` is doing.
struct InstanceReport {
    /// What was configured.
    var instance: VRRPInstance
    var state = State.initialize
    /// The state it was told to be in, or found itself in, last.
    var wantedState = State.backup
    /// The priority in force, 1 to 255.
    var effectivePriority: UInt8
    /// The sum of priority and weights before it is clamped.
    var totalPriority: Int
    /// The priority of the master last heard; 0: none was, or it resigned.
    var masterPriority: UInt8 = 0
    /// Where that master speaks from.
    var masterAddress: IPAddress?
    /// That master's interval (version 3), or the own one.
    var masterAdvertisementInterval: Duration
    /// When the state last changed.
    var lastTransition = AgentReport.WallTime.never
    /// When something is to happen if nothing is heard before; nil: nothing is.
    var deadline: AgentReport.WallTime?
    /// 3 intervals and the skew, in the present circumstances (RFC 9568 §6.1).
    var masterDownInterval: Duration
    /// Whether the virtual addresses are set.
    var areAddressesSet = false
    /// Where advertisements are sent from.
    var sourceAddress: IPAddress?
    /// The index of the interface they leave by.
    var interfaceIndex: Int32 = 0
    /// Whether its macvlan or ipvlan is there and up.
    var isVirtualInterfaceUp = false
    /// Addresses, routes and rules, with what has become of them.
    var moved = MovedObjects()
    /// The sync group it is in.
    var groupName: String?
    /// How many interfaces and scripts without weight are down.
    var faultCount = 0
    /// How many scripts have not answered yet.
    var pendingScriptCount = 0
    /// The descriptors it receives and sends by.
    var descriptors: (receiver: Int32, sender: Int32)?
    /// What it has counted.
    var statistics = Statistics()

    /// An instance that has not begun.
    init(_ instance: VRRPInstance) {
        self.instance = instance
        effectivePriority = instance.priority
        totalPriority = Int(instance.priority)
        masterAdvertisementInterval = instance.advertisementInterval
        masterDownInterval = .zero
        moved.addresses = instance.virtualAddresses.map { Self.unset($0) }
        moved.excludedAddresses = instance.excludedAddresses.map { Self.unset($0) }
        moved.routes = instance.virtualRoutes.map { RouteReport(route: $0) }
        moved.rules = instance.virtualRules
    }

    private static func unset(_ address: VirtualAddress) -> AddressReport {
        AddressReport(address: address, interface: address.interface)
    }

    /// A state, numbered as keepalived's JSON numbers it.
    enum State: Int, CustomStringConvertible {
        case initialize = 0
        case backup = 1
        case master = 2
        case fault = 3

        var description: String {
            switch self {
            case .initialize: "INIT"
            case .backup: "BACKUP"
            case .master: "MASTER"
            case .fault: "FAULT"
            }
        }
    }

    /// The interface that advertisements use: the instance's own macvlan, or the configured one.
    var interface: InterfaceName { instance.virtualInterface?.name ?? instance.interface }
}
