import LabModel
import Netlink
import NetworkTypes

// Stations that belong to nobody: each has a port of its own on the bridge of its network, one end
// of a veth pair, and the process that is the station has the other end.

/// Where an imposter stands on a network.
struct ImposterStand {
    /// The end that is a port of the bridge, as if a node called as the imposter were behind it.
    var port: DeploymentPlan.Port
    /// The end that the process has.
    var outer: Device
    /// The bridge.
    var bridge: Device
    /// Whether a station has stood here; else one is about to.
    var isTaken = false
}

extension Fabric {
    /// Makes the port of the imposter on a network, if there is none yet.
    ///
    /// - Parameter mac: the Ethernet address of the process's end.
    /// - Returns: it; before its end in the bridge is operational, no frame passes.
    /// - Throws: ``NetlinkError``.
    func makeStand(on network: InterfaceName, mac: MACAddress) throws -> ImposterStand {
        if let known = stands[network] { return known }
        guard let place = plan.bridges.firstIndex(where: { $0.name == network }) else {
            preconditionFailure("a fault's network is one of the lab's")
        }
        let bridge = plan.bridges[place]
        // Above all that the plan has and that stands in for ports, and the same in every run.
        let first = plan.greatestIndex + 1 + Int32(3 * plan.ports.count + 2 * place)
        let names = try standNames(place)
        let outer = Device(index: first + 1, name: names.outer)
        let master = Device(index: bridge.index, name: bridge.name)
        let stand = ImposterStand(
            port: DeploymentPlan.Port(
                name: names.inner, index: first, mac: bridge.mac, bridge: network,
                node: ImposterName.name(on: network), interface: network, interfaceIndex: 0,
                interfaceMAC: mac, mtuBytes: bridge.mtuBytes),
            outer: outer, bridge: master)
        do {
            try socket.perform([
                try .add(
                    VethEnd(
                        name: names.inner, index: first, mtuBytes: bridge.mtuBytes, master: master),
                    peer: VethPeer(
                        name: names.outer, index: outer.index, address: mac,
                        mtuBytes: bridge.mtuBytes)),
                try .set(outer, .up),
            ])
        } catch {
            try? attemptUnlessGone([try .delete(stand.port.device)])
            throw error
        }
        stands[network] = stand
        return stand
    }

    /// Has the bridges pass nothing more of imposters that are none any more.
    ///
    /// - Throws: ``NetlinkError``.
    func silence(besides impostures: [InterfaceName: Imposture]) throws {
        let over = stands.filter { $0.value.isTaken && impostures[$0.key] == nil }
        try attemptUnlessGone(
            try over.values.map { try .setBridgePort($0.port.device, .state(.disabled)) })
    }

    /// Removes the port of an imposter that is none any more. It stays among ``stands`` until
    /// ``forgetStand(on:)``, for what the observer has yet to read of it.
    ///
    /// - Throws: ``NetlinkError``.
    func removeStand(on network: InterfaceName) throws {
        guard let stand = stands[network] else { return }
        try attemptUnlessGone([try .delete(stand.port.device)])
    }

    func forgetStand(on network: InterfaceName) { stands[network] = nil }

    /// Names that no network and no port has.
    private func standNames(
        _ place: Int
    ) throws -> (inner: InterfaceName, outer: InterfaceName) {
        let taken = Set(
            plan.bridges.map(\.name) + plan.ports.map(\.name) + plan.gateways.map(\.name))
        func free(_ text: String) throws -> InterfaceName {
            for suffix in [""] + (0...taken.count).map({ "~\($0)" }) {
                if let name = InterfaceName(text + suffix), !taken.contains(name) { return name }
            }
            throw LabError.failed("\(text) is no interface name")
        }
        return (try free("imp\(place)"), try free("imposter\(place)"))
    }
}
