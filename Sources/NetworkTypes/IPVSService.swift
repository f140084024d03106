/// A service of the kernel's load balancer (ip_vs): what clients connect to, and how one of the
/// machines behind it is chosen.
public struct IPVSService: Hashable, Sendable {
    /// What tells services apart.
    public enum Key: Hashable, Sendable {
        /// Packets of a protocol to an address; port 0: to all ports.
        case address(IPAddress, transport: Transport, port: UInt16)
        /// Packets of a family with a firewall mark.
        case mark(UInt32, IPAddress.Family)
    }

    /// A protocol that the kernel balances, by its number over IP.
    public enum Transport: UInt8, Hashable, Sendable {
        case tcp = 6
        case udp = 17
        case sctp = 132
    }

    /// How long a client keeps the machine it was given, and which clients count as one.
    public struct Persistence: Hashable, Sendable {
        /// In whole seconds, as the kernel counts.
        public var timeoutSeconds: UInt32
        /// The length of the prefix that such clients share.
        public var prefixLength: Int
        /// `sip`: what else makes two clients one; nil: nothing.
        public var engine: String?

        public init(timeoutSeconds: UInt32, prefixLength: Int, engine: String? = nil) {
            self.timeoutSeconds = timeoutSeconds
            self.prefixLength = prefixLength
            self.engine = engine
        }
    }

    /// What tells it from others.
    public var key: Key
    /// The kernel's name of the scheduler: `rr`, `wlc`...
    public var scheduler: String
    /// IP_VS_SVC_F_ONEPACKET and IP_VS_SVC_F_SCHED1 to 3.
    public var flags: UInt32
    /// Nil: every connection is scheduled anew.
    public var persistence: Persistence?

    public init(
        _ key: Key, scheduler: String, flags: UInt32 = 0, persistence: Persistence? = nil
    ) {
        self.key = key
        self.scheduler = scheduler
        self.flags = flags
        self.persistence = persistence
    }

    /// The family of what clients connect to.
    public var family: IPAddress.Family {
        switch key {
        case .address(let address, _, _): address.family
        case .mark(_, let family): family
        }
    }
}

/// A machine behind a service of the kernel's load balancer.
public struct IPVSDestination: Hashable, Sendable {
    /// How packets reach it.
    public enum Forwarding: Hashable, Sendable {
        /// With its address in place of the service's.
        case masquerading
        /// As they are, with its Ethernet address.
        case directRouting
        /// As they are, in a packet to it.
        case tunnel(Tunnel)
    }

    /// What packets are wrapped in, by the kernel's numbers.
    public struct Tunnel: Hashable, Sendable {
        /// IP_VS_CONN_F_TUNNEL_TYPE: 0 IP in IP, 1 generic UDP encapsulation, 2 GRE.
        public var type: UInt8
        /// Of generic UDP encapsulation; else 0.
        public var port: UInt16
        /// IP_VS_TUNNEL_ENCAP_FLAG: 0 none, 1 checksums, 2 remote checksum offload.
        public var flags: UInt16

        public init(type: UInt8 = 0, port: UInt16 = 0, flags: UInt16 = 0) {
            self.type = type
            self.port = port
            self.flags = flags
        }
    }

    /// Its address.
    public var address: IPAddress
    /// Its port; 0: the one the client asked for.
    public var port: UInt16
    /// How packets reach it.
    public var forwarding: Forwarding
    /// Its share; at 0 it gets no new connections.
    public var weight: UInt32
    /// Connections above which it gets no more; 0: no limit.
    public var upperThreshold: UInt32 = 0
    /// Connections below which it gets more again; 0: three quarters of the upper one.
    public var lowerThreshold: UInt32 = 0

    public init(_ address: IPAddress, port: UInt16, _ forwarding: Forwarding, weight: UInt32) {
        self.address = address
        self.port = port
        self.forwarding = forwarding
        self.weight = weight
    }
}

/// A change of the kernel's table of services.
public enum IPVSCommand: Hashable, Sendable {
    case addService(IPVSService)
    case editService(IPVSService)
    /// With all destinations it has.
    case deleteService(IPVSService)
    case addDestination(IPVSDestination, to: IPVSService)
    case editDestination(IPVSDestination, of: IPVSService)
    case deleteDestination(IPVSDestination, of: IPVSService)
    /// All services go.
    case flush
}

// What ipvsadm(8) would be called with.

extension IPVSService: CustomStringConvertible {
    public var description: String {
        var words = "\(key) -s \(scheduler)"
        if flags & 0x4 != 0 { words += " -o" }
        let names = [(0x08, "flag-1"), (0x10, "flag-2"), (0x20, "flag-3")].filter {
            flags & UInt32($0.0) != 0
        }
        if !names.isEmpty { words += " -b " + names.map(\.1).joined(separator: ",") }
        guard let persistence else { return words }
        words += " -p \(persistence.timeoutSeconds)"
        if persistence.prefixLength != (family == .v4 ? 32 : 128) {
            words += " -M \(persistence.mask(family))"
        }
        if let engine = persistence.engine { words += " --pe \(engine)" }
        return words
    }
}

extension IPVSService.Persistence {
    fileprivate func mask(_ family: IPAddress.Family) -> String {
        guard family == .v4 else { return "\(prefixLength)" }
        return "\(IPv4Address(rawValue: prefixLength == 0 ? 0 : .max << UInt32(32 - prefixLength)))"
    }
}

extension IPVSService.Key: CustomStringConvertible {
    public var description: String {
        switch self {
        case .address(let address, .tcp, let port): "-t \(Self.pair(address, port))"
        case .address(let address, .udp, let port): "-u \(Self.pair(address, port))"
        case .address(let address, .sctp, let port): "--sctp-service \(Self.pair(address, port))"
        case .mark(let mark, .v4): "-f \(mark)"
        case .mark(let mark, .v6): "-f \(mark) -6"
        }
    }

    fileprivate static func pair(_ address: IPAddress, _ port: UInt16) -> String {
        address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}

extension IPVSDestination: CustomStringConvertible {
    public var description: String {
        var words = "\(name) \(forwarding) -w \(weight)"
        if upperThreshold != 0 { words += " -x \(upperThreshold)" }
        if lowerThreshold != 0 { words += " -y \(lowerThreshold)" }
        return words
    }

    fileprivate var name: String { "-r \(IPVSService.Key.pair(address, port))" }
}

extension IPVSDestination.Forwarding: CustomStringConvertible {
    public var description: String {
        switch self {
        case .masquerading: return "-m"
        case .directRouting: return "-g"
        case .tunnel(let tunnel):
            guard tunnel.type != 0 else { return "-i" }
            var words = "-i --tun-type \(tunnel.type == 1 ? "gue" : "gre")"
            if tunnel.type == 1 { words += " --tun-port \(tunnel.port)" }
            switch tunnel.flags {
            case 1: words += " --tun-csum"
            case 2: words += " --tun-remcsum"
            default: break
            }
            return words
        }
    }
}

extension IPVSCommand: CustomStringConvertible {
    public var description: String {
        switch self {
        case .addService(let service): "ipvsadm -A \(service)"
        case .editService(let service): "ipvsadm -E \(service)"
        case .deleteService(let service): "ipvsadm -D \(service.key)"
        case .addDestination(let destination, let service):
            "ipvsadm -a \(service.key) \(destination)"
        case .editDestination(let destination, let service):
            "ipvsadm -e \(service.key) \(destination)"
        case .deleteDestination(let destination, let service):
            "ipvsadm -d \(service.key) \(destination.name)"
        case .flush: "ipvsadm -C"
        }
    }
}
