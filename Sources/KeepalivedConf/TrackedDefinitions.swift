public import NetworkTypes

/// A `vrrp_track_process`: whether enough processes of a sort run moves priorities.
public struct TrackProcess: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// The program, and the arguments it must have.
    public var arguments: [String] = []
    /// How the arguments are compared; nil: they are not.
    public var parameterMatch: ParameterMatch?
    /// `full_command`: the whole command line is compared, not the name of 15 bytes.
    public var comparesFullCommand = false
    /// Added to the priority while there are enough (positive) or taken while not (negative); 0:
    /// too few is FAULT.
    public var weight = 1
    /// Whether the weight counts the other way round.
    public var isReversed = false
    /// How many must run.
    public var quorum = 1
    /// How many may run at most; nil: any number.
    public var maximumQuorum: Int?
    /// How long after enough have started this counts.
    public var forkDelay: Duration = .zero
    /// How long after too many have ended this counts.
    public var terminateDelay: Duration = .zero
    /// Where its definition stands.
    public var position: SourcePosition

    /// `param_match`: how arguments are compared.
    public enum ParameterMatch: String, Hashable, Sendable {
        /// All of them, as written.
        case exact
        /// The first ones, as written.
        case partial
        /// The first ones, the last of which may go on.
        case initial
    }

    /// The definition of that name, with keepalived's defaults.
    public init(name: String, position: SourcePosition) {
        self.name = name
        self.position = position
    }
}

/// A `track_file` (once `vrrp_track_file`): a number in a file moves priorities.
public struct TrackFile: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// The file.
    public var path = ""
    /// What the number is multiplied with; 0: any number but 0 is FAULT.
    public var weight = 1
    /// Whether the weight counts the other way round.
    public var isReversed = false
    /// `init_file`: what is done to the file at the start.
    public var initialization: Initialization?
    /// Where its definition stands.
    public var position: SourcePosition

    /// `init_file [VALUE] [overwrite]`.
    public struct Initialization: Hashable, Sendable {
        /// What is written.
        public var value: Int
        /// Whether a file that exists is written too.
        public var overwrites: Bool

        /// Writes that value.
        public init(value: Int, overwrites: Bool) {
            self.value = value
            self.overwrites = overwrites
        }
    }

    /// The definition of that name, with keepalived's defaults.
    public init(name: String, position: SourcePosition) {
        self.name = name
        self.position = position
    }
}

/// A `vrrp_sync_group`: instances that change state together.
public struct SyncGroupDefinition: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// The names of its instances, of those that exist.
    public var members: [String] = []
    /// What is run when the group changes state.
    public var notify = VRRPInstance.NotifyCommands()
    /// Whether mail is sent when it does.
    public var smtpAlert = false
    /// `notify_priority_changes`.
    public var notifiesPriorityChanges = false
    /// `sync_group_tracking_weight`: whether members' weights count; if not, they are all 0.
    public var usesTrackingWeights = false
    /// Interfaces that all members track.
    public var trackedInterfaces: [VRRPInstance.TrackedInterface] = []
    /// Scripts that all members track.
    public var trackedScripts: [VRRPInstance.TrackedScript] = []
    /// Files that all members track.
    public var trackedFiles: [VRRPInstance.TrackedObject] = []
    /// Processes that all members track.
    public var trackedProcesses: [VRRPInstance.TrackedObject] = []
    /// Where its definition stands.
    public var position: SourcePosition

    /// The group of that name, without members.
    public init(name: String, position: SourcePosition) {
        self.name = name
        self.position = position
    }
}

/// A `garp_group`: interfaces on which announcements are sent at a pace of their own.
public struct GARPGroup: Hashable, Sendable {
    /// The least time between two gratuitous ARP packets.
    public var garpInterval: Duration = .zero
    /// The least time between two unsolicited neighbour advertisements.
    public var gnaInterval: Duration = .zero
    /// Where it holds.
    public var interfaces: [InterfaceName] = []
    /// Whether its interfaces share one pace (`interfaces`) instead of having one each.
    public var isShared = false
    /// Where each of its interfaces stands.
    var positions: [SourcePosition] = []

    /// An empty group.
    public init() {}
}

/// A line of `interface_up_down_delays`.
public struct InterfaceDelay: Hashable, Sendable {
    /// The interface.
    public var interface: InterfaceName
    /// How long it must be down to count as down.
    public var down: Duration
    /// How long it must be up to count as up.
    public var up: Duration
    /// Where it stands.
    var position: SourcePosition?

    /// The delays of that interface.
    public init(interface: InterfaceName, down: Duration, up: Duration) {
        self.interface = interface
        self.down = down
        self.up = up
    }
}

/// A FIFO that is told every transition.
public struct NotifyFIFO: Hashable, Sendable {
    /// Where it is.
    public var path: String
    /// What is started to read it, the path as its last argument.
    public var script: Command?
    /// The user and the group that it shall belong to, as written after its path.
    public var user: [String] = []
    /// Where it stands.
    public var position: SourcePosition

    /// The FIFO of that path.
    public init(path: String, script: Command? = nil, position: SourcePosition) {
        self.path = path
        self.script = script
        self.position = position
    }
}
