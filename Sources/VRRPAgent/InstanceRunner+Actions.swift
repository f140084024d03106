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
        guard let socket, case .v4(let source)? = router.sourceAddress else { return }
        identification &+= 1
        var destinations = instance.unicastPeers.compactMap { peer in
            if case .v4(let peer) = peer { peer } else { nil }
        }
        if destinations.isEmpty { destinations = [Advertisement.group] }
        let advertisement = router.configuration.advertisement(priority: priority)
        for destination in destinations {
            do {
                let packet = try advertisement.ipv4Packet(
                    from: source, to: destination, identification: identification)
                try socket.send(packet, to: destination)
            } catch let error as SystemError
                where priority == Advertisement.resignationPriority && !router.isLinkUp
            {
                // A farewell over a link that is down is only tried; netlink has said why.
                log.detail("(\(instance.name)) \(error)")
            } catch {
                log.line("(\(instance.name)) send advert error: \(error)")
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
                // Gap: unsolicited neighbour advertisements (RFC 9568 §8.2.2) are not sent yet.
                guard case .v4(let announced) = address.address.address else { continue }
                announce(announced, on: address.interface, isFirst: round == 0)
            }
        }
    }

    private func announce(_ address: IPv4Address, on name: InterfaceName, isFirst: Bool) {
        guard let interface = interfaces[name] else { return }
        if isFirst {
            log.detail(
                "(\(instance.name)) Sending/queueing gratuitous ARPs on \(name) for \(address)")
        }
        // The loopback has an address of zeros and nobody to tell.
        guard let mac = interface.mac, mac.rawValue != 0 else { return }
        log.detail("Sending gratuitous ARP on \(name) for \(address)")
        do throws(SystemError) {
            try machine.announce(address, at: mac, by: interface.device)
        } catch {
            log.line("Error sending gratuitous ARP on \(name) for \(address): \(error)")
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
