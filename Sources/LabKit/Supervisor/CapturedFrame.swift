package import LabModel
import NetworkTypes
import VRRP

/// What a captured frame means for the timeline.
package enum CapturedFrame {
    /// The event that a frame is; nil for one of no protocol that the timeline records, such as a
    /// solicited neighbour advertisement.
    ///
    /// - Parameter port: where it entered the fabric: the node behind it sent it, whatever its
    ///   source address says. Of an imposter every frame that is captured is an event.
    package static func event(
        _ bytes: [UInt8], port: DeploymentPlan.Port
    ) -> TimelineEvent.Kind? {
        if let kind = content(of: bytes, port: port) { return kind }
        // Gap: a solicited neighbour advertisement, by which an imposter answers for an address, is
        // shown as a packet, and no claim to the checks; what it announces is one.
        guard ImposterName.isName(port.node) else { return nil }
        return .packet(
            node: port.node, interface: port.interface.text, lengthBytes: bytes.count)
    }

    private static func content(
        of bytes: [UInt8], port: DeploymentPlan.Port
    ) -> TimelineEvent.Kind? {
        let (node, interface) = (port.node, port.interface.text)
        if let frame = ARPFrame(parsing: bytes) {
            return event(frame, node: node, interface: interface)
        }
        if let seen = ObservedAdvertisement(ethernetFrame: bytes) {
            return .advertisement(
                TimelineEvent.Advertisement(
                    node: node, interface: interface, source: seen.source, version: seen.version,
                    vrid: Int(seen.vrid), priority: Int(seen.priority), interval: seen.interval,
                    addresses: seen.addresses, flaw: flaw(of: seen)))
        }
        if let frame = NeighbourAdvertisementFrame(parsing: bytes) {
            return .unsolicitedNA(
                node: node, interface: interface, address: frame.target, mac: frame.targetMAC)
        }
        return nil
    }

    /// Why every receiver discards an advertisement, where that can be seen (RFC 3768 §7.1,
    /// RFC 9568 §7.1).
    private static func flaw(of seen: ObservedAdvertisement) -> String? {
        // To one host TTLs differ, and old routers have a checksum of their own.
        guard seen.destination.isMulticast else { return nil }
        if seen.timeToLive != Advertisement.timeToLive { return "TTL \(seen.timeToLive)" }
        return seen.checksum == .wrong ? "wrong checksum" : nil
    }

    private static func event(
        _ frame: ARPFrame, node: String, interface: String
    ) -> TimelineEvent.Kind {
        guard !frame.isGratuitous else {
            return .gratuitousARP(
                node: node, interface: interface, address: frame.senderAddress,
                mac: frame.senderMAC)
        }
        let operation: TimelineEvent.ARP.Operation =
            switch frame.operation {
            case .request: .request
            case .reply: .reply
            }
        return .arp(
            TimelineEvent.ARP(
                node: node, interface: interface, operation: operation,
                sender: frame.senderAddress, senderMAC: frame.senderMAC,
                target: frame.targetAddress, targetMAC: frame.targetMAC))
    }
}
