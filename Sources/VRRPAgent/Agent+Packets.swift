import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import VRRP

/// A pair of sockets, and the instances that it is for.
final class SocketRunner {
    let socket: VRRPSocket
    /// By VRID, up to the highest.
    private var runners: [InstanceRunner?] = []

    init(_ socket: VRRPSocket) { self.socket = socket }

    /// The instance that packets with that VRID are for.
    subscript(vrid: UInt8) -> InstanceRunner? {
        Int(vrid) < runners.count ? runners[Int(vrid)] : nil
    }

    /// How many instances use it.
    private(set) var count = 0
    var instances: [InstanceRunner] { runners.compactMap(\.self).sorted { $0.name < $1.name } }

    func attend(_ runner: InstanceRunner) {
        let vrid = Int(runner.instance.virtualRouterID)
        if vrid >= runners.count {
            runners += repeatElement(nil, count: vrid + 1 - runners.count)
        }
        if runners[vrid] == nil { count += 1 }
        runners[vrid] = runner
        runner.attended = self
    }

    func forget(_ runner: InstanceRunner) {
        let vrid = runner.instance.virtualRouterID
        if self[vrid] === runner {
            runners[Int(vrid)] = nil
            count -= 1
        }
        if runner.attended === self { runner.attended = nil }
    }
}

extension Agent {
    /// Opens the sockets that are needed now and closes those that are not.
    func openSockets() {
        for runner in runners { openSocket(for: runner) }
        for (key, entry) in sockets where entry.count == 0 {
            loop.remove(entry.socket.descriptor)
            sockets[key] = nil
        }
    }

    /// Closes the sockets of an interface that went and is there again by the same number: they are
    /// no members of the group any more, and would hear nothing.
    func closeSockets(ofFormer name: InterfaceName) {
        guard let device = machine.kernel.device(name) else { return }
        for (key, entry) in sockets where key.device == device.index {
            for runner in entry.instances { entry.forget(runner) }
            loop.remove(entry.socket.descriptor)
            sockets[key] = nil
        }
    }

    private func openSocket(for runner: InstanceRunner) {
        let key = runner.socketKey
        guard runner.socket?.key != key else { return }
        runner.attended?.forget(runner)
        guard let key else { return }
        if let entry = sockets[key] { return entry.attend(runner) }
        do throws(SystemError) {
            let entry = SocketRunner(try VRRPSocket(key))
            try loop.add(entry.socket.descriptor, .readable) { [unowned self, unowned entry] _ in
                // As many as there may be masters, so that one master's is not followed by a look
                // for another, and a flood on one socket keeps nobody else waiting.
                // A master is believed from when it was heard, before the packet is read.
                var now = loop.now
                for index in 0..<entry.count {
                    if index > 0 { now = MonotonicClock.now }
                    guard takePacket(of: entry, now) else { break }
                }
            }
            sockets[key] = entry
            entry.attend(runner)
        } catch {
            log.line("(\(runner.name)) \(error)")
            // Tried again when an address or an interface has changed.
            if key.isUnicast { runner.deliver(.sourceAddressLost) }
        }
    }

    /// Takes what has arrived for any instance.
    func takeAllPackets() { sockets.values.forEach(takePackets) }

    /// Takes what has arrived for the instances that share a runner's sockets.
    func takePackets(for runner: InstanceRunner) {
        if let entry = runner.attended { takePackets(of: entry) }
    }

    private func takePackets(of entry: SocketRunner) {
        while takePacket(of: entry, MonotonicClock.now) {}
    }

    /// Takes the next packet, which is there at `now`.
    ///
    /// - Returns: whether there was one.
    private func takePacket(of entry: SocketRunner, _ now: MonotonicInstant) -> Bool {
        do throws(SystemError) {
            guard let packet = try entry.socket.receive(into: &buffer) else { return false }
            take(packet, from: entry, now)
            return true
        } catch {
            log.line("\(error)")
            return false
        }
    }

    private func take(
        _ packet: VRRPSocket.Packet, from entry: SocketRunner, _ now: MonotonicInstant
    ) {
        if let runner = entry[packet.vrid(in: buffer)], runner.hears(packet, in: buffer, now: now) {
            return
        }
        do throws(AdvertisementError) {
            take(try ReceivedAdvertisement(packet, in: buffer), from: entry, now)
        } catch {
            log.line("\(error)")
        }
    }

    private func take(
        _ received: ReceivedAdvertisement, from entry: SocketRunner, _ now: MonotonicInstant
    ) {
        // A socket for unicast also gets what the multicast one joined the group for.
        guard received.destination.isMulticast != entry.socket.key.isUnicast else { return }
        if let runner = entry[received.vrid] { return runner.receive(received, now: now) }
        guard configuration.global.logsUnknownVRIDs,
            let name = machine.kernel.interfaces[index: entry.socket.key.device]?.device.name
        else { return }
        log.line("Unknown VRID(\(received.vrid)) received on interface(\(name)). ignoring...")
    }
}
