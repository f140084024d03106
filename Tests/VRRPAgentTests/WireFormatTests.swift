import LinuxSystem
import NetworkTypes
import SystemPackage
import Testing
import VRRP

@testable import VRRPAgent

/// keepalived 2.2.7's log lines about what it sends.
@Suite("Lines about the wire")
struct WireFormatTests {
    private let peer = IPAddress.v4(IPv4Address(10, 10, 10, 2))

    private func line(_ cause: AdvertisementSender.Failure.Cause, isPeer: Bool) -> String {
        AdvertisementSender.Failure(destination: peer, isPeer: isPeer, cause: cause)
            .line(for: "VI_1")
    }

    @Test("an advertisement that could not be sent, to the group and to a peer")
    func sendFailures() {
        let refused = AdvertisementSender.Failure.Cause.refused(
            SystemError("send to 224.0.0.18", .networkUnreachable))
        #expect(
            line(refused, isPeer: false)
                == "(VI_1): send advert error 101 (Network is unreachable)")
        #expect(
            line(refused, isPeer: true)
                == "(VI_1) Cant send advert to 10.10.10.2 (Network is unreachable)")
        #expect(
            line(.unencodable(.unsupportedVersion(4)), isPeer: false)
                == "(VI_1): send advert error (VRRP version 4 is not supported, only versions 2 "
                + "and 3)")
    }

    @Test(
        "only a link that is down excuses a farewell that was not sent",
        arguments: [
            (Errno.networkDown, true), (.networkUnreachable, true),
            (.operationNotSupportedByDevice, true), (.noSuchAddressOrDevice, true),
            (.notPermitted, false), (.noBufferSpace, false),
        ])
    func linkIsDown(code: Errno, isDown: Bool) {
        let failure = AdvertisementSender.Failure(
            destination: peer, isPeer: false, cause: .refused(SystemError("send", code)))
        #expect(failure.saysLinkIsDown == isDown)
    }

    @Test("announcements of both families")
    func announcements() throws {
        let eth0 = try #require(InterfaceName("eth0"))
        let v4 = IPAddress.v4(IPv4Address(10, 10, 10, 10))
        let v6 = try #require(IPAddress("fe80::10"))
        #expect(
            Announcer.burstLine(v4, on: eth0)
                == "Sending/queueing gratuitous ARPs on eth0 for 10.10.10.10")
        #expect(
            Announcer.burstLine(v6, on: eth0)
                == "Sending/queueing Unsolicited Neighbour Adverts on eth0 for fe80::10")
        #expect(
            Announcer.frameLine(v4, on: eth0) == "Sending gratuitous ARP on eth0 for 10.10.10.10")
        #expect(
            Announcer.frameLine(v6, on: eth0)
                == "Sending unsolicited Neighbour Advert on eth0 for fe80::10")
        let down = SystemError("send a frame", .networkDown)
        #expect(
            Announcer.errorLine(down, v4, on: eth0)
                == "Error 100 (Network is down) sending gratuitous ARP on eth0 for 10.10.10.10")
        #expect(
            Announcer.errorLine(down, v6, on: eth0)
                == "Error 100 sending ndisc unsolicited neighbour advert on eth0 for fe80::10")
    }

    @Test("nobody can be told through a device without a MAC address, such as the loopback")
    func withoutMAC() throws {
        let announcement = AnnouncementQueue.Announcement(
            owner: "VI_1", interface: try #require(InterfaceName("lo")),
            address: .v4(IPv4Address(10, 10, 10, 10)))
        for mac in [nil, MACAddress(rawValue: 0)] {
            let outlet = Announcer.Outlet(device: 1, mac: mac)
            #expect(Announcer.Frame(announcement, by: outlet) == nil)
        }
        let mac = MACAddress(rawValue: 1)
        let outlet = Announcer.Outlet(device: 2, mac: mac)
        let frame = try #require(Announcer.Frame(announcement, by: outlet))
        #expect(frame.device == 2)
        #expect(
            frame.octets == Announcer.frame(for: announcement.address, at: mac, isRouter: false))
    }

    @Test("sockets are logged by device, the group's before a peer's")
    func order() {
        let group = VRRPSocket.Endpoint.multicast(group: .v4(Advertisement.group))
        let group6 = VRRPSocket.Endpoint.multicast(group: .v6(Advertisement.group6))
        let keys = [
            VRRPSocket.Key(device: 2, endpoint: group),
            VRRPSocket.Key(device: 2, ipProtocol: 112, endpoint: group6),
            VRRPSocket.Key(device: 2, endpoint: .unicast(source: peer)),
            VRRPSocket.Key(device: 3, endpoint: group),
        ]
        #expect(keys.reversed().sorted() == keys)
        #expect(keys.map(\.isUnicast) == [false, false, true, false])
        #expect(keys.map(\.family) == [.v4, .v6, .v4, .v4])
    }
}
