import KeepalivedConf
import NetworkTypes
import VRRP

/// What the daemon is doing: all that the dumps of the signals tell, as values.
///
/// `StateReport` renders it as keepalived.data, `InstanceJSON` as keepalived.json,
/// `StatisticsReport` as keepalived.stats.
struct AgentReport {
    /// What is in force.
    var configuration: Configuration
    /// The network namespace that was entered (`-s`, `net_namespace`).
    var networkNamespace: String?
    /// `router_id`, or else the host's name.
    var routerID: String
    /// Every instance, in the order of the file.
    var instances: [InstanceReport] = []
    /// The static addresses, routes and rules, as they are now.
    var staticObjects = MovedObjects()
    /// The open pairs of sockets.
    var sockets: [SocketReport] = []
    /// By the name of the group.
    var groups: [String: GroupReport] = [:]
    /// By the name of the script.
    var scripts: [String: ScriptReport] = [:]
    /// The value last read of each file, by the name of its definition.
    var fileValues: [String: Int] = [:]
    /// How many processes match, by the name of the definition.
    var processCounts: [String: Int] = [:]
    /// What each command runs and as whom; one that is missing is shown as it is written.
    var programs: [Command: ProgramReport] = [:]
    /// The machine's interfaces, by index.
    var interfaces: [InterfaceStatus] = []

    init(configuration: Configuration, routerID: String) {
        self.configuration = configuration
        self.routerID = routerID
    }

    /// A time on the wall, as the dumps tell it.
    struct WallTime: Equatable, Sendable {
        /// Nanoseconds since 1970.
        var nanoseconds: Int64

        init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
        /// Before anything happened; keepalived prints a time that was never set like this.
        static let never = WallTime(nanoseconds: 0)
    }

    /// A pair of sockets.
    struct SocketReport: Equatable {
        var interface: InterfaceName
        var family: IPAddress.Family
        /// Whether it speaks AH (51) and not VRRP (112).
        var isAuthenticated = false
        /// The source address of unicast; nil for multicast.
        var unicastSource: IPAddress?
        var receiver: Int32
        var sender: Int32
        /// The names of the instances that share it.
        var instances: [String] = []
    }

    /// A sync group's state.
    struct GroupReport: Equatable {
        var state: InstanceReport.State
        /// Members in FAULT.
        var faultyMembers = 0
        /// Members whose scripts have not answered yet.
        var pendingMembers = 0
    }

    /// A tracked script's state.
    struct ScriptReport: Equatable {
        /// keepalived's counter: 0 to `rise` + `fall` - 1; good from `rise` on.
        var result = 0
        /// Whether it is a script that others than root could change.
        var isInsecure = false
        /// Whether it has not answered yet.
        var isPending = false
        /// Whether a run of it is under way, and how it is going.
        var activity = Activity.idle

        enum Activity: String {
            case idle
            case running
            case requestedTermination = "requested termination"
            case forcingTermination = "forcing termination"
        }
    }

    /// What a command comes down to.
    struct ProgramReport: Equatable {
        /// The program's path, links resolved.
        var path: String
        var userID: UInt32
        var groupID: UInt32
    }

    /// An interface of the machine.
    struct InterfaceStatus: Equatable {
        var name: InterfaceName
        var index: Int32
        /// The kernel's IFF_ flags.
        var flags: Flags
        var addresses: [IPAddress] = []
        var mac: MACAddress?
        var mtuBytes: UInt32
        /// ARPHRD_ of linux/if_arp.h.
        var hardwareType: UInt16
        /// What it lies on, when it is a macvlan or ipvlan.
        var base: Base?
        /// Whether the daemon made it.
        var isOurs = false
        /// The instances that track it, with the weight; nil: that do not (`dont_track_primary`).
        var trackers: [Tracker] = []

        struct Flags: OptionSet {
            let rawValue: UInt32
            static let up = Flags(rawValue: 0x1)
            static let broadcast = Flags(rawValue: 0x2)
            static let loopback = Flags(rawValue: 0x8)
            static let pointToPoint = Flags(rawValue: 0x10)
            static let running = Flags(rawValue: 0x40)
            static let noARP = Flags(rawValue: 0x80)
            static let multicast = Flags(rawValue: 0x1000)
        }

        struct Base: Equatable {
            var name: InterfaceName
            var flags: Flags
            /// `VMAC type private`, `IPVLAN type L2 bridge`.
            var kind: String
        }

        struct Tracker: Equatable {
            var instance: String
            var weight: Int
            var isReversed = false
        }
    }
}

/// What moves with an instance, with what has become of it.
struct MovedObjects: Equatable {
    var addresses: [AddressReport] = []
    var excludedAddresses: [AddressReport] = []
    var routes: [RouteReport] = []
    var rules: [RuleDefinition] = []

    init() {}
}

/// An address and what has become of it.
struct AddressReport: Equatable {
    var address: VirtualAddress
    /// The interface it is on: the instance's own macvlan where that is meant.
    var interface: InterfaceName
    /// The interface below that, for a macvlan or ipvlan.
    var base: InterfaceName?
    /// Whether it is set.
    var isSet = false
    /// Whether packets to it are dropped (`no_accept`).
    var isFiltered = false
}

/// A route and what has become of it.
struct RouteReport: Equatable {
    var route: RouteDefinition
    /// Whether it is set.
    var isSet = false
}
