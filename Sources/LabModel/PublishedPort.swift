public import NetworkTypes

/// A port of the host behind which is a port of a lab: as `docker run --publish` has them, with the
/// target's address in the lab, and so word for word as `ssh -L` has them.
///
/// TCP only.
public struct PublishedPort: Codable, Hashable, Sendable, CustomStringConvertible {
    /// The host's address; 127.0.0.1 where none is written, so that only the host itself gets in.
    public var hostAddress: IPAddress
    /// The host's port; 0 for any that is free, until the lab is up.
    public var hostPort: UInt16
    /// The address in the lab, a virtual one as a rule.
    public var address: IPAddress
    /// The port there.
    public var port: UInt16

    public init(hostAddress: IPAddress, hostPort: UInt16, address: IPAddress, port: UInt16) {
        self.hostAddress = hostAddress
        self.hostPort = hostPort
        self.address = address
        self.port = port
    }

    /// Where to knock on the host: `127.0.0.1:8080`, `[::1]:8080`.
    public var host: String { "\(TransportAddress(hostAddress, port: hostPort))" }
    /// What is behind it: `192.168.69.100:80`.
    public var target: String { "\(TransportAddress(address, port: port))" }

    /// `127.0.0.1:8080 -> 192.168.69.100:80`.
    public var description: String { "\(host) -> \(target)" }
}

/// A published port as written: `[HOST_ADDRESS:]HOST_PORT:ADDRESS:PORT`, an IPv6 address in
/// brackets, or a node in place of the address.
public struct WrittenPublication: Equatable, Sendable {
    /// The host's side.
    public var hostAddress: IPAddress
    public var hostPort: UInt16
    /// An address in the lab, or a node's name.
    public var target: String
    public var port: UInt16

    /// What is wrong with a text, and what would be right.
    public struct Problem: Error, Equatable, Sendable {
        public var message: String
    }

    /// Reads one.
    ///
    /// - Throws: ``Problem``: `'8080:80' names no address in the lab: ...`.
    public init(_ text: String) throws(Problem) {
        let example = "as '8080:192.168.69.100:80'"
        var words = text
        if let arrow = Self.withoutArrow(text) {
            throw Problem(message: "'\(text)' is written '\(arrow)'")
        }
        if let slash = words.lastIndex(of: "/") {
            guard words[slash...].lowercased() == "/tcp" else {
                throw Problem(
                    message: "'\(text)' cannot be published: only TCP is, \(example)")
            }
            words = String(words[..<slash])
        }
        guard let parts = Self.parts(of: words) else {
            throw Problem(
                message: "'\(text)' is no [HOST_ADDRESS:]HOST_PORT:ADDRESS:PORT, \(example)")
        }
        switch parts.count {
        case 1, 2:
            let ports = parts.count == 2 && parts.allSatisfy { UInt16($0) != nil }
            throw Problem(
                message: "'\(text)' names no address in the lab: write "
                    + (ports ? "'\(parts[0]):ADDRESS:\(parts[1])', " : "")
                    + "HOST_PORT:ADDRESS:PORT, \(example)")
        case 3, 4: break
        default:
            throw Problem(
                message: "'\(text)' is no [HOST_ADDRESS:]HOST_PORT:ADDRESS:PORT, \(example); "
                    + "an IPv6 address stands in brackets")
        }
        hostAddress = .v4(IPv4Address(127, 0, 0, 1))
        if parts.count == 4 {
            guard let address = IPAddress(parts[0]), !address.isMulticast else {
                throw Problem(
                    message: "'\(parts[0])' in '\(text)' is no address of this machine, "
                        + "as '127.0.0.1' or '0.0.0.0' are")
            }
            hostAddress = address
        }
        let rest = parts.suffix(3).map { $0 }
        hostPort = try Self.port(rest[0], in: text, least: 0)
        target = rest[1]
        port = try Self.port(rest[2], in: text, least: 1)
        guard !target.isEmpty else {
            throw Problem(message: "'\(text)' names no address in the lab, \(example)")
        }
    }

    /// The right form of a text with an arrow in it; nil without one.
    private static func withoutArrow(_ text: String) -> String? {
        for arrow in ["->", "=>", "→"] {
            guard let place = text.firstRange(of: arrow) else { continue }
            let sides = [text[..<place.lowerBound], text[place.upperBound...]]
            return sides.map { $0.filter { $0 != " " } }.joined(separator: ":")
        }
        return nil
    }

    private static func port(
        _ text: String, in whole: String, least: UInt16
    ) throws(Problem) -> UInt16 {
        if let port = UInt16(text), port >= least, text.utf8.allSatisfy({ 48...57 ~= $0 }) {
            return port
        }
        throw Problem(
            message: "'\(text)' in '\(whole)' is no port from \(least) to 65535"
                + (text.contains("-") ? "; ports are published one by one" : ""))
    }

    /// The parts between colons, brackets taken off; nil where brackets are not as they should be.
    private static func parts(of text: String) -> [String]? {
        var parts: [String] = []
        var part = ""
        var isInside = false
        var wasInside = false
        for character in text {
            switch character {
            case "[" where part.isEmpty && !isInside && !wasInside: isInside = true
            case "]" where isInside: (isInside, wasInside) = (false, true)
            case "[", "]": return nil
            case ":" where !isInside:
                parts.append(part)
                (part, wasInside) = ("", false)
            case _ where wasInside: return nil
            default: part.append(character)
            }
        }
        return isInside ? nil : parts + [part]
    }
}

/// What published ports of a lab can lead to.
struct PublicationTargets {
    /// The networks with their subnets.
    var networks: [(name: String, subnets: [IPPrefix])]
    /// The nodes with their addresses, the first of which stands for the node.
    var nodes: [(name: String, addresses: [IPAddress])]

    /// A published port with its target's address found.
    func resolve(
        _ written: WrittenPublication
    ) throws(WrittenPublication.Problem) -> PublishedPort {
        let address = try address(of: written.target)
        return PublishedPort(
            hostAddress: written.hostAddress, hostPort: written.hostPort, address: address,
            port: written.port)
    }

    private func isOnNetwork(_ address: IPAddress) -> Bool {
        networks.contains { $0.subnets.contains { $0.contains(address) } }
    }

    private func address(of target: String) throws(WrittenPublication.Problem) -> IPAddress {
        if let address = IPAddress(target) {
            if isOnNetwork(address) { return address }
            let listed = networks.flatMap { network in
                network.subnets.map { "\(network.name), \($0)" }
            }
            throw .init(
                message: "address \(address) is on no network of the lab"
                    + (listed.isEmpty ? "" : ": there is \(listed.joined(separator: "; "))"))
        }
        guard let node = nodes.first(where: { $0.name == target }) else {
            throw .init(
                message: "'\(target)' is neither an address nor a node"
                    + SpellingSuggestion.hint(
                        for: target, among: nodes.map(\.name), known: "the lab's nodes are"))
        }
        guard let address = node.addresses.first(where: isOnNetwork) else {
            throw .init(
                message: "node \(target) has no address on a network of the lab with a subnet")
        }
        return address
    }

    /// So many can be published: each is a descriptor that the supervisor is started with.
    static let maximumCount = 128

    /// What is wrong with publishing that one beside those; nil for nothing.
    static func conflict(of port: PublishedPort, with others: [PublishedPort]) -> String? {
        guard others.count < maximumCount else {
            return "a lab publishes at most \(maximumCount) ports"
        }
        guard port.hostPort != 0 else { return nil }
        func isWildcard(_ address: IPAddress) -> Bool {
            address == .v4(.any) || address == .v6(.any)
        }
        let other = others.first { other in
            other.hostPort == port.hostPort
                && other.hostAddress.family == port.hostAddress.family
                && (other.hostAddress == port.hostAddress || isWildcard(other.hostAddress)
                    || isWildcard(port.hostAddress))
        }
        return other.map { "\(port.host) is published already, for \($0.target)" }
    }
}

extension Lab {
    /// The same lab with more ports published, each written as
    /// `[HOST_ADDRESS:]HOST_PORT:ADDRESS:PORT`.
    ///
    /// - Throws: A diagnostic with `--publish` as its file.
    public func publishing(_ texts: [String]) throws(Diagnostic) -> Lab {
        guard !texts.isEmpty else { return self }
        let targets = PublicationTargets(
            networks: networks.map { ($0.name.text, $0.subnets) },
            nodes: nodes.map { node in
                (node.name, node.interfaces.flatMap { $0.addresses.map(\.address) })
            })
        var lab = self
        for text in texts {
            do throws(WrittenPublication.Problem) {
                let port = try targets.resolve(WrittenPublication(text))
                if let conflict = PublicationTargets.conflict(of: port, with: lab.published) {
                    throw .init(message: conflict)
                }
                lab.published.append(port)
            } catch {
                throw Diagnostic(file: "--publish", line: 0, column: 0, message: error.message)
            }
        }
        for (place, _) in lab.networks.enumerated() {
            if let problem = lab.assignGateway(at: place) {
                throw Diagnostic(file: "--publish", line: 0, column: 0, message: problem)
            }
        }
        return lab
    }

    /// The same lab with nothing published: a test's, of which many run at a time.
    public var withoutPublishedPorts: Lab {
        var lab = self
        lab.published = []
        return lab
    }
}
