import KeepalivedConf
import NetworkTypes
import VRRP

/// An instance that asks for what cannot be sent: it is found out at the start, not when it is its
/// turn to be master.
struct UnsupportedInstance: Error, CustomStringConvertible {
    var name: String
    var reason: String
    var description: String { "(\(name)) \(reason)" }
}

/// What an instance is told by the rest of the configuration and by the command line.
struct InstanceSetting: Equatable {
    /// The multicast group of its family.
    var group: IPAddress
    /// What it tracks.
    var weights: Tracking.Weights = [:]
    /// What its sync group tracks for it.
    var groupWeights: Tracking.Weights = [:]
    /// Whether it is in a sync group.
    var isInGroup = false
    /// Whether it is in one without `sync_group_tracking_weight`.
    var isBoundToGroup = false
    /// `vrrp_startup_delay`.
    var startupDelay: Duration = .zero
    /// `--start-as-master`: `state MASTER` means it.
    var startsAsMaster = false

    /// The setting of one of a configuration's instances.
    ///
    /// - Parameter group: the sync group it is in.
    init(
        _ instance: VRRPInstance, group syncGroup: SyncGroupDefinition?,
        in configuration: Configuration, startsAsMaster: Bool
    ) {
        let global = configuration.global
        group =
            instance.multicastGroup
            ?? (instance.family == .v4 ? .v4(global.multicastGroup4) : .v6(global.multicastGroup6))
        startupDelay = global.startupDelay
        self.startsAsMaster = startsAsMaster && instance.initialState == .master
        isInGroup = syncGroup != nil
        isBoundToGroup = syncGroup.map { !$0.usesTrackingWeights } ?? false
        weights = Tracking.weights(of: instance, configuration)
        guard let syncGroup else { return }
        groupWeights = Tracking.weights(of: [syncGroup], configuration)
        // Its own interface is tracked already, and without weight.
        if !instance.ignoresOwnInterface { groupWeights[.interface(instance.interface.text)] = nil }
    }

    /// Leaves out what cannot be tracked.
    mutating func track(only isTrackable: (EffectivePriority.Tracked) -> Bool) {
        weights = weights.filter { isTrackable($0.key) }
        groupWeights = groupWeights.filter { isTrackable($0.key) }
    }

    /// The priority of an instance of that base.
    func priority(base: UInt8) -> EffectivePriority {
        EffectivePriority(
            base: base, weights: weights, groupWeights: groupWeights,
            isBoundToGroup: isBoundToGroup)
    }
}

extension Configuration {
    /// What its instances are told by the rest of it, in their order.
    func settings(startsAsMaster: Bool) -> [InstanceSetting] {
        let groups = Dictionary(syncGroups.map { ($0.name, $0) }) { first, _ in first }
        return instances.map { instance in
            InstanceSetting(
                instance, group: instance.syncGroup.flatMap { groups[$0] }, in: self,
                startsAsMaster: startsAsMaster)
        }
    }
}

extension VRRPInstance {
    /// The router that this instance describes.
    func routerConfiguration(
        _ setting: InstanceSetting
    ) throws(UnsupportedInstance) -> VirtualRouter.Configuration {
        let authentication: Advertisement.Authentication =
            switch self.authentication {
            case nil: .none
            case .password(let octets): .password(AuthenticationPassword(truncating: octets))
            case .header(let key): .header(AuthenticationPassword(truncating: key))
            }
        let configuration = VirtualRouter.Configuration(
            name: name, version: Int(version.rawValue), family: family, vrid: virtualRouterID,
            priority: priority, advertisementInterval: advertisementInterval,
            masterDownAdvertisements: masterDownAdvertisements, preempts: !nopreempt,
            preemptionDelay: preemptDelay.unlessZero, startsAsMaster: setting.startsAsMaster,
            startupDelay: setting.startupDelay, answersLowerPriority: !ignoresLowerPriority,
            advertisesBeforeYielding: advertisesBeforeYielding, acceptMode: acceptsPackets,
            isInGroup: setting.isInGroup, notifiesDeletion: notifiesDeletion,
            addresses: virtualAddresses.map(\.address.address), authentication: authentication,
            announcements: announcements.settings)
        do throws(AdvertisementError) {
            try configuration.advertisement(priority: priority).checkEncodable(over: family)
        } catch {
            throw UnsupportedInstance(name: name, reason: "\(error)")
        }
        return configuration
    }

    /// The IP protocol that its advertisements are carried by.
    var carrierProtocol: UInt8 {
        if case .header = authentication {
            Advertisement.authenticationHeaderProtocol
        } else {
            Advertisement.ipProtocol
        }
    }

    /// The only senders it listens to; nil for anybody.
    var acceptedPeers: [ReceivedAdvertisement.UnicastPeer]? {
        let ranges = unicastPeerTimesToLive
        guard checksUnicastSource || ranges.contains(where: { $0 != nil }) else { return nil }
        return unicastPeers.enumerated().map { index, peer in
            .init(
                peer, timeToLive: (ranges.indices.contains(index) ? ranges[index] : nil) ?? 0...255)
        }
    }

    /// What it accepts of others, as the router that was made of it.
    func acceptance(
        _ configuration: VirtualRouter.Configuration, _ checksum: ChecksumRule
    ) -> ReceivedAdvertisement.Expectation {
        ReceivedAdvertisement.Expectation(
            configuration.advertisement(priority: configuration.priority),
            isUnicast: !unicastPeers.isEmpty, checksum: checksum, peers: acceptedPeers,
            requiresLinkLocalFirst: isStrict)
    }

    /// What the checksum of version 3 over IPv4 covers, both ways.
    func checksum(_ group: IPAddress) -> ChecksumRule {
        if checksumOmitsPseudoHeader { return .messageOnly }
        if unicastChecksum == .old, !unicastPeers.isEmpty, case .v4(let group) = group {
            return .groupPseudoHeader(group)
        }
        return .pseudoHeader
    }

    /// Its addresses wherever they are set, to tell new ones from old.
    var movedObjects: [KernelObject] {
        (virtualAddresses + excludedAddresses).map { KernelObject($0) }
    }

    /// What keeps it from taking part whatever its interfaces do.
    var writtenFaults: [VirtualRouter.Fault] {
        var faults: [VirtualRouter.Fault] = []
        if faultsWithoutPeer, unicastPeers.isEmpty { faults.append(.noUnicastPeers) }
        if !configurationFaults.isEmpty { faults.append(.configuration) }
        return faults
    }

    /// Whether this and another are the same virtual router, so that one can go on as the other:
    /// what tells two on the wire, and where they are. The version is not among it: a master goes
    /// on in the other, as keepalived's does. Nor is the name; but of another name, it has to be as
    /// unicast or not as this, and from the same address: of one number there may be several.
    func isSameRouter(as other: VRRPInstance) -> Bool {
        guard
            virtualRouterID == other.virtualRouterID && interface == other.interface
                && family == other.family && virtualInterface == other.virtualInterface
        else { return false }
        return name == other.name
            || unicastPeers.isEmpty == other.unicastPeers.isEmpty
                && (unicastPeers.isEmpty || sourceAddress == other.sourceAddress)
    }
}

extension AdvertisementSender {
    init(_ instance: VRRPInstance, _ setting: InstanceSetting) {
        self.init(
            to: instance.unicastPeers.isEmpty
                ? .group(setting.group) : .peers(instance.unicastPeers),
            checksum: instance.checksum(setting.group),
            unicastTimeToLive: instance.unicastTimeToLive)
    }
}

extension AnnouncementSettings {
    fileprivate var settings: VirtualRouter.AnnouncementSettings {
        VirtualRouter.AnnouncementSettings(
            masterRepeat: masterRepeat, masterDelay: masterDelay.unlessZero,
            refreshInterval: refreshInterval.unlessZero, refreshRepeat: refreshRepeat,
            lowerPriorityRepeat: lowerPriorityRepeat,
            lowerPriorityDelay: lowerPriorityDelay.unlessZero)
    }
}

extension Duration {
    /// keepalived's zero, which means never.
    fileprivate var unlessZero: Duration? { self == .zero ? nil : self }
}
