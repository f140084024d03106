import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import VRRP

/// A pair of sockets, and the instances that it is for.
final class SocketRunner {
    let socket: VRRPSocket
    /// By VRID.
    private var runners: [UInt8: InstanceRunner] = [:]

    init(_ socket: VRRPSocket) { self.socket = socket }

    /// The instance that packets with that VRID are for.
    subscript(vrid: UInt8) -> InstanceRunner? { runners[vrid] }

    /// Whether any instance uses it.
    var isUsed: Bool { !runners.isEmpty }
    var instances: [InstanceRunner] { runners.values.sorted { $0.name < $1.name } }

    func attend(_ runner: InstanceRunner) {
        runners[runner.instance.virtualRouterID] = runner
        runner.socket = socket
    }

    func forget(_ runner: InstanceRunner) {
        let vrid = runner.instance.virtualRouterID
        if runners[vrid] === runner { runners[vrid] = nil }
        if runner.socket === socket { runner.socket = nil }
    }
}

extension Agent {
    /// Opens the sockets that are needed now and closes those that are not.
    func openSockets() {
        for runner in runners { openSocket(for: runner) }
        for (key, entry) in sockets where !entry.isUsed {
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
        if let old = runner.socket.flatMap({ sockets[$0.key] }) { old.forget(runner) }
        guard let key else { return }
        if let entry = sockets[key] { return entry.attend(runner) }
        do throws(SystemError) {
            let entry = SocketRunner(try VRRPSocket(key))
            try loop.add(entry.socket.descriptor, .readable) { [unowned self, unowned entry] _ in
                // One at a time: the loop comes back for the next, where mostly there is none, and
                // a flood on one socket keeps nobody else waiting.
                takePacket(of: entry)
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
        if let entry = runner.socket.flatMap({ sockets[$0.key] }) { takePackets(of: entry) }
    }

    private func takePackets(of entry: SocketRunner) {
        while takePacket(of: entry) {}
    }

    /// Takes the next packet.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    private func takePacket(of entry: SocketRunner) -> Bool {
        // Before it is read and checked: a master is believed from when it was heard.
        let now = MonotonicClock.now
        do throws(SystemError) {
            guard let reception = try entry.socket.receive() else { return false }
            take(reception, from: entry, now)
            return true
        } catch {
            log.line("\(error)")
            return false
        }
    }

    private func take(
        _ reception: VRRPSocket.Reception, from entry: SocketRunner, _ now: MonotonicInstant
    ) {
        switch reception {
        case .unreadable(let error): log.line("\(error)")
        case .advertisement(let received):
            // A socket for unicast also gets what the multicast one joined the group for.
            guard received.destination.isMulticast != entry.socket.key.isUnicast else { return }
            if let runner = entry[received.vrid] { return runner.receive(received, now: now) }
            guard configuration.global.logsUnknownVRIDs,
                let name = machine.kernel.interfaces[index: entry.socket.key.device]?.device.name
            else { return }
            log.line("Unknown VRID(\(received.vrid)) received on interface(\(name)). ignoring...")
        }
    }
}
