import LabModel
import NetworkTypes
import VRRP

/// What a captured frame means for the timeline.
enum CapturedFrame {
    /// The event that a frame is; nil for one that the timeline does not record.
    ///
    /// - Parameter port: where it entered the fabric: the node behind it sent it, whatever its
    ///   source address says.
    static func event(
        _ bytes: [UInt8], port: DeploymentPlan.Port
    ) -> TimelineEvent.Kind? {
        if let seen = ObservedAdvertisement(ethernetFrame: bytes) {
            return .advertisement(
                TimelineEvent.Advertisement(
                    node: port.node, interface: port.interface.text, source: seen.source,
                    version: seen.version, vrid: Int(seen.vrid), priority: Int(seen.priority),
                    interval: seen.interval, addresses: seen.addresses))
        }
        if let frame = ARPFrame(parsing: bytes), frame.isGratuitous {
            return .gratuitousARP(
                node: port.node, interface: port.interface.text, address: frame.senderAddress,
                mac: frame.senderMAC)
        }
        return nil
    }
}
