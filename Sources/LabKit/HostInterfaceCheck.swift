import Glibc
import LabModel
import LinuxSystem
import Netlink
import NetworkTypes

// The host's interfaces that nodes of a lab are to have macvlans of, looked at before anything of
// the lab is there, in the calling thread's network namespace: the host's.

extension HostDoors {
    /// Looks whether they are there, up, and take a macvlan.
    ///
    /// - Throws: ``LabError/machine(_:)`` with the remedy.
    static func checkParents(of lab: Lab) throws(LabError) {
        do {
            for network in lab.networks {
                guard let parent = network.parent else { continue }
                try check(parent, for: network, of: lab)
            }
        } catch {
            throw LabError(refusal: error)
        }
    }

    private static func check(_ parent: InterfaceName, for network: Network, of lab: Lab) throws {
        let socket = try RouteSocket()
        let what = "network \(network.name) is that of this machine's \(parent)"
        guard let link = try socket.link(named: parent) else {
            let names = try socket.links().map(\.name).filter { $0 != "lo" }
            throw LabError.machine(
                "\(what), which it does not have"
                    + SpellingSuggestion.hint(for: parent.text, among: names, known: "it has"))
        }
        guard link.isUp else {
            throw LabError.machine("\(what), which is down: `ip link set dev \(parent) up`")
        }
        let sizes = lab.nodes.flatMap(\.interfaces).filter {
            $0.attachment == .network(network.name)
        }.map { $0.mtuBytes ?? network.mtuBytes }
        if let mtu = sizes.compactMap(\.self).max(), mtu > link.mtuBytes {
            throw LabError.machine("\(what), whose MTU is \(link.mtuBytes), less than \(mtu)")
        }
        // Whether it is a bridge's port, or no Ethernet device, is the kernel's to say.
        let attic = try NetworkNamespace.create()
        do {
            try socket.perform(
                .add(
                    Macvlan(
                        name: Fabric.unplacedName(0), base: link.device,
                        address: MACAddress.unused,
                        namespace: .descriptor(attic.rawValue))))
        } catch {
            throw LabError.machine(
                "\(what), of which this kernel makes no macvlan (CONFIG_MACVLAN; of a port of a "
                    + "bridge, use the bridge): \(error)")
        }
    }

    /// What nodes will miss on the host's interfaces.
    static func hostInterfaceWarnings(for lab: Lab) -> [String] {
        lab.parents.filter { FileSystem.exists("/sys/class/net/\($0)/phy80211") }.map {
            "\($0) is a wireless interface: as a rule an access point takes frames of one station "
                + "from it, and none of the lab's nodes'"
        }
    }
}

extension MACAddress {
    /// One that is no node's, for a device that is never up.
    fileprivate static let unused: MACAddress = {
        guard let address = MACAddress("02:00:00:00:00:01") else {
            preconditionFailure("a valid address")
        }
        return address
    }()
}
