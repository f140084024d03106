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
        var device: Int32
        /// The MAC address that is announced; nil or zero for a device without, which has nobody to
        /// tell.
        var mac: MACAddress?
        /// Whether the interface forwards IPv6 (R, RFC 4861 §4.4).
        var isRouter = false
    }

    /// An announcement as it is sent.
    struct Frame {
        var announcement: AnnouncementQueue.Announcement
        var device: Int32
        var octets: [UInt8]

        /// - Returns: nil where nobody can be told.
        init?(_ announcement: AnnouncementQueue.Announcement, by outlet: Outlet) {
            guard let mac = outlet.mac, mac.rawValue != 0 else { return nil }
            self.announcement = announcement
            device = outlet.device
            octets = Announcer.frame(
                for: announcement.address, at: mac, isRouter: outlet.isRouter)
        }
    }

    private let frames: FrameSender

    /// - Throws: ``SystemError`` without CAP_NET_RAW.
    init() throws(SystemError) { frames = try FrameSender() }

    /// Sends a frame.
    ///
    /// - Throws: ``SystemError``: ENETDOWN when the device is down, ENXIO when it is gone.
    func send(_ frame: Frame) throws(SystemError) {
        try frames.send(frame.octets, by: frame.device)
    }

    /// Goes the way of an announcement with a frame that leaves by no device: what that needs of
    /// this program is in memory then.
    func rehearse() {
        try? frames.send(Self.frame(for: .v4(.any), at: .broadcast, isRouter: false), by: -1)
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
