public import NetworkTypes

/// A lab, complete: every name checked, every address and MAC address assigned, every file read.
///
/// It is what `Lab.decode` makes of a lab file and what the supervisor is given; nothing else about
/// the lab file is needed to build it, so it can travel as JSON and be built on another day.
public struct Lab: Codable, Equatable, Sendable {
    /// The lab's name: 1 to 32 of a-z, 0-9 and `-`, beginning with a letter or digit.
    public var name: String
    /// Its broadcast networks, in the order of the file.
    public var networks: [Network]
    /// Its nodes, in the order of the file.
    public var nodes: [Node]
    /// Its point-to-point links, in the order of the file.
    public var links: [Link]
    /// Its scenarios, in the order of the file.
    public var scenarios: [Scenario]
    /// What a machine must be able to do for the lab to be of any use on it.
    public var needs: [Scenario.Capability]
    /// What of it can be reached by ports of the host.
    public var published: [PublishedPort]

    public init(
        name: String, networks: [Network] = [], nodes: [Node] = [], links: [Link] = [],
        scenarios: [Scenario] = [], needs: [Scenario.Capability] = [],
        published: [PublishedPort] = []
    ) {
        self.name = name
        self.networks = networks
        self.nodes = nodes
        self.links = links
        self.scenarios = scenarios
        self.needs = needs
        self.published = published
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        networks = try values.decode([Network].self, forKey: .networks)
        nodes = try values.decode([Node].self, forKey: .nodes)
        links = try values.decode([Link].self, forKey: .links)
        scenarios = try values.decode([Scenario].self, forKey: .scenarios)
        // Runs were recorded before a lab as a whole could need anything.
        needs = try values.decodeIfPresent([Scenario.Capability].self, forKey: .needs) ?? []
        published = try values.decodeIfPresent([PublishedPort].self, forKey: .published) ?? []
    }

    /// The nodes by their interfaces' Ethernet addresses.
    public var stations: [MACAddress: String] {
        let pairs = nodes.flatMap { node in node.interfaces.map { ($0.mac, node.name) } }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// The node of that name.
    public func node(_ name: String) -> Node? { nodes.first { $0.name == name } }
}

/// A broadcast network: one bridge in the lab's fabric.
public struct Network: Codable, Equatable, Sendable {
    /// The name nodes' interfaces refer to; the bridge's device name as well, so an interface name.
    public var name: InterfaceName
    /// Its subnets, at most one of each family today's labs use; they do not overlap another
    /// network's.
    public var subnets: [IPPrefix]
    /// The MTU of the bridge and of every interface on it that gives none; nil for the kernel's
    /// 1500.
    public var mtuBytes: Int?
    /// How it is joined to what is outside of the lab; nil for not at all.
    public var external: ExternalNetwork?
    /// The addresses of the lab's own station on it; nil where there is none.
    public var gateway: [InterfaceAddress]?

    public init(
        name: InterfaceName, subnets: [IPPrefix] = [], mtuBytes: Int? = nil,
        external: ExternalNetwork? = nil, gateway: [InterfaceAddress]? = nil
    ) {
        self.name = name
        self.subnets = subnets
        self.mtuBytes = mtuBytes
        self.external = external
        self.gateway = gateway
    }
}

/// A node: a small machine with interfaces, files and services.
public struct Node: Codable, Equatable, Sendable {
    /// Its name and hostname: a DNS label of at most 32 bytes; not `host` or `lo`.
    public var name: String
    /// Its interfaces, in the order of the file; the first gets interface index 2, and so on.
    public var interfaces: [Interface]
    /// Its static routes, a default route from `gateway` among them.
    public var routes: [Route]
    /// Kernel parameters as `sysctl` names them (`net.ipv4.ip_forward`), in the order of the file.
    public var sysctls: [Sysctl]
    /// Environment variables of its services and of `exec`, in the order of the file.
    public var environment: [EnvironmentVariable]
    /// Files laid over its private file system before its services start.
    public var files: [NodeFile]
    /// Its services, in the order they are started.
    public var services: [Service]

    public init(
        name: String, interfaces: [Interface] = [], routes: [Route] = [], sysctls: [Sysctl] = [],
        environment: [EnvironmentVariable] = [], files: [NodeFile] = [], services: [Service] = []
    ) {
        self.name = name
        self.interfaces = interfaces
        self.routes = routes
        self.sysctls = sysctls
        self.environment = environment
        self.files = files
        self.services = services
    }

    /// The service (unit) of that name.
    public func service(_ name: String) -> Service? { services.first { $0.name == name } }
}

/// A node's network interface: the node's end of a veth pair.
public struct Interface: Codable, Equatable, Sendable {
    /// The device's name in the node.
    public var name: InterfaceName
    /// What the other end is plugged into.
    public var attachment: Attachment
    /// Its addresses with their prefix lengths, given or assigned.
    public var addresses: [InterfaceAddress]
    /// Its Ethernet address: given, or derived from lab, node and interface names (locally
    /// administered, unicast).
    public var mac: MACAddress
    /// Its MTU; nil for its network's, or the kernel's 1500.
    public var mtuBytes: Int?

    /// What an interface is plugged into.
    public enum Attachment: Codable, Equatable, Sendable {
        /// The network of that name.
        case network(InterfaceName)
        /// One end of the point-to-point link with that index in `Lab.links`.
        case link(Int)
    }

    public init(
        name: InterfaceName, attachment: Attachment, addresses: [InterfaceAddress] = [],
        mac: MACAddress,
        mtuBytes: Int? = nil
    ) {
        self.name = name
        self.attachment = attachment
        self.addresses = addresses
        self.mac = mac
        self.mtuBytes = mtuBytes
    }
}

/// A point-to-point link between two nodes' interfaces.
public struct Link: Codable, Equatable, Sendable {
    /// Its two ends.
    public var endpoints: [Endpoint]

    public init(endpoints: [Endpoint]) { self.endpoints = endpoints }
}

/// An interface of a node, as the network sees it: `master:eth0`.
public struct Endpoint: Hashable, Sendable, TextCodable {
    public var node: String
    public var interface: InterfaceName

    public init(node: String, interface: InterfaceName) {
        self.node = node
        self.interface = interface
    }

    public static var textName: String { "NODE:INTERFACE" }
    public static func parse(_ text: String) -> Self? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let interface = InterfaceName(parts[1])
        else { return nil }
        return Self(node: String(parts[0]), interface: interface)
    }

    public var description: String { "\(node):\(interface)" }
}

/// A static route of a node. Like `ip route add DESTINATION via GATEWAY dev INTERFACE`.
public struct Route: Codable, Equatable, Sendable {
    /// Where to; nil for the default route.
    public var destination: IPPrefix?
    /// The next hop; nil for a destination on the interface's own link.
    public var gateway: IPAddress?
    /// The device; nil when the gateway decides.
    public var interface: InterfaceName?

    public init(destination: IPPrefix?, gateway: IPAddress?, interface: InterfaceName? = nil) {
        self.destination = destination
        self.gateway = gateway
        self.interface = interface
    }
}

/// A kernel parameter of a node.
public struct Sysctl: Codable, Equatable, Sendable {
    /// The name as `sysctl` writes it: `net.ipv4.ip_nonlocal_bind`.
    public var name: String
    /// The value as text.
    public var value: String
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// An environment variable.
public struct EnvironmentVariable: Codable, Equatable, Sendable {
    public var name: String
    public var value: String
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A file laid into a node.
public struct NodeFile: Codable, Equatable, Sendable {
    /// Its absolute path in the node; folders on the way are made.
    public var path: String
    /// Its whole content.
    public var contents: [UInt8]
    /// Its permission bits; 0o644 unless the lab file says otherwise.
    public var mode: UInt16
    /// Its owner's name or number; root when nil.
    public var owner: String?
    /// Its group's name or number; the owner's number or root when nil.
    public var group: String?
    /// The file it came from, as messages name it (relative to the working directory); nil for
    /// `text`.
    public var source: String?

    public init(
        path: String, contents: [UInt8], mode: UInt16 = 0o644, owner: String? = nil,
        group: String? = nil,
        source: String? = nil
    ) {
        self.path = path
        self.contents = contents
        self.mode = mode
        self.owner = owner
        self.group = group
        self.source = source
    }
}

/// A service of a node: what systemd would call a unit.
public struct Service: Codable, Equatable, Sendable {
    /// The unit's name, and the name its process shows in `ps`.
    public var name: String
    /// Other names by which the node's own `systemctl` and `labctl` find it; see
    /// ``Node/aliases(of:)``.
    public var aliases: [String]
    /// What runs.
    public var kind: Kind
    /// The program's configuration file, for the kinds that read one; nil for the kind's own.
    public var configuration: String?
    /// The command with its arguments, for `kind: command`; further arguments of the program for
    /// other kinds.
    public var arguments: [String]
    /// When it is ready; nil for the kind's own rule.
    public var readiness: Readiness?
    /// What happens when its process ends by itself.
    public var restart: RestartPolicy
    /// Whether the lab starts it (`autostart: false` leaves it to a scenario or the user).
    public var startsWithNode: Bool

    /// The program behind a service.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// The toy web server: /var/www/html on port 80.
        case http
        /// The toy echo server: what comes to TCP or UDP port 7 goes back as it is.
        case echo
        /// The toy mail server: takes mail for the node's users on TCP port 25, and keeps it in
        /// /var/spool/mail.
        case smtp
        /// Our VRRP daemon.
        case vrrpAgent = "vrrp-agent"
        /// The real daemon, from Debian.
        case keepalived
        /// FRR's vrrpd and its zebra, from Debian.
        case frr
        /// Anything else.
        case command

        /// Whether this is a daemon that speaks VRRP.
        public var speaksVRRP: Bool { defaultConfiguration != nil }

        /// The file that a VRRP daemon of this kind reads unless told otherwise; nil for other
        /// kinds.
        public var defaultConfiguration: String? {
            switch self {
            case .vrrpAgent, .keepalived: "/etc/keepalived/keepalived.conf"
            case .frr: "/etc/frr/frr.conf"
            case .http, .echo, .smtp, .command: nil
            }
        }
    }

    /// When a service counts as ready.
    public enum Readiness: Codable, Equatable, Sendable {
        /// As soon as its program has been executed.
        case started
        /// When it sends `READY=1` to $NOTIFY_SOCKET, as sd_notify(3) does.
        case notify
        /// When a socket in the node listens on that TCP port.
        case tcpPort(UInt16)
        /// When that file exists in the node.
        case file(String)
        /// When that command, run in the node, exits with 0.
        case command([String])
        /// When its program has exited with 0 and left a daemon behind, as those do that are not
        /// told to stay in the foreground. The daemon is the process whose number is in the file,
        /// if one is given.
        case daemon(pidFile: String?)
    }

    /// What happens when the process ends by itself; the words of docker and systemd.
    public enum RestartPolicy: String, Codable, CaseIterable, Sendable {
        case no
        case onFailure = "on-failure"
        case always
    }

    public init(
        name: String, aliases: [String] = [], kind: Kind, configuration: String? = nil,
        arguments: [String] = [],
        readiness: Readiness? = nil, restart: RestartPolicy = .no, startsWithNode: Bool = true
    ) {
        self.name = name
        self.aliases = aliases
        self.kind = kind
        self.configuration = configuration
        self.arguments = arguments
        self.readiness = readiness
        self.restart = restart
        self.startsWithNode = startsWithNode
    }
}
