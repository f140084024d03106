import NetworkTypes
import Wire

/// A link at work: two ports, and a path for each direction.
final class RelayLink {
    let name: String
    let node: PacketPort
    let network: PacketPort
    /// From the network to the node.
    let inward: RelayPath
    /// From the node to the network.
    let outward: RelayPath

    init(_ link: WireLink, node: PacketPort, network: PacketPort, numbers: (Int32, Int32)) {
        name = link.name
        self.node = node
        self.network = network
        inward = RelayPath(
            lane: WireLane(link: link.name, direction: .inward, rules: link.inward),
            from: network, to: node, number: numbers.0)
        outward = RelayPath(
            lane: WireLane(link: link.name, direction: .outward, rules: link.outward),
            from: node, to: network, number: numbers.1)
    }

    /// Puts other rules in force; what is queued stays queued.
    func apply(_ link: WireLink) {
        inward.lane.setRules(link.inward)
        outward.lane.setRules(link.outward)
    }

    /// Whether it is between the interfaces that a request names.
    func isBetween(_ link: WireLink) -> Bool {
        node.index == link.node && network.index == link.network
    }

    var counters: WireLinkCounters {
        WireLinkCounters(name: name, inward: inward.counters, outward: outward.counters)
    }
}
