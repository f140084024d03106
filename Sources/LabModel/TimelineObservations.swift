public import NetworkTypes

// What the longer kinds of event say: the wire, the kernels, the daemons, and the timeline itself.

extension TimelineEvent {
    /// What a captured advertisement said.
    public struct Advertisement: Codable, Equatable, Sendable {
        /// Whose port it entered by, whatever its source address says.
        public var node: String
        public var interface: String
        public var source: IPAddress
        public var version: Int
        public var vrid: Int
        public var priority: Int
        /// The advertised interval.
        @Nanoseconds public var interval: Duration
        public var addresses: [IPAddress]
        /// Why every receiver discards it, as far as that can be seen: `wrong checksum`.
        public var flaw: String?

        public init(
            node: String, interface: String, source: IPAddress, version: Int, vrid: Int,
            priority: Int,
            interval: Duration, addresses: [IPAddress], flaw: String? = nil
        ) {
            self.node = node
            self.interface = interface
            self.source = source
            self.version = version
            self.vrid = vrid
            self.priority = priority
            self.interval = interval
            self.addresses = addresses
            self.flaw = flaw
        }
    }

    /// What a captured ARP packet (RFC 826) said.
    public struct ARP: Codable, Equatable, Sendable {
        /// Whose port it entered by, whatever addresses it bears.
        public var node: String
        public var interface: String
        public var operation: Operation
        /// Who asks or answers; 0.0.0.0 in a probe (RFC 5227 §2.1.1).
        public var sender: IPv4Address
        public var senderMAC: MACAddress
        /// Whom it asks for or answers.
        public var target: IPv4Address
        /// Without meaning in a request.
        public var targetMAC: MACAddress

        /// ARP's two operations.
        public enum Operation: String, Codable, Sendable { case request, reply }

        public init(
            node: String, interface: String, operation: Operation, sender: IPv4Address,
            senderMAC: MACAddress, target: IPv4Address, targetMAC: MACAddress
        ) {
            self.node = node
            self.interface = interface
            self.operation = operation
            self.sender = sender
            self.senderMAC = senderMAC
            self.target = target
            self.targetMAC = targetMAC
        }
    }

    /// A route as the kernel has it.
    public struct Route: Codable, Hashable, Sendable {
        /// Where to; a length of 0 is the default route.
        public var destination: IPPrefix
        /// The word `ip route` has for its type: `unicast`, `local`, `broadcast`, `blackhole`...
        public var type: String
        /// The next hop; nil for a network on the link, and for several.
        public var gateway: IPAddress?
        /// The interface; nil for a route of no interface, and for several.
        public var interface: String?
        public var metric: UInt32?
        /// The routing table: 254 is `main`; 255, `local`, is the kernel's own.
        public var table: UInt32

        public init(
            destination: IPPrefix, type: String = "unicast", gateway: IPAddress? = nil,
            interface: String? = nil, metric: UInt32? = nil, table: UInt32 = 254
        ) {
            self.destination = destination
            self.type = type
            self.gateway = gateway
            self.interface = interface
            self.metric = metric
            self.table = table
        }
    }

    /// What a node's kernel knows about a station on the link.
    public struct Neighbour: Codable, Equatable, Sendable {
        public var node: String
        public var interface: String
        public var address: IPAddress
        /// Its Ethernet address; nil while nobody answered.
        public var mac: MACAddress?
        public var state: State

        /// How sure the kernel is (`NUD_*`, RFC 4861 §7.3.2), in the words of `ip neighbour`.
        public enum State: String, Codable, Sendable {
            case none, incomplete, reachable, stale, delay, probe, failed, noarp, permanent
        }

        public init(
            node: String, interface: String, address: IPAddress, mac: MACAddress?, state: State
        ) {
            self.node = node
            self.interface = interface
            self.address = address
            self.mac = mac
            self.state = state
        }
    }

    /// The state that a daemon says one of its virtual routers is in.
    public struct Claim: Codable, Equatable, Sendable {
        public var node: String
        public var service: String
        /// The `vrrp_instance`'s name; for FRR, interface and VRID: `eth0/51`.
        public var instance: String
        public var state: RouterState
        public var source: Source

        /// The states of a virtual router, in the words of RFC 3768 and keepalived.
        public enum RouterState: String, Codable, Sendable {
            case initialize = "INITIALIZE"
            case backup = "BACKUP"
            case master = "MASTER"
            case fault = "FAULT"
        }

        /// How it says so.
        public enum Source: String, Codable, Sendable {
            /// By a message with its own time, as our agent does to its service manager
            /// (sd_notify(3)), and with `--log-format json`.
            case message
            /// By a line of its log.
            case log
        }

        public init(
            node: String, service: String, instance: String, state: RouterState, source: Source
        ) {
            self.node = node
            self.service = service
            self.instance = instance
            self.state = state
            self.source = source
        }
    }

    /// That a check which is to hold over a whole run did not.
    public struct Violation: Codable, Equatable, Sendable {
        /// The check in words: `at most one owner of 10.0.0.100`.
        public var check: String
        /// From when on it did not hold.
        public var since: MonotonicInstant
        /// Until when; nil while it does not.
        public var until: MonotonicInstant?
        /// What was seen instead.
        public var text: String
        /// What brought it about, in words: `link master:eth0 down`; nil where that is not known.
        public var cause: String?

        public init(
            check: String, since: MonotonicInstant, until: MonotonicInstant? = nil, text: String,
            cause: String? = nil
        ) {
            self.check = check
            self.since = since
            self.until = until
            self.text = text
            self.cause = cause
        }
    }

    /// Something the supervisor was told too fast to read, or did not care to.
    public struct Loss: Codable, Equatable, Sendable {
        public var what: What
        /// How many; nil where the kernel does not say.
        public var count: Int?
        /// What was read anew, so that the timeline is right again from here on.
        public var resynchronised: [Subject]

        /// Whose frames they were; nil where that is not known.
        public var node: String?

        /// What was lost.
        public enum What: String, Codable, Sendable {
            case notifications, frames
            /// Frames of an imposter that sends more than the timeline takes.
            case flood
        }

        /// What can be read anew.
        public enum Subject: String, Codable, CaseIterable, Sendable {
            case links, addresses, routes, neighbours
        }

        public init(
            _ what: What, count: Int? = nil, resynchronised: [Subject] = [], node: String? = nil
        ) {
            self.what = what
            self.node = node
            self.count = count
            self.resynchronised = resynchronised
        }
    }
}
