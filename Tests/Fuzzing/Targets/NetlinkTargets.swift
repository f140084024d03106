import Netlink
import NetworkTypes

extension FuzzTarget {
    static let netlink = FuzzTarget(
        "netlink", "a datagram of a netlink socket: notifications, replies and acknowledgements"
    ) { datagram in
        for notification in Notification.parse(datagram) { try check(notification.kind) }
        datagram.withUnsafeBytes { _ = NetlinkMessage.sequenceOfPerformed($0) }
        for message in NetlinkMessage.messages(in: datagram) {
            try require(message.payload.count <= datagram.count, "no message is longer than all")
            if let answer = Acknowledgement(message) {
                _ = answer.kernelMessage
            }
            _ = IPVSService(reply: message)
            _ = IPVSDestination(reply: message, of: .v4)
        }
    }

    private static func check(_ kind: Notification.Kind) throws {
        switch kind {
        case .addressAdded(let found), .addressRemoved(let found):
            let address = found.address
            try require(
                (0...address.address.bitWidth).contains(address.prefixLength),
                "a prefix is no longer than an address")
        case .link(let link), .linkRemoved(let link): _ = link.device.description
        case .bridgePort, .overrun: break
        case .routeAdded(let route), .routeRemoved(let route):
            try check(route.destination)
        case .ruleAdded, .ruleRemoved, .neighbour, .neighbourRemoved: break
        }
        _ = "\(kind)"
    }

    private static func check(_ prefix: IPPrefix) throws {
        try require(
            (0...prefix.base.bitWidth).contains(prefix.length),
            "a prefix is no longer than an address")
    }
}
