import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import VRRP

/// One `vrrp_instance`: hands its router what happens and does what the router says.
final class InstanceRunner {
    /// What was configured.
    let instance: VRRPInstance
    private(set) var router: VirtualRouter
    /// The interfaces it uses, as they were when they were last looked at.
    private(set) var interfaces: [InterfaceName: Machine.Interface] = [:]
    /// What to send advertisements through; nil while there is no interface.
    var socket: VRRPSocket?

    /// Takes what has arrived for the socket since it was last looked at.
    var takeWaitingPackets: () -> Void = {}

    let machine: Machine
    let log: Log
    /// Sends the router's advertisements.
    var sender: AdvertisementSender
    /// Who the last accepted advertisement came from.
    private var lastSender: IPAddress?

    init(_ instance: VRRPInstance, machine: Machine, log: Log) throws(UnsupportedInstance) {
        self.instance = instance
        self.machine = machine
        self.log = log
        router = VirtualRouter(try instance.routerConfiguration())
        sender = AdvertisementSender(
            to: instance.unicastPeers.isEmpty
                ? .group(.v4(Advertisement.group)) : .peers(instance.unicastPeers))
    }

    /// Whether that instance asks for what this one does, wherever in the file it stands.
    func runs(_ other: VRRPInstance) -> Bool {
        var other = other
        // Of an address only its place in the file is not acted on.
        func unplaced(_ addresses: [VirtualAddress]) -> [VirtualAddress] {
            addresses.map { address in
                var address = address
                address.position = instance.position
                return address
            }
        }
        other.virtualAddresses = unplaced(other.virtualAddresses)
        other.excludedAddresses = unplaced(other.excludedAddresses)
        return (try? other.routerConfiguration()) == router.configuration
            && other.interface == instance.interface
            && other.virtualAddresses == unplaced(instance.virtualAddresses)
            && other.excludedAddresses == unplaced(instance.excludedAddresses)
            && other.sourceAddress == instance.sourceAddress
            && other.unicastPeers == instance.unicastPeers
            && other.skipsAddressCheck == instance.skipsAddressCheck
            && other.ignoresOwnInterface == instance.ignoresOwnInterface
    }

    var isUnicast: Bool { !instance.unicastPeers.isEmpty }

    /// The pair of sockets that this instance needs; nil while there is no interface.
    var socketKey: VRRPSocket.Key? {
        guard let interface = interfaces[instance.interface],
            let source = router.sourceAddress
        else { return nil }
        return VRRPSocket.Key(
            device: interface.device.index,
            endpoint: isUnicast
                ? .unicast(source: source) : .multicast(group: .v4(Advertisement.group)))
    }

    var isMaster: Bool { router.isMaster }

    /// Every address the instance moves, and the interface each belongs on.
    var addresses: [VirtualAddress] {
        instance.virtualAddresses + instance.excludedAddresses
    }

    /// Hands the router an event and does what it says.
    func deliver(_ event: VirtualRouter.Event, now: MonotonicInstant = MonotonicClock.now) {
        for action in router.handle(event, now: now) { perform(action) }
    }

    // MARK: The interface

    /// Tells the router what has changed about the interfaces.
    ///
    /// - Parameters:
    ///   - interfaces: all there are.
    ///   - isVirtual: whether an address is one that some instance moves, and so cannot be the
    ///     interface's own.
    ///   - report: takes keepalived's lines about interfaces, which every instance on one has the
    ///     same of.
    func refresh(
        _ interfaces: [InterfaceName: Machine.Interface], isVirtual: (IPAddress) -> Bool,
        report: (InterfaceReport) -> Void
    ) {
        let name = instance.interface
        self.interfaces = interfaces
        let interface = interfaces[name]
        let isUp = instance.ignoresOwnInterface ? interface != nil : interface?.isUp ?? false
        verifyAddresses()
        // An interface that went down still tells what the source of the farewell was.
        if !isUp, router.isLinkUp {
            report(.link(name, isUp: false))
            deliver(.faultRaised(.link))
        }
        let source =
            instance.sourceAddress
            ?? interface.flatMap { interface in
                interface.addresses.map(\.address).first { $0.family == .v4 && !isVirtual($0) }
            }
        switch (source, router.hasSourceAddress) {
        case (nil, true):
            if let lost = router.sourceAddress { report(.deassigned(lost, name)) }
            deliver(.sourceAddressLost)
        case (let source?, let hadOne) where !hadOne || source != router.sourceAddress:
            if !hadOne { report(.assigned(source, name)) }
            deliver(.sourceAddressAssigned(source))
        case (_?, _), (nil, false): break
        }
        if isUp, !router.isLinkUp {
            report(.link(name, isUp: true))
            deliver(.faultCleared(.link))
        }
    }

    /// Gives the addresses up when somebody has taken one of them away.
    private func verifyAddresses() {
        // With its interface they all go, which is told as what it is.
        guard case .master = router.state, interfaces[instance.interface]?.isUp ?? false else {
            return
        }
        for address in addresses where address.isTracked {
            guard let interface = interfaces[address.interface],
                !interface.addresses.contains(address.address)
            else { continue }
            log.detail(
                "Netlink reflector reports IP \(address.address.address) removed from "
                    + "\(address.interface)")
            deliver(.addressRemoved)
            return
        }
    }

    // MARK: Reception

    /// Takes a packet that carries this instance's VRID.
    func receive(_ received: ReceivedAdvertisement) {
        let expected = router.configuration.advertisement(priority: router.priority)
        let isKnownSender = received.source == lastSender
        do throws(AdvertisementError) {
            let advertisement = try received.validated(
                against: .init(
                    expected, isUnicast: isUnicast,
                    comparesAddresses: !(instance.skipsAddressCheck && isKnownSender && !isMaster)))
            lastSender = received.source
            deliver(.advertisement(advertisement, from: received.source))
        } catch {
            log.line("(\(instance.name)) \(error)")
        }
    }
}
