public import NetworkTypes

// What goes into a virtual router and what comes out of it.

extension VirtualRouter {
    /// What can happen to a router.
    public enum Event: Equatable, Sendable {
        /// Begin. What is wrong already is told before, as faults.
        case startup
        /// The daemon ends.
        case shutdown
        /// A reload has taken the instance out of the configuration.
        case deletion
        /// `deadline` has come, or perhaps has.
        case timer
        /// An advertisement for this router that passed every check, from another host's address.
        case advertisement(Advertisement, from: IPAddress)
        /// Something it needs is missing from now on.
        case faultRaised(Fault)
        /// That is there again.
        case faultCleared(Fault)
        /// This is the interface's primary address from now on, or the configured one is there:
        /// clears `.sourceAddress`.
        case sourceAddressAssigned(IPAddress)
        /// The interface has no primary address any more: raises `.sourceAddress`.
        case sourceAddressLost
        /// Somebody took a virtual address from the interface behind the router's back.
        case addressRemoved
        /// The weights of what is tracked have given it another priority (`EffectivePriority`).
        case priorityChanged(UInt8)
        /// A reload has changed the configuration, but neither interface, VRID nor version.
        case reconfigured(Reconfiguration)
        /// Its `SyncGroup` makes it master.
        case promoted
        /// Its `SyncGroup` makes it backup.
        case demoted
        /// Another member of its `SyncGroup` has heard a master of lower priority.
        case groupHeardLowerPriority
    }

    /// What the shell is to do.
    public enum Action: Equatable, Sendable {
        /// Send an advertisement with that priority from `sourceAddress`, as `configuration` says.
        case sendAdvertisement(priority: UInt8)
        /// Put the virtual addresses on the interface, with the routes and rules that go with them;
        /// it is no failure when they are there.
        case addAddresses
        /// Take them off; it is no failure when they are not there.
        case removeAddresses
        /// Put back those that are missing.
        case restoreAddresses
        /// Take off what the configuration before had and this one has not, then add what is new.
        case replaceAddresses
        /// Send a gratuitous ARP or an unsolicited neighbour advertisement for every virtual
        /// address, and all of that `count` times.
        case announceAddresses(count: Int)
        /// Tell those who asked to be told: notify scripts, FIFO, mail.
        case transition(Transition)
        /// Log this.
        case log(LogMessage)
    }

    /// What the outside is told; the raw value is keepalived's word for it in scripts and FIFO.
    ///
    /// The priority that goes with it is the router's after the event.
    public enum Transition: String, Hashable, Sendable, CaseIterable {
        case master = "MASTER"
        case backup = "BACKUP"
        case fault = "FAULT"
        case stop = "STOP"
        case deleted = "DELETED"
        /// Not a change: a master has heard another one that must give way.
        case masterHeardLowerPriority = "MASTER_RX_LOWER_PRI"
        /// Not a change of state: for `notify_priority_changes`.
        case masterPriority = "MASTER_PRIORITY"
        /// The same in any other state.
        case backupPriority = "BACKUP_PRIORITY"
    }

    /// Why a router cannot take part. It is in FAULT while there is any.
    ///
    /// The two `awaiting…` are milder: while there is nothing worse the router has not decided yet,
    /// and is in `.pending` instead.
    public enum Fault: Hashable, Sendable {
        /// The interface is down, has lost its carrier or is gone.
        case link
        /// The interface has no address to send from.
        case sourceAddress
        /// `track_interface` without weight.
        case trackedInterface(String)
        /// `track_script` without weight.
        case trackedScript(String)
        /// `track_file`, by its value.
        case trackedFile(String)
        /// `track_process` without weight.
        case trackedProcess(String)
        /// Another host defends the source address.
        case addressConflict
        /// `unicast_fault_no_peers`.
        case noUnicastPeers
        /// What is configured can be started, but must not run.
        case configuration
        /// The interface of the virtual MAC cannot be made.
        case virtualMAC
        /// A member of its `SyncGroup` has a fault.
        case group
        /// A tracked script has not answered yet.
        case awaitingScript(String)
        /// A member of its `SyncGroup` awaits such an answer.
        case awaitingGroup

        /// Whether this is an answer that is still out, and not a fault proper.
        public var isAwaiting: Bool {
            switch self {
            case .awaitingScript, .awaitingGroup: true
            case .link, .sourceAddress, .trackedInterface, .trackedScript, .trackedFile,
                .trackedProcess, .addressConflict, .noUnicastPeers, .configuration, .virtualMAC,
                .group:
                false
            }
        }

        /// Whether it is in the configuration, whatever happens.
        public var isConfigured: Bool { self == .noUnicastPeers || self == .configuration }

        /// Whether the router's group has imposed it.
        public var isOfGroup: Bool { self == .group || self == .awaitingGroup }
    }

    /// What a reload has made of an instance.
    public struct Reconfiguration: Equatable, Sendable {
        /// What is in force now.
        public var configuration: Configuration
        /// The priority in force with the weights of what is tracked now.
        public var effectivePriority: UInt8
        /// Whether there is an address to move, advertised or not, that this router had not before
        /// (or had on another interface).
        public var addsAddresses: Bool

        /// - Parameter effectivePriority: nil for the configured one.
        public init(
            _ configuration: Configuration, effectivePriority: UInt8? = nil,
            addsAddresses: Bool = false
        ) {
            self.configuration = configuration
            self.effectivePriority = effectivePriority ?? configuration.priority
            self.addsAddresses = addsAddresses
        }
    }

    /// What a `SyncGroup` has to know of its member.
    public enum Standing: Hashable, Sendable {
        /// It awaits an answer of its own.
        case pending
        /// It has a fault of its own.
        case faulty
        /// It is no master, and there is nothing of its own in the way.
        case able
        /// So too, and it would be master already if it were alone.
        case candidate
        /// It is master.
        case master
    }
}
