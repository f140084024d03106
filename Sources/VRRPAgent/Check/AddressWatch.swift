import LinuxSystem
import Netlink
import NetworkTypes

/// Which addresses this machine has, told as they come and go: for `ha_suspend`.
final class AddressWatch {
    /// An address on a device: the same one may be on several.
    private struct Place: Hashable {
        var device: Int32
        var address: IPAddress
    }

    private let monitor: RouteMonitor
    private let onChange: (IPAddress, Bool) -> Void
    private var places: Set<Place> = []

    /// Begins to watch; what is there already is told in the next turn of the loop.
    ///
    /// - Throws: ``NetlinkError`` or ``SystemError`` where the kernel refuses a socket.
    init(loop: EventLoop, onChange: @escaping (IPAddress, Bool) -> Void) throws {
        self.onChange = onChange
        monitor = try RouteMonitor(.addresses, receiveBufferBytes: 1 << 20)
        try loop.add(monitor.descriptor, .readable) { [unowned self] _ in take() }
        loop.schedule(after: .zero) { [weak self] in self?.read() }
    }

    /// Reads all anew, and tells the differences.
    private func read() {
        guard let addresses = try? RouteSocket().addresses() else { return }
        let present = Set(
            addresses.map { Place(device: $0.interfaceIndex, address: $0.address.address) })
        for place in places.subtracting(present) { set(place, isPresent: false) }
        for place in present.subtracting(places) { set(place, isPresent: true) }
    }

    private func take() {
        guard let notifications = try? monitor.drain() else { return }
        for notification in notifications {
            switch notification.kind {
            case .addressAdded(let assigned):
                set(
                    Place(device: assigned.interfaceIndex, address: assigned.address.address),
                    isPresent: true)
            case .addressRemoved(let assigned):
                set(
                    Place(device: assigned.interfaceIndex, address: assigned.address.address),
                    isPresent: false)
            case .overrun: read()
            case .link, .linkRemoved, .bridgePort, .routeAdded, .routeRemoved, .ruleAdded,
                .ruleRemoved, .neighbour, .neighbourRemoved:
                break
            }
        }
    }

    private func set(_ place: Place, isPresent: Bool) {
        let isNew = isPresent ? places.insert(place).inserted : places.remove(place) != nil
        if isNew { onChange(place.address, isPresent) }
    }
}
