import LabModel
import NetworkTypes
import VRRP

/// What a captured frame means for the timeline.
enum CapturedFrame {
    /// The event that a frame is; nil for one of no protocol that the timeline records, such as a
    /// solicited neighbour advertisement.
    ///
    /// - Parameter port: where it entered the fabric: the node behind it sent it, whatever its
    ///   source address says.
    static func event(
        _ bytes: [UInt8], port: DeploymentPlan.Port
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
                    addresses: seen.addresses))
        }
        if let frame = NeighbourAdvertisementFrame(parsing: bytes) {
            return .unsolicitedNA(
                node: node, interface: interface, address: frame.target, mac: frame.targetMAC)
        }
        return nil
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
