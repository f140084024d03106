// The attributes of ip_vs's generic netlink messages (linux/ip_vs.h): ports and masks of IPv4 are
// in network order, all other numbers in the machine's, and every address has 16 octets.

import CLibNL
import CLinux
import Glibc
package import NetworkTypes

extension IPVSCommand {
    /// The kernel's number of it.
    var number: Int {
        switch self {
        case .addService: IPVS_CMD_NEW_SERVICE
        case .editService: IPVS_CMD_SET_SERVICE
        case .deleteService: IPVS_CMD_DEL_SERVICE
        case .addDestination: IPVS_CMD_NEW_DEST
        case .editDestination: IPVS_CMD_SET_DEST
        case .deleteDestination: IPVS_CMD_DEL_DEST
        case .flush: IPVS_CMD_FLUSH
        }
    }
}

extension LibNLMessage {
    /// Appends what a command is about.
    func put(_ command: IPVSCommand) throws(LibNLError) {
        switch command {
        case .addService(let service), .editService(let service):
            try put(service, isKeyOnly: false)
        case .deleteService(let service):
            try put(service, isKeyOnly: true)
        case .addDestination(let destination, let service),
            .editDestination(let destination, let service),
            .deleteDestination(let destination, let service):
            try put(service, isKeyOnly: true)
            try put(destination)
        case .flush: break
        }
    }

    /// Appends a service, or only what tells it from others.
    func put(_ service: IPVSService, isKeyOnly: Bool) throws(LibNLError) {
        try nest(IPVS_CMD_ATTR_SERVICE) { () throws(LibNLError) in
            try put(IPVS_SVC_ATTR_AF, UInt16(service.family.number))
            switch service.key {
            case .mark(let mark, _): try put(IPVS_SVC_ATTR_FWMARK, mark)
            case .address(let address, let transport, let port):
                try put(IPVS_SVC_ATTR_PROTOCOL, UInt16(transport.rawValue))
                try put(IPVS_SVC_ATTR_ADDR, address.ipvsOctets)
                try put(IPVS_SVC_ATTR_PORT, port.bigEndian)
            }
            guard !isKeyOnly else { return }
            try put(IPVS_SVC_ATTR_SCHED_NAME, service.scheduler)
            var flags = service.flags
            if let persistence = service.persistence {
                flags |= UInt32(IP_VS_SVC_F_PERSISTENT)
                if let engine = persistence.engine { try put(IPVS_SVC_ATTR_PE_NAME, engine) }
            }
            // `struct ip_vs_flags`: the bits, and which of them count.
            let mask = UInt32.max
            try put(IPVS_SVC_ATTR_FLAGS, octets(flags) + octets(mask))
            try put(IPVS_SVC_ATTR_TIMEOUT, service.persistence?.timeoutSeconds ?? 0)
            try put(IPVS_SVC_ATTR_NETMASK, service.netmask)
        }
    }

    private func put(_ destination: IPVSDestination) throws(LibNLError) {
        try nest(IPVS_CMD_ATTR_DEST) { () throws(LibNLError) in
            try put(
                IPVS_DEST_ATTR_ADDR_FAMILY, UInt16(destination.address.family.number))
            try put(IPVS_DEST_ATTR_ADDR, destination.address.ipvsOctets)
            try put(IPVS_DEST_ATTR_PORT, destination.port.bigEndian)
            try put(IPVS_DEST_ATTR_FWD_METHOD, destination.forwarding.number)
            try put(IPVS_DEST_ATTR_WEIGHT, destination.weight)
            if case .tunnel(let tunnel) = destination.forwarding {
                try put(IPVS_DEST_ATTR_TUN_TYPE, tunnel.type)
                try put(IPVS_DEST_ATTR_TUN_PORT, tunnel.port.bigEndian)
                try put(IPVS_DEST_ATTR_TUN_FLAGS, tunnel.flags)
            }
            try put(IPVS_DEST_ATTR_U_THRESH, destination.upperThreshold)
            try put(IPVS_DEST_ATTR_L_THRESH, destination.lowerThreshold)
        }
    }
}

extension IPVSService {
    /// The kernel masks clients with it also where they are not kept.
    fileprivate var netmask: UInt32 {
        let length = persistence?.prefixLength ?? (family == .v4 ? 32 : 128)
        guard family == .v4 else { return UInt32(length) }
        return (length == 0 ? 0 : UInt32.max << UInt32(32 - length)).bigEndian
    }

    /// Reads the answer to IPVS_CMD_GET_SERVICE; nil when something is missing or unknown.
    package init?(reply message: NetlinkMessage) {
        let attributes = message.attributes(after: genlmsghdr.self).nested(IPVS_CMD_ATTR_SERVICE)

        guard let number = attributes.number(IPVS_SVC_ATTR_AF, as: UInt16.self),
            let family = IPAddress.Family(ipvsNumber: number),
            let scheduler = attributes.text(IPVS_SVC_ATTR_SCHED_NAME),
            let bits = attributes.bytes(IPVS_SVC_ATTR_FLAGS), bits.count >= 4
        else { return nil }
        if let mark = attributes.number(IPVS_SVC_ATTR_FWMARK, as: UInt32.self), mark != 0 {
            self.init(.mark(mark, family), scheduler: scheduler)
        } else {
            guard
                let transport = attributes.number(IPVS_SVC_ATTR_PROTOCOL, as: UInt16.self)
                    .flatMap({ Transport(rawValue: UInt8(truncatingIfNeeded: $0)) }),
                let address = attributes.ipvsAddress(IPVS_SVC_ATTR_ADDR, family),
                let port = attributes.number(IPVS_SVC_ATTR_PORT, as: UInt16.self)
            else { return nil }
            self.init(
                .address(address, transport: transport, port: UInt16(bigEndian: port)),
                scheduler: scheduler)
        }
        let flags = bits.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        self.flags = flags & Self.settable
        guard flags & UInt32(IP_VS_SVC_F_PERSISTENT) != 0 else { return }
        let mask: UInt32 = attributes.number(IPVS_SVC_ATTR_NETMASK) ?? 0
        persistence = Persistence(
            timeoutSeconds: attributes.number(IPVS_SVC_ATTR_TIMEOUT) ?? 0,
            prefixLength: family == .v4 ? mask.nonzeroBitCount : Int(mask),
            engine: attributes.text(IPVS_SVC_ATTR_PE_NAME))
    }

    /// Without what the kernel says of itself, and what persistence says.
    private static let settable = UInt32(
        IP_VS_SVC_F_ONEPACKET | IP_VS_SVC_F_SCHED1 | IP_VS_SVC_F_SCHED2 | IP_VS_SVC_F_SCHED3)
}

extension IPVSDestination {
    /// Reads the answer to IPVS_CMD_GET_DEST; nil when something is missing or unknown.
    package init?(reply message: NetlinkMessage, of family: IPAddress.Family) {
        let attributes = message.attributes(after: genlmsghdr.self).nested(IPVS_CMD_ATTR_DEST)

        // Kernels that know only one family do not say it.
        let number = attributes.number(IPVS_DEST_ATTR_ADDR_FAMILY, as: UInt16.self)
        let family = number.flatMap { IPAddress.Family(ipvsNumber: $0) } ?? family
        guard let address = attributes.ipvsAddress(IPVS_DEST_ATTR_ADDR, family),
            let port = attributes.number(IPVS_DEST_ATTR_PORT, as: UInt16.self),
            let method = attributes.number(IPVS_DEST_ATTR_FWD_METHOD, as: UInt32.self),
            let weight = attributes.number(IPVS_DEST_ATTR_WEIGHT, as: UInt32.self)
        else { return nil }
        let forwarding: Forwarding
        switch CInt(method & UInt32(IP_VS_CONN_F_FWD_MASK)) {
        case IP_VS_CONN_F_MASQ: forwarding = .masquerading
        case IP_VS_CONN_F_TUNNEL:
            forwarding = .tunnel(
                Tunnel(
                    type: attributes.number(IPVS_DEST_ATTR_TUN_TYPE) ?? 0,
                    port: UInt16(bigEndian: attributes.number(IPVS_DEST_ATTR_TUN_PORT) ?? 0),
                    flags: attributes.number(IPVS_DEST_ATTR_TUN_FLAGS) ?? 0))
        // What is on this machine is answered by it, whatever was asked for.
        case IP_VS_CONN_F_DROUTE, IP_VS_CONN_F_LOCALNODE: forwarding = .directRouting
        default: return nil
        }
        self.init(address, port: UInt16(bigEndian: port), forwarding, weight: weight)
        upperThreshold = attributes.number(IPVS_DEST_ATTR_U_THRESH) ?? 0
        lowerThreshold = attributes.number(IPVS_DEST_ATTR_L_THRESH) ?? 0
    }
}

extension IPVSDestination.Forwarding {
    /// IP_VS_CONN_F_...
    fileprivate var number: UInt32 {
        switch self {
        case .masquerading: UInt32(IP_VS_CONN_F_MASQ)
        case .directRouting: UInt32(IP_VS_CONN_F_DROUTE)
        case .tunnel: UInt32(IP_VS_CONN_F_TUNNEL)
        }
    }
}

extension IPAddress {
    /// `union nf_inet_addr`: 16 octets, of which an IPv4 address has the first four.
    fileprivate var ipvsOctets: [UInt8] {
        octets + [UInt8](repeating: 0, count: 16 - octets.count)
    }
}

extension IPAddress.Family {
    fileprivate init?(ipvsNumber: UInt16) {
        switch CInt(ipvsNumber) {
        case AF_INET: self = .v4
        case AF_INET6: self = .v6
        default: return nil
        }
    }
}

extension Attributes {
    fileprivate func ipvsAddress(_ type: Int, _ family: IPAddress.Family) -> IPAddress? {
        bytes(type).flatMap { IPAddress(octets: $0.prefix(family == .v4 ? 4 : 16)) }
    }
}
