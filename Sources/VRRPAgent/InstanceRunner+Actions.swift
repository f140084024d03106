import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import VRRP

// What the router's actions do to the machine.

extension InstanceRunner {
    /// Does what the router says.
    func perform(_ action: VirtualRouter.Action) {
        switch action {
        case .sendAdvertisement(let priority): advertise(priority)
        case .addAddresses, .restoreAddresses, .replaceAddresses: addAddresses()
        case .removeAddresses: removeAddresses()
        case .announceAddresses(let count): announce(count)
        case .transition: break
        case .log(let message) where message.isDetail: log.detail("(\(instance.name)) \(message)")
        case .log(let message): log.line("(\(instance.name)) \(message)")
        }
    }

    private func advertise(_ priority: UInt8) {
        guard let socket, let source = router.sourceAddress else { return }
        let advertisement = router.configuration.advertisement(priority: priority)
        let isFarewell = priority == Advertisement.resignationPriority
        for failure in sender.send(advertisement, from: source, through: socket) {
            let line = failure.line(for: instance.name)
            if isFarewell, !router.isLinkUp, failure.saysLinkIsDown {
                // A farewell over a link that is down is only tried; netlink has said why.
                log.detail(line)
            } else {
                log.line(line)
            }
        }
    }

    private func addAddresses() {
        if !instance.virtualAddresses.isEmpty {
            log.detail("(\(instance.name)) setting VIPs.")
            change(instance.virtualAddresses, tolerating: [.fileExists], Request.add)
        }
        if !instance.excludedAddresses.isEmpty {
            log.detail("(\(instance.name)) setting E-VIPs.")
            change(instance.excludedAddresses, tolerating: [.fileExists], Request.add)
        }
    }

    private func removeAddresses() {
        // The address is not there, or the device is not (ENODEV).
        let absent: Set<Errno> = [.addressNotAvailable, .operationNotSupportedByDevice]
        if !instance.virtualAddresses.isEmpty {
            log.detail("(\(instance.name)) removing VIPs.")
            change(instance.virtualAddresses, tolerating: absent, Request.remove)
        }
        if !instance.excludedAddresses.isEmpty {
            log.detail("(\(instance.name)) removing E-VIPs.")
            change(instance.excludedAddresses, tolerating: absent, Request.remove)
        }
    }

    /// Asks the kernel for the same change of several addresses at once.
    private func change(
        _ addresses: [VirtualAddress], tolerating codes: Set<Errno>,
        _ request: (VirtualAddress, Device) throws(NetlinkError) -> Request
    ) {
        var requests: [Request] = []
        for address in addresses {
            // Gone with its addresses: there is nothing to change.
            guard let device = interfaces[address.interface]?.device else { continue }
            do throws(NetlinkError) {
                requests.append(try request(address, device))
            } catch {
                log.line("(\(instance.name)) \(error)")
            }
        }
        for error in machine.attempt(requests, tolerating: codes) {
            log.line("(\(instance.name)) \(error)")
        }
    }

    private func announce(_ count: Int) {
        for round in 0..<count {
            // A better router may have taken the addresses meanwhile. What is announced after it
            // has announced them itself leads everybody here, where nobody answers any more, until
            // its second burst: seen for 5 s when this process lost the CPU between two rounds.
            takeWaitingPackets()
            guard isMaster else { return }
            for address in addresses {
                announce(address.address.address, on: address.interface, isFirst: round == 0)
            }
        }
    }

    private func announce(_ address: IPAddress, on name: InterfaceName, isFirst: Bool) {
        guard let interface = interfaces[name] else { return }
        if isFirst {
            log.detail("(\(instance.name)) \(Announcer.burstLine(address, on: name))")
        }
        let outlet = Announcer.Outlet(
            name: name, device: interface.device.index, mac: interface.mac)
        guard Announcer.canAnnounce(by: outlet) else { return }
        log.detail(Announcer.frameLine(address, on: name))
        do throws(SystemError) {
            try machine.announcer.announce(address, by: outlet)
        } catch {
            log.line(Announcer.errorLine(error, address, on: name))
        }
    }
}

extension Request {
    fileprivate static func add(
        _ address: VirtualAddress, _ device: Device
    ) throws(NetlinkError) -> Request {
        try .add(
            address.address, to: device, label: address.label,
            scope: Scope(rawValue: address.scope.rawValue), broadcast: address.broadcast)
    }

    fileprivate static func remove(
        _ address: VirtualAddress, _ device: Device
    ) throws(NetlinkError) -> Request {
        try .remove(address.address, from: device)
    }
}
