import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import VRRP

/// What instances share of this machine: the kernel's tables and the sockets.
final class Machine {
    /// How an interface is now.
    struct Interface {
        var device: Device
        /// Set up, and with a carrier.
        var isUp: Bool
        var mac: MACAddress?
        /// Its addresses, in the kernel's order.
        var addresses: [InterfaceAddress]
    }

    private let route: RouteSocket
    private let monitor: RouteMonitor
    /// Announces addresses to neighbours.
    let announcer: Announcer

    /// The descriptor on which changes of interfaces are announced.
    var monitorDescriptor: CInt { monitor.descriptor }

    /// - Throws: ``NetlinkError`` or ``SystemError`` where the kernel refuses a socket.
    init() throws {
        // First, so that no change between a table's reading and now is missed.
        monitor = try RouteMonitor([.links, .addresses])
        route = try RouteSocket()
        announcer = try Announcer()
    }

    /// All interfaces, as they are now.
    func interfaces() throws(NetlinkError) -> [InterfaceName: Interface] {
        let addresses = Dictionary(grouping: try route.addresses(), by: \.interfaceIndex)
        var interfaces: [InterfaceName: Interface] = [:]
        for link in try route.links() {
            guard let name = InterfaceName(link.name) else { continue }
            interfaces[name] = Interface(
                device: link.device, isUp: link.isUp && link.hasCarrier, mac: link.address,
                addresses: (addresses[link.index] ?? []).map(\.address))
        }
        return interfaces
    }

    /// Whether interfaces have changed since the last call, as far as that has been told.
    ///
    /// What has changed is read anew by whoever asks: notifications can be lost, and the kernel's
    /// tables are small.
    func hasChanged() throws(NetlinkError) -> Bool { try !monitor.drain().isEmpty }

    /// Performs requests and leaves those be whose outcome is tolerated.
    ///
    /// - Returns: the other failures.
    func attempt(_ requests: [Request], tolerating codes: Set<Errno>) -> [NetlinkError] {
        do {
            return try route.attempt(requests).compactMap(\.self).filter {
                !codes.contains($0.code)
            }
        } catch {
            return [error]
        }
    }
}
