import LinuxSystem
import NetworkTypes
import SystemPackage
import VRRP

/// Tells neighbours where an address is now: by gratuitous ARP, or by an unsolicited neighbour
/// advertisement.
///
/// The frames are sent as they are by the device that is named, so that with `use_vmac` they leave
/// from the virtual MAC.
final class Announcer {
    /// Where an announcement leaves.
    struct Outlet: Equatable {
        /// The interface's name, for log lines.
        var name: InterfaceName
        var device: Int32
        /// The MAC address that is announced; nil or zero for a device without, which has nobody to
        /// tell.
        var mac: MACAddress?
        /// Whether the interface forwards IPv6 (R, RFC 4861 §4.4).
        var isRouter = false
    }

    private let frames: FrameSender

    /// - Throws: ``SystemError`` without CAP_NET_RAW.
    init() throws(SystemError) { frames = try FrameSender() }

    /// Whether that interface has neighbours that could be told.
    static func canAnnounce(by outlet: Outlet) -> Bool { (outlet.mac?.rawValue ?? 0) != 0 }

    /// Announces that the address is at that interface; does nothing where nobody can be told.
    ///
    /// - Throws: ``SystemError``: ENETDOWN when the device is down, ENXIO when it is gone.
    func announce(_ address: IPAddress, by outlet: Outlet) throws(SystemError) {
        guard let mac = outlet.mac, Self.canAnnounce(by: outlet) else { return }
        try frames.send(
            Self.frame(for: address, at: mac, isRouter: outlet.isRouter), by: outlet.device)
    }

    /// The frame that announces an address.
    static func frame(for address: IPAddress, at mac: MACAddress, isRouter: Bool) -> [UInt8] {
        switch address {
        case .v4(let address): ARPFrame.gratuitous(for: address, at: mac).octets
        case .v6(let address):
            NeighbourAdvertisementFrame.unsolicited(
                for: address, at: mac, isRouter: isRouter
            ).octets
        }
    }

    // MARK: keepalived's lines, all of them detail

    /// Once for every address of a burst, with the instance's name before it.
    static func burstLine(_ address: IPAddress, on name: InterfaceName) -> String {
        switch address.family {
        case .v4: "Sending/queueing gratuitous ARPs on \(name) for \(address)"
        case .v6: "Sending/queueing Unsolicited Neighbour Adverts on \(name) for \(address)"
        }
    }

    /// Once for every frame.
    static func frameLine(_ address: IPAddress, on name: InterfaceName) -> String {
        switch address.family {
        case .v4: "Sending gratuitous ARP on \(name) for \(address)"
        case .v6: "Sending unsolicited Neighbour Advert on \(name) for \(address)"
        }
    }

    /// Where a frame could not be sent.
    static func errorLine(
        _ error: SystemError, _ address: IPAddress, on name: InterfaceName
    ) -> String {
        switch address.family {
        case .v4:
            "Error \(error.code.rawValue) (\(error.code)) sending gratuitous ARP on \(name) "
                + "for \(address)"
        case .v6:
            "Error \(error.code.rawValue) sending ndisc unsolicited neighbour advert on \(name) "
                + "for \(address)"
        }
    }
}
