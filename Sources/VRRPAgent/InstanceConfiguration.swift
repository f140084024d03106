import KeepalivedConf
import NetworkTypes
import VRRP

/// An instance that asks for what this program does not do yet: running it in part would look like
/// running it.
struct UnsupportedInstance: Error, CustomStringConvertible {
    var name: String
    var feature: String
    var description: String { "(\(name)) \(feature) is not supported yet" }
}

extension VRRPInstance {
    /// The router that this instance describes.
    func routerConfiguration() throws(UnsupportedInstance) -> VirtualRouter.Configuration {
        guard version == .v2 else {
            throw UnsupportedInstance(name: name, feature: "VRRP version \(version.rawValue)")
        }
        guard family == .v4 else { throw UnsupportedInstance(name: name, feature: "IPv6") }
        let authentication: Advertisement.Authentication
        switch self.authentication {
        case nil: authentication = .none
        case .password(let octets):
            authentication = .password(AuthenticationPassword(truncating: octets))
        case .header: throw UnsupportedInstance(name: name, feature: "auth_type AH")
        }
        let configuration = VirtualRouter.Configuration(
            name: name, vrid: virtualRouterID, priority: priority,
            advertisementInterval: advertisementInterval, preempts: !nopreempt,
            preemptionDelay: preemptDelay.unlessZero,
            addresses: virtualAddresses.map(\.address.address), authentication: authentication,
            announcements: announcements.settings)
        do throws(AdvertisementError) {
            // Whatever cannot be sent is found now, not when it is this router's turn.
            try configuration.advertisement(priority: priority).checkEncodable(over: .v4)
        } catch {
            throw UnsupportedInstance(name: name, feature: "\(error): that")
        }
        return configuration
    }
}

extension AnnouncementSettings {
    fileprivate var settings: VirtualRouter.AnnouncementSettings {
        VirtualRouter.AnnouncementSettings(
            masterRepeat: masterRepeat, masterDelay: masterDelay.unlessZero,
            refreshInterval: refreshInterval.unlessZero, refreshRepeat: refreshRepeat,
            lowerPriorityRepeat: lowerPriorityRepeat,
            lowerPriorityDelay: lowerPriorityDelay.unlessZero)
    }
}

extension Duration {
    /// keepalived's zero, which means never.
    fileprivate var unlessZero: Duration? { self == .zero ? nil : self }
}
