public import NetworkTypes

/// What of a host's resolv.conf(5) is of use in a lab.
public struct ResolverConfiguration: Equatable, Sendable {
    /// Those that a lab can reach: a resolver on the host's loopback device is none of them.
    public var nameServers: [IPAddress] = []
    /// The line that says in which domains names are looked up; nil for none.
    public var search: String?

    public init(nameServers: [IPAddress] = [], search: String? = nil) {
        self.nameServers = nameServers
        self.search = search
    }

    /// Reads a resolv.conf. Labs get out by IPv4 only, so that is what counts.
    public init(parsing text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }
            switch words.first {
            case "nameserver":
                if words.count > 1, case .v4(let address)? = IPAddress(words[1]),
                    !address.isLoopback
                {
                    nameServers.append(.v4(address))
                }
            case "search", "domain": search = words.dropFirst().joined(separator: " ")
            default: break
            }
        }
    }

    /// A node's resolv.conf.
    public var text: String {
        (search.map { "search \($0)\n" } ?? "")
            + nameServers.map { "nameserver \($0)\n" }.joined()
    }
}

extension Lab {
    /// The same lab, its nodes on NATed networks with the name servers of these networks, or
    /// the host's; a node that has a /etc/resolv.conf of its own keeps it.
    public func resolvingNames(by host: ResolverConfiguration) -> Lab {
        var lab = self
        for place in lab.nodes.indices {
            let node = lab.nodes[place]
            let networks = node.interfaces.compactMap { interface -> ExternalNetwork.NAT? in
                guard case .network(let name) = interface.attachment,
                    case .nat(let nat)? = lab.networks.first(where: { $0.name == name })?.external
                else { return nil }
                return nat
            }
            guard let nat = networks.first, !node.files.contains(where: { $0.path == Self.path })
            else { continue }
            var configuration = host
            if let given = nat.nameServers { configuration.nameServers = given }
            lab.nodes[place].files.append(
                NodeFile(path: Self.path, contents: Array(configuration.text.utf8)))
        }
        return lab
    }

    private static var path: String { "/etc/resolv.conf" }
}
