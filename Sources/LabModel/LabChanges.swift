extension Lab {
    /// The lab as `scenario` wants it: the scenario's files in place of the nodes' own, or beside
    /// them.
    public func applying(scenario: Scenario) -> Lab {
        var lab = self
        for replacement in scenario.files {
            guard let node = lab.nodes.firstIndex(where: { $0.name == replacement.node }) else {
                continue
            }
            let path = replacement.file.path
            if let file = lab.nodes[node].files.firstIndex(where: { $0.path == path }) {
                lab.nodes[node].files[file] = replacement.file
            } else {
                lab.nodes[node].files.append(replacement.file)
            }
        }
        return lab
    }

    /// The lab with another VRRP daemon behind the services that are one: the choices of `--vrrp`,
    /// a later one over an earlier one.
    ///
    /// - Throws: A diagnostic about `--vrrp`, when a node is unknown or has no VRRP daemon.
    public func replacingVRRPDaemon(_ choices: [VRRPDaemonChoice]) throws(Diagnostic) -> Lab {
        var lab = self
        for choice in choices {
            if let node = choice.node { try lab.checkDaemon(of: node) }
            for node in lab.nodes.indices {
                guard choice.node == nil || choice.node == lab.nodes[node].name else { continue }
                for service in lab.nodes[node].services.indices
                where lab.nodes[node].services[service].kind.speaksVRRP {
                    try lab.replaceDaemon(service, of: node, with: choice.kind)
                }
            }
        }
        return lab
    }

    /// The lab with `kind` as the VRRP daemon of `nodes`, or of every node.
    ///
    /// - Throws: As the other.
    /// - Precondition: `kind` speaks VRRP.
    public func replacingVRRPDaemon(
        with kind: Service.Kind, nodes: [String]? = nil
    ) throws(Diagnostic) -> Lab {
        try replacingVRRPDaemon(
            nodes.map { $0.map { VRRPDaemonChoice(node: $0, kind: kind) } }
                ?? [VRRPDaemonChoice(kind: kind)])
    }

    /// Which service is in the way of a scenario that needs our own VRRP daemon; nil where none is.
    public func obstacle(to scenario: Scenario) -> String? {
        guard (needs + scenario.needs).contains(.vrrpAgent) else { return nil }
        for node in nodes {
            for service in node.services
            where service.kind.speaksVRRP && service.kind != .vrrpAgent {
                return "vrrp-agent: \(node.name)/\(service.name) is \(service.kind.rawValue)"
            }
        }
        return nil
    }

    private mutating func replaceDaemon(
        _ index: Int, of node: Int, with kind: Service.Kind
    ) throws(Diagnostic) {
        var service = nodes[node].services[index]
        // A file of the one's grammar is none of the other's.
        if service.kind.defaultConfiguration != kind.defaultConfiguration {
            service.configuration = nil
            service.arguments = []
        }
        service.kind = kind
        nodes[node].services[index] = service
        let name = nodes[node].name
        let path = service.configurationPath
        let isThere =
            nodes[node].files.contains { $0.path == path }
            || !scenarios.isEmpty
                && scenarios.allSatisfy { scenario in
                    scenario.files.contains { $0.node == name && $0.file.path == path }
                }
        guard isThere || !service.startsWithNode else {
            throw problem(
                "kind \(kind.rawValue) reads \(path), which is not among the files of node \(name)")
        }
    }

    private func problem(_ message: String) -> Diagnostic {
        Diagnostic(file: "--vrrp", line: 0, column: 0, message: message)
    }

    private func checkDaemon(of name: String) throws(Diagnostic) {
        guard let node = node(name) else {
            let hint = SpellingSuggestion.hint(
                for: name, among: nodes.map(\.name), known: "its nodes are")
            throw problem("lab \(self.name) has no node '\(name)'\(hint)")
        }
        guard node.services.contains(where: { $0.kind.speaksVRRP }) else {
            throw problem("node \(name) has no VRRP daemon to replace")
        }
    }
}

/// Which VRRP daemon a node is to run: what `--vrrp [NODE=]KIND` says.
public struct VRRPDaemonChoice: Hashable, Sendable, CustomStringConvertible {
    /// The node; nil for every node that has a VRRP daemon.
    public var node: String?
    /// The daemon.
    public var kind: Service.Kind

    /// - Precondition: `kind` speaks VRRP.
    public init(node: String? = nil, kind: Service.Kind) {
        precondition(kind.speaksVRRP, "only a VRRP daemon can take the place of one")
        self.node = node
        self.kind = kind
    }

    /// Parses `KIND` or `NODE=KIND`; nil for anything else, kinds that speak no VRRP included.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let kind = parts.last.flatMap({ Service.Kind(rawValue: String($0)) }),
            kind.speaksVRRP, parts.count == 1 || !parts[0].isEmpty
        else { return nil }
        self.init(node: parts.count == 2 ? String(parts[0]) : nil, kind: kind)
    }

    public var description: String { (node.map { "\($0)=" } ?? "") + kind.rawValue }
}

extension Lab {
    /// How long a lab's name may be, in bytes.
    public static let maximumNameLength = 32

    /// Whether `name` can be a lab's: 1 to 32 of a-z, 0-9 and `-`, beginning with a letter or
    /// digit.
    public static func isValidName(_ name: String) -> Bool {
        (1...maximumNameLength).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: "-")
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }
}
