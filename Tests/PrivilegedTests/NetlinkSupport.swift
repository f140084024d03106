import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

/// A fresh network namespace with a socket in it, gone with this value. Its devices' names need no
/// test's id, since nobody else sees them.
struct TestNamespace: ~Copyable {
    let namespace: NetworkNamespace
    let socket: RouteSocket

    init() throws {
        let created = try NetworkNamespace.create()
        socket = try created.run { try RouteSocket() }
        namespace = created
    }

    /// A device by name, which must be there.
    func device(_ text: String) throws -> Device {
        let link = try #require(try socket.link(named: try name(text)))
        return link.device
    }

    /// How this namespace is named to others; valid as long as this value lives.
    var reference: NamespaceReference { .descriptor(namespace.rawValue) }
}

func name(_ text: String) throws -> InterfaceName { try #require(InterfaceName(text)) }

func address(_ text: String) throws -> InterfaceAddress { try #require(InterfaceAddress(text)) }

func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

/// Reads notifications until one is what is waited for, for 30 s at most.
func notification(
    from monitor: borrowing RouteMonitor, where isExpected: (Netlink.Notification) throws -> Bool
) throws -> Netlink.Notification? {
    let deadline = MonotonicClock.now + .seconds(30)
    while MonotonicClock.now < deadline {
        for notification in try monitor.drain() where try isExpected(notification) {
            return notification
        }
        var poll = pollfd(fd: monitor.descriptor, events: Int16(POLLIN), revents: 0)
        let rest = max(0, (deadline - MonotonicClock.now).wholeNanoseconds / 1_000_000)
        Glibc.poll(&poll, 1, CInt(rest) + 1)
    }
    return nil
}
