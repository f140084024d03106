import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import VRRP

// What the router's actions do to the machine.

extension InstanceRunner {
    /// Does what the router says.
    func perform(_ action: VirtualRouter.Action) {
        switch action {
        case .sendAdvertisement(let priority): advertise(priority)
        case .addAddresses:
            objects.set()
            if hasVirtualInterfaces { machine.virtualInterfaces.setMaster(true, for: name) }
        case .removeAddresses: removeAddresses()
        case .restoreAddresses: objects.set()
        case .replaceAddresses:
            objects.reconfigure(instance, placement)
            objects.confirm()
        case .announceAddresses(let count): owner.announce(self, count: count)
        case .transition(let transition):
            note(transition)
            owner.transition(transition, of: self)
            switch transition {
            case .backup: makeReady()
            case .master: endReadiness()
            default: break
            }
        case .log(.startedInFault) where lacksOnlyWrittenSource:
            // keepalived finds it out when it opens the sockets.
            log.line("(\(name)) \(LogMessage.enteredFault)")
        case .log(let message):
            // Of what is sent at the way to FAULT keepalived counts what it says.
            if message == .sentResignation { statistics.resignationsSent += 1 }
            log.write(message.isDetail ? .detail : .info) { [name] in "(\(name)) \(message)" }
        }
    }

    /// Makes, while there is time, what a takeover needs at once.
    private func makeReady() {
        objects.prepare()
        _ = frames()
        guard let source = router.sourceAddress else { return }
        sender.prepare(
            router.configuration.advertisement(priority: router.priority), from: source)
    }

    /// Does of a takeover what has no effect.
    func rehearse(_ deadline: MonotonicInstant) {
        var twin = router
        _ = twin.handle(.timer, now: deadline)
        makeReady()
    }

    /// Gives the memory back of what a takeover has used.
    private func endReadiness() {
        objects.unprepare()
        burst = nil
    }

    private var lacksOnlyWrittenSource: Bool {
        instance.sourceAddress != nil && router.faults == [.sourceAddress]
    }

    /// At the start those that an earlier run has left are removed, which was killed.
    private func removeAddresses() {
        if hasVirtualInterfaces { machine.virtualInterfaces.setMaster(false, for: name) }
        if objects.isSet { objects.remove() } else { objects.removeStale() }
    }

    func advertise(_ priority: UInt8) {
        guard let socket, let source = router.sourceAddress else { return }
        let isResignation = priority == Advertisement.resignationPriority
        // The configuration's part has not changed since: with that the sender does.
        let failures =
            sender.resend(priority: priority, from: source, through: socket)
            ?? sender.send(
                router.configuration.advertisement(priority: priority), from: source,
                through: socket)
        for failure in failures {
            // A farewell over a link that is down is only tried; netlink has said why.
            if isResignation, failure.saysLinkIsDown { continue }
            log.line(failure.line(for: name))
        }
        statistics.advertisementsSent += 1
    }
}

// MARK: What interfaces mean for an instance

extension InstanceRunner {
    /// Whether that interface's state, addresses or existence matter to this instance.
    func isConcerned(by interface: InterfaceName) -> Bool {
        interface == instance.interface || interface == instance.virtualInterface?.name
            || priority.tracked.contains(.interface(interface.text))
    }

    /// The interfaces that it tracks, besides its own.
    var trackedInterfaces: [InterfaceName] {
        priority.tracked.compactMap { tracked in
            guard case .interface(let text) = tracked else { return nil }
            return InterfaceName(text).flatMap { $0 == instance.interface ? nil : $0 }
        }
    }

    /// Tells the router what has changed about the interfaces.
    ///
    /// - Parameters:
    ///   - vanished: the interfaces that went meanwhile, be they there again or not.
    ///   - virtual: the addresses that instances move, and that are no interface's own.
    ///   - report: takes keepalived's lines about interfaces, which every instance on one has the
    ///     same of.
    func refresh(
        vanished: Set<InterfaceName>, virtual: Set<PlacedAddress>,
        report: (InterfaceReport) -> Void
    ) {
        let table = machine.kernel.interfaces
        let name = instance.interface
        let isUp = instance.ignoresOwnInterface ? table[name] != nil : machine.isUp(name)
        // An interface that went down still tells what the source of the farewell was.
        if !isUp || vanished.contains(name), router.isLinkUp {
            if router.state != .initialize { report(.link(name, isUp: false)) }
            deliver(.faultRaised(.link))
        }
        let comesUp = isUp && !router.isLinkUp
        if comesUp { report(.link(name, isUp: true)) }
        refreshVirtualInterface(table, vanished)
        refreshSource(table, virtual, report)
        for tracked in priority.tracked {
            guard case .interface(let text) = tracked, let other = InterfaceName(text) else {
                continue
            }
            // What is there again by now has lost its addresses all the same.
            if vanished.contains(other) {
                update(tracked, .failing) { report(.link(other, isUp: false)) }
            }
            let isUp = machine.isUp(other)
            update(tracked, .init(isWell: isUp)) { report(.link(other, isUp: isUp)) }
        }
        if comesUp { deliver(.faultCleared(.link)) }
    }

    private func refreshVirtualInterface(
        _ table: InterfaceTable, _ vanished: Set<InterfaceName>
    ) {
        guard let own = instance.virtualInterface else { return }
        if vanished.contains(own.name), !router.faults.contains(.virtualMAC) {
            deliver(.faultRaised(.virtualMAC))
        }
        let isThere = table[own.name] != nil
        if isThere == router.faults.contains(.virtualMAC) {
            deliver(isThere ? .faultCleared(.virtualMAC) : .faultRaised(.virtualMAC))
        }
    }

    private func refreshSource(
        _ table: InterfaceTable, _ virtual: Set<PlacedAddress>,
        _ report: (InterfaceReport) -> Void
    ) {
        let interface =
            instance.family == .v6 ? advertisingInterface : instance.interface
        let source: IPAddress? =
            if let written = instance.sourceAddress {
                isSourceThere(written, table) ? written : nil
            } else {
                table.source(instance.family, on: interface, without: virtual)
            }
        switch (source, router.hasSourceAddress) {
        case (nil, true):
            // With a link that went, it is one of the addresses that went later.
            if let lost = router.sourceAddress, instance.sourceAddress == nil, router.isLinkUp {
                report(.deassigned(lost, interface))
            }
            deliver(.sourceAddressLost)
        case (let source?, let hadOne) where !hadOne || source != router.sourceAddress:
            if !hadOne, instance.sourceAddress == nil { report(.assigned(source, interface)) }
            deliver(.sourceAddressAssigned(source))
        case (_?, _), (nil, false): break
        }
    }

    /// Whether the written source can be used. Multicast needs no such address on the machine;
    /// unicast binds to it, and `track_src_ip` minds when it goes.
    private func isSourceThere(_ source: IPAddress, _ table: InterfaceTable) -> Bool {
        guard isUnicast || instance.tracksSourceAddress else { return true }
        let isThere = table.names.contains { name in
            (isUnicast || name == instance.interface)
                && table[name]?.addresses.contains { $0.address.address == source } ?? false
        }
        if isThere { hasSeenSource = true }
        // keepalived does not ask for it at the start.
        return isThere || !isUnicast && !hasSeenSource
    }

    /// Gives up or puts back what somebody has taken away.
    func verify(_ report: KernelShell.Report) {
        guard isMaster, machine.kernel.interfaces.isUp(instance.interface) else { return }
        let missing = objects.missing(report)
        guard !missing.isEmpty else { return }
        for object in missing {
            guard case .address(let address, let name) = object else { continue }
            log.detail(
                "Netlink reflector reports IP \(address.address.address) removed from \(name)")
        }
        deliver(.addressRemoved)
    }
}
