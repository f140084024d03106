import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import VRRP

/// One `vrrp_instance`: hands its router what happens and does what the router says.
final class InstanceRunner {
    /// What was configured.
    private(set) var instance: VRRPInstance
    private(set) var router: VirtualRouter
    /// What its tracked things make of its priority.
    private(set) var priority: EffectivePriority
    /// Its addresses, routes and rules in the kernel.
    let objects: InstanceObjects
    /// What it was told by the rest of the configuration.
    private var setting: InstanceSetting
    /// Where its addresses go.
    private(set) var placement: AddressPlacement
    /// Whether some of them go on an interface that is made for them.
    private(set) var hasVirtualInterfaces: Bool
    /// The pair of sockets it is at, with others; nil while there is no interface.
    var attended: SocketRunner?
    /// What to send advertisements through; nil while there is no interface.
    var socket: VRRPSocket? { attended?.socket }
    var sender: AdvertisementSender
    /// What its owner has arranged to be woken by, at the deadline or before it.
    var timer: (deadline: MonotonicInstant, id: EventLoop.TimerID)?
    /// What that timer does: made once, for it is set with every advertisement that is sent.
    private(set) var ring: () -> Void = {}
    /// Whether the written source was ever on the interface, as `track_src_ip` asks.
    var hasSeenSource = false
    /// What announces its addresses as long as the interfaces are of that generation.
    var burst: (frames: [Announcer.Frame], generation: UInt64)?
    /// What it accepts, but for what changes with every packet.
    private var acceptance: ReceivedAdvertisement.Expectation { didSet { lastAccepted = nil } }
    /// What it accepted last: the same is accepted again.
    private var lastAccepted: AcceptedPacket?
    let machine: Machine
    let log: Log
    unowned let owner: any InstanceOwner
    /// What the router has said to do and is not done yet.
    private var actions: [VirtualRouter.Action] = []
    private var isPerforming = false
    /// Whether it waited for an answer until the last event.
    private(set) var wasPending = false
    /// How it stood when its owner was last told.
    private var toldStanding = VirtualRouter.Standing.faulty

    // MARK: What the dumps tell

    var statistics = Statistics()
    /// When the state last changed, in nanoseconds since 1970.
    private(set) var lastTransition: Int64 = 0
    /// The state that it was in or told to be in last.
    private(set) var wantedState: InstanceReport.State
    /// Who was heard last as a backup, but for who resigned; as keepalived's, whoever a master has
    /// yielded to is not known before that is heard again.
    private(set) var masterAddress: IPAddress?

    /// - Parameter setting: what is decided outside the instance.
    init(
        _ instance: VRRPInstance, _ setting: InstanceSetting, placement: AddressPlacement,
        machine: Machine, owner: any InstanceOwner
    ) throws(UnsupportedInstance) {
        self.instance = instance
        self.setting = setting
        self.placement = placement
        hasVirtualInterfaces = !placement.plans(for: instance).isEmpty
        self.machine = machine
        self.owner = owner
        log = machine.log
        let configuration = try instance.routerConfiguration(setting)
        router = VirtualRouter(configuration)
        priority = setting.priority(base: instance.priority)
        objects = InstanceObjects(
            instance, placement: placement, kernel: machine.kernel, firewall: machine.filter,
            log: log)
        sender = AdvertisementSender(instance, setting)
        acceptance = instance.acceptance(configuration, sender.checksum)
        wantedState = instance.initialState == .master ? .master : .backup
        ring = { [unowned self] in self.owner.timerRang(for: self) }
    }

    var name: String { instance.name }
    var isUnicast: Bool { !instance.unicastPeers.isEmpty }
    var isMaster: Bool { router.isMaster }

    /// The interface that advertisements enter and leave by: the instance's own macvlan, unless it
    /// sends from the one below or to peers.
    var advertisingInterface: InterfaceName {
        guard let own = instance.virtualInterface, !own.transmitsFromBase, !isUnicast else {
            return instance.interface
        }
        return own.name
    }

    /// The pair of sockets that this instance needs; nil while there is no interface, or no source
    /// for unicast.
    var socketKey: VRRPSocket.Key? {
        guard let device = machine.kernel.device(advertisingInterface),
            case .group(let group) = sender.destinations
        else { return unicastKey }
        return VRRPSocket.Key(
            device: device.index, ipProtocol: instance.carrierProtocol,
            endpoint: .multicast(group: group))
    }

    private var unicastKey: VRRPSocket.Key? {
        guard isUnicast, router.hasSourceAddress, let source = router.sourceAddress,
            let device = machine.kernel.device(instance.interface)
        else { return nil }
        return VRRPSocket.Key(
            device: device.index, ipProtocol: instance.carrierProtocol,
            endpoint: .unicast(source: source))
    }

    // MARK: Events

    /// Hands the router an event and does what it says.
    ///
    /// An event that comes while actions are performed, as packets do that are looked at between
    /// two rounds of announcements, has its effect on the router at once; what is to be done about
    /// it comes after what was to be done before.
    func deliver(_ event: VirtualRouter.Event, now: MonotonicInstant = MonotonicClock.now) {
        let wasMaster = router.isMaster
        wasPending = router.state == .pending
        let next =
            if let interposer = machine.interposer {
                interposer.handle(event, by: &router, now: now)
            } else {
                router.handle(event, now: now)
            }
        if wasMaster, !router.isMaster { statistics.releasedMaster += 1 }
        if isPerforming {
            actions += next
            return
        }
        // An advertisement that a backup hears has it do nothing.
        if !next.isEmpty { perform(next) }
        owner.deadlineChanged(of: self, to: router.deadline, now: now)
        let standing = router.standing
        guard standing != toldStanding else { return }
        toldStanding = standing
        owner.standingChanged(of: self)
    }

    /// Advertises when that is all there is to do.
    ///
    /// - Returns: whether it is; if not, nothing was done.
    func advertiseOnTime(_ now: MonotonicInstant) -> Bool {
        guard let due = router.advertiseOnTime(at: now) else { return false }
        advertise(due.priority)
        owner.deadlineChanged(of: self, to: due.deadline, now: now)
        return true
    }

    private func perform(_ first: [VirtualRouter.Action]) {
        isPerforming = true
        // What is told comes after what is done: a line before the first advertisement is time in
        // which the addresses have no owner.
        log.withoutWriting {
            var next = first
            while !next.isEmpty {
                for action in next { perform(action) }
                next = actions
                actions = []
            }
        }
        isPerforming = false
    }

    /// Takes what is the matter with something that is tracked.
    ///
    /// - Parameter report: called before anything is done about it, when that is news.
    func update(
        _ tracked: EffectivePriority.Tracked, _ condition: EffectivePriority.Condition,
        report: () -> Void = {}
    ) {
        let events = priority.update(tracked, condition)
        if !events.isEmpty, router.state != .initialize { report() }
        for event in events {
            if router.state != .initialize, case .file(let file) = tracked {
                switch event {
                case .faultRaised: log.detail("(\(name)): tracked file \(file) now FAULT state")
                case .faultCleared:
                    log.detail("(\(name)): tracked file \(file) leaving FAULT state")
                default: break
                }
            }
            deliver(event)
        }
    }

    /// Looks at everything that it tracks.
    ///
    /// - Parameter condition: how something is now; nil: that is not known.
    func updateTracked(
        _ condition: (EffectivePriority.Tracked) -> EffectivePriority.Condition?
    ) {
        for tracked in priority.tracked {
            if let condition = condition(tracked) { update(tracked, condition) }
        }
    }

    /// Goes on with another configuration of the same virtual router.
    ///
    /// - Parameter condition: how something that is tracked is now; nil: that is not known.
    func reconfigure(
        _ next: VRRPInstance, _ nextSetting: InstanceSetting,
        placement nextPlacement: AddressPlacement,
        condition: (EffectivePriority.Tracked) -> EffectivePriority.Condition?
    ) throws(UnsupportedInstance) {
        // Of a thousand instances a reload rarely changes more than one.
        guard next != instance || nextSetting != setting || nextPlacement != placement else {
            objects.confirm()
            return updateTracked(condition)
        }
        let configuration = try next.routerConfiguration(nextSetting)
        let addsAddresses = !Set(next.movedObjects).isSubset(of: instance.movedObjects)
        let old = instance.writtenFaults
        (instance, setting, placement) = (next, nextSetting, nextPlacement)
        hasVirtualInterfaces = !placement.plans(for: instance).isEmpty
        if hasVirtualInterfaces { machine.virtualInterfaces.setMaster(isMaster, for: name) }
        var events = priority.replace(with: setting.priority(base: next.priority))
        for tracked in priority.tracked {
            if let condition = condition(tracked) { events += priority.update(tracked, condition) }
        }
        sender.reconfigure(AdvertisementSender(next, setting))
        burst = nil
        acceptance = next.acceptance(configuration, sender.checksum)
        deliver(
            .reconfigured(
                VirtualRouter.Reconfiguration(
                    configuration, effectivePriority: priority.value,
                    addsAddresses: addsAddresses)))
        objects.reconfigure(next, placement)
        let written = Set(next.writtenFaults)
        for fault in Set(old).subtracting(written) { deliver(.faultCleared(fault)) }
        for fault in written { deliver(.faultRaised(fault)) }
        for event in events {
            // The priority has gone with the configuration.
            if case .priorityChanged = event { continue }
            deliver(event)
        }
    }

    /// Notes a transition for the dumps.
    func note(_ transition: VirtualRouter.Transition) {
        let state: InstanceReport.State
        switch transition {
        case .master:
            state = .master
            statistics.becameMaster += 1
        case .backup: state = .backup
        case .fault: state = .fault
        case .stop, .deleted: state = .initialize
        case .masterHeardLowerPriority, .masterPriority, .backupPriority: return
        }
        // What it begins as is not what it wants to be, nor what its configuration makes of it.
        let isFirst = lastTransition == 0
        let isConfigured = state == .fault && router.faults.allSatisfy(\.isConfigured)
        if !isFirst || (state != .backup && !isConfigured) { wantedState = state }
        lastTransition = MonotonicClock.realtimeNanoseconds
    }

    // MARK: Reception

    /// Takes a packet, that was there at `now`, if it says the same as the one accepted last.
    ///
    /// - Returns: whether it does.
    func hears(
        _ packet: VRRPSocket.Packet, in buffer: [UInt8], now: MonotonicInstant
    ) -> Bool {
        guard let lastAccepted, lastAccepted.packet.isRepeated(by: packet, in: buffer) else {
            return false
        }
        let advertisement = lastAccepted.advertisement
        if let deadline = router.hearAgain(
            priority: advertisement.priority, interval: advertisement.interval, at: now)
        {
            statistics.count(advertisement)
            masterAddress = lastAccepted.packet.source
            owner.deadlineChanged(of: self, to: deadline, now: now)
        } else if isListening {
            accept(lastAccepted, now)
        }
        return true
    }

    /// Whether advertisements mean anything to it. What comes in FAULT is not even looked at, nor
    /// counted, as in keepalived.
    private var isListening: Bool {
        switch router.state {
        case .backup, .master: true
        case .initialize, .pending, .fault: false
        }
    }

    /// Takes a packet that carries this instance's VRID, and that was there at `now`.
    func receive(_ received: ReceivedAdvertisement, now: MonotonicInstant) {
        guard isListening else { return }
        do throws(AdvertisementError) {
            let expectation = expectation(of: received)
            let advertisement = try received.validated(against: expectation)
            let accepted = AcceptedPacket(received, advertisement)
            // With its addresses compared, it is right whatever becomes of this instance.
            lastAccepted = expectation.comparesAddresses ? accepted : nil
            if let number = received.sequenceNumber {
                sender.sequence.accepted(number, from: received.source)
            }
            accept(accepted, now)
        } catch {
            statistics.count(error)
            log.line("(\(instance.name)) \(error)")
        }
    }

    private func accept(_ accepted: AcceptedPacket, _ now: MonotonicInstant) {
        let (sender, advertisement) = (accepted.packet.source, accepted.advertisement)
        statistics.count(advertisement)
        if !isMaster, advertisement.priority != Advertisement.resignationPriority {
            masterAddress = sender
        }
        deliver(.advertisement(advertisement, from: sender), now: now)
    }

    private func expectation(
        of received: ReceivedAdvertisement
    ) -> ReceivedAdvertisement.Expectation {
        var expectation = acceptance
        if instance.skipsAddressCheck, !isMaster, masterAddress == received.source {
            expectation.comparesAddresses = false
        }
        expectation.lastSequenceNumber = sender.sequence.last(from: received.source)
        return expectation
    }
}

/// A packet that has passed all checks, and what it says. A class, for it is looked at far more
/// often than made.
private final class AcceptedPacket {
    let packet: ReceivedAdvertisement
    let advertisement: Advertisement

    init(_ packet: ReceivedAdvertisement, _ advertisement: Advertisement) {
        self.packet = packet
        self.advertisement = advertisement
    }
}

/// Who an instance belongs to, and what it needs of them.
protocol InstanceOwner: AnyObject {
    /// Its router may wait for another moment now; nil: for nothing.
    func deadlineChanged(
        of runner: InstanceRunner, to deadline: MonotonicInstant?, now: MonotonicInstant)
    /// The timer that its owner has set has run.
    func timerRang(for runner: InstanceRunner)
    /// Its sync group has to know how it stands.
    func standingChanged(of runner: InstanceRunner)
    /// Whoever asked to be told is to be told.
    func transition(_ transition: VirtualRouter.Transition, of runner: InstanceRunner)
    /// Its addresses are to be announced that many times.
    func announce(_ runner: InstanceRunner, count: Int)
}

extension InstanceRunner {
    /// What it announces, and where.
    var announcements: [AnnouncementQueue.Announcement] {
        (instance.virtualAddresses + instance.excludedAddresses).map { address in
            AnnouncementQueue.Announcement(
                owner: name, interface: objects.interface(of: address),
                address: address.address.address)
        }
    }

    /// The frames that announce its addresses where the interfaces are now.
    func frames() -> [Announcer.Frame] {
        let table = machine.kernel.interfaces
        if let burst, burst.generation == table.generation { return burst.frames }
        let frames = announcements.compactMap { announcement -> Announcer.Frame? in
            guard let interface = table[announcement.interface] else { return nil }
            return Announcer.Frame(announcement, by: Announcer.Outlet(interface))
        }
        burst = (frames, table.generation)
        return frames
    }
}

extension Announcer.Outlet {
    /// The way out by an interface.
    init(_ interface: InterfaceTable.Interface) {
        self.init(device: interface.device.index, mac: interface.mac)
    }
}
