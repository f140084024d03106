import LabModel
import LinuxSystem
import Netlink
import NetworkTypes

// The lab's own stations on its networks: each has a port of its own on the bridge, one end of a
// veth pair; the other ends are together in a namespace that is no node.

extension Fabric {
    /// The number under which the gateways' namespace is known here; nodes have numbers from 1. If
    /// it were not given one, the kernel would choose one that a node gets later.
    static let gatewayNamespaceID: Int32 = 0

    /// Plugs the gateways in, with their addresses.
    ///
    /// - Parameter namespace: theirs; it must be fresh.
    /// - Throws: ``NetlinkError``, ``SystemError``.
    func makeGateways(_ networks: [Network], in namespace: borrowing NetworkNamespace) throws {
        let reference = NamespaceReference.descriptor(namespace.rawValue)
        try namespace.run { try Self.quieten() }
        var requests = [try Request.setNamespaceID(Self.gatewayNamespaceID, of: reference)]
        for port in plan.gateways {
            requests.append(
                try .add(
                    VethEnd(
                        name: port.name, index: port.index, address: port.mac,
                        mtuBytes: port.mtuBytes, master: bridge(of: port)?.device),
                    peer: VethPeer(
                        name: port.interface, index: port.interfaceIndex,
                        address: port.interfaceMAC, mtuBytes: port.mtuBytes,
                        namespace: reference)))
        }
        try socket.perform(requests)
        var inside = [try Request.set(.loopback, .up)]
        for port in plan.gateways {
            let device = Device(index: port.interfaceIndex, name: port.interface)
            for address in networks.first(where: { $0.name == port.bridge })?.gateway ?? [] {
                inside.append(
                    try .add(
                        address, to: device, broadcast: address.network.broadcast,
                        flags: address.address.family == .v6 ? .noDuplicateDetection : []))
            }
            inside.append(try .set(device, .up))
        }
        let made = inside
        try namespace.run { try RouteSocket().perform(made) }
    }

    /// Has the calling thread's network namespace say nothing of its own accord, and answer only
    /// for the address that is asked for on its own network (ip-sysctl(7)).
    private static func quieten() throws {
        let parameters = [
            ("ipv4/conf/all/arp_ignore", "1"), ("ipv4/conf/all/arp_announce", "2"),
            ("ipv4/ip_forward", "0"), ("ipv6/conf/default/accept_ra", "0"),
            ("ipv6/conf/default/dad_transmits", "0"),
            ("ipv6/conf/default/router_solicitations", "0"),
        ]
        for (name, value) in parameters {
            let path = "/proc/sys/net/\(name)"
            // A kernel without IPv6 has none of its parameters.
            if FileSystem.exists(path) { try FileSystem.writeParameter(value, to: path) }
        }
    }
}
