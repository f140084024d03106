import NetworkTypes

/// An instance as far as it is written.
struct InstanceDraft {
    var name: String
    var position: SourcePosition
    var interface: InterfaceName?
    var interfacePosition: SourcePosition?
    /// Those that a later line replaced.
    var replacedInterfaces: [InterfaceMention] = []
    var virtualRouterID: UInt8?
    var virtualRouterIDPosition: SourcePosition?
    var version: VRRPInstance.Version?
    var versionPosition: SourcePosition?
    /// The family of the first address that is written.
    var family: IPAddress.Family?
    var state: VRRPInstance.InitialState?
    var statePosition: SourcePosition?
    var priority: UInt8?
    var priorityPosition: SourcePosition?
    var advertisementInterval: Duration = .seconds(1)
    var intervalPosition: SourcePosition?
    var nopreemptPosition: SourcePosition?
    var preemptDelay: Duration = .zero
    var preemptDelayPosition: SourcePosition?
    var authenticationPosition: SourcePosition?
    var authenticationType: AuthenticationType?
    var password: [UInt8] = []
    var virtualAddresses: [VirtualAddressDraft] = []
    var excludedAddresses: [VirtualAddressDraft] = []
    var garp = AnnouncementDraft()
    var extraAnnouncementInterval: Duration?
    var announcesOnAllInterfaces = false
    var sourceAddress: IPAddress?
    var tracksSourceAddress = false
    var multicastGroup: IPAddress?
    var multicastGroupPosition: SourcePosition?
    var unicastPosition: SourcePosition?
    var unicastPeers: [IPAddress] = []
    var unicastPeerTimesToLive: [ClosedRange<UInt8>?] = []
    var unicastTimeToLive: UInt8?
    var unicastTimeToLivePosition: SourcePosition?
    var checksUnicastSource = false
    var faultsWithoutPeer = false
    var unicastChecksum = VRRPInstance.UnicastChecksum.current
    var checksumOmitsPseudoHeader = false
    var skipsAddressCheck: Bool?
    var acceptsPackets: Bool?
    var acceptPosition: SourcePosition?
    var isStrict: Bool?
    var masterDownAdvertisements: Int?
    var ignoresLowerPriority: Bool?
    var advertisesBeforeYielding: Bool?
    var ignoresOwnInterface = false
    var tracked = TrackedLists()
    var virtualRoutes: [RouteDefinition] = []
    var virtualRules: [RuleDefinition] = []
    var notify = VRRPInstance.NotifyCommands()
    var notifiesDeletion = false
    var notifiesPriorityChanges: Bool?
    var smtpAlert: Bool?
    var promotesSecondariesPosition: SourcePosition?
    var virtualInterface: VirtualInterfaceDraft?
    var transmitsFromBasePosition: SourcePosition?
    var coversOtherInterfaces = false
    var vrfPosition: SourcePosition?

    enum AuthenticationType { case password, header }
}

/// `use_vmac` or `use_ipvlan` as written.
struct VirtualInterfaceDraft {
    var kind: VRRPInstance.VirtualInterface.Kind
    var name: InterfaceName?
    var address: MACAddress?
    /// Whether the address was written with five octets: the sixth is the VRID.
    var endsInVirtualRouterID = false
    var interfaceAddress: InterfaceAddress?
    var mode: VRRPInstance.VirtualInterface.IPVLANMode?
    var position: SourcePosition
}

/// What an instance or a group tracks.
struct TrackedLists {
    var interfaces: [VRRPInstance.TrackedInterface] = []
    var scripts: [VRRPInstance.TrackedScript] = []
    var files: [VRRPInstance.TrackedObject] = []
    var processes: [VRRPInstance.TrackedObject] = []
}

extension InstanceDraft {
    /// The interfaces that it names.
    var mentions: [InterfaceMention] {
        let own = interface.map {
            InterfaceMention($0, at: interfacePosition ?? position, ofInstance: name)
        }
        let others = (virtualAddresses + excludedAddresses).compactMap { address in
            address.device.map {
                InterfaceMention($0, at: address.position, of: address.address)
            }
        }
        return (own.map { [$0] } ?? []) + others
    }
}
