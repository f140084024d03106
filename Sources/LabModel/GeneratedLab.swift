import NetworkTypes

/// The text of a lab file for one of the topologies that everybody draws: what `labctl generate`
/// prints.
///
/// Routers forward by static routes, so that every host reaches every other as soon as the lab is
/// up. Hosts of a network are one entry of the file, with a `count`.
public struct GeneratedLab: Sendable {
    /// What is built.
    public enum Topology: Equatable, Sendable {
        /// Hosts on one network.
        case single(hosts: Int)
        /// Routers in a row, each with a network of hosts.
        case linear(routers: Int, hosts: Int)
        /// Routers as a tree of that many levels, `fanout` below each; those of the last level
        /// have a network of `fanout` hosts each.
        case tree(depth: Int, fanout: Int)
        /// Every leaf has a link to every spine, and a network of hosts.
        case leafSpine(spines: Int, leaves: Int, hosts: Int)
    }

    /// Why there is no such lab.
    public struct Problem: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    private let name: String
    private let topology: Topology
    private var networks: [(name: String, subnet: IPPrefix)] = []
    private var routers: [Router] = []
    private var hosts: [(name: String, count: Int, network: Int)] = []
    private var links: [(ends: (Int, Int), first: IPv4Address)] = []

    private struct Router {
        var name: String
        /// Its network of hosts.
        var network: Int?
        var routes: [(to: String, via: IPv4Address)] = []
    }

    /// Most nodes that a generated lab has.
    public static let maximumNodes = 9999
    /// Most hosts of a network: ports of a bridge, one of which is the router's.
    public static let maximumHosts = DeploymentPlan.maximumPortsPerBridge - 1

    /// Lays the topology out.
    ///
    /// - Throws: ``Problem`` for a number that is out of range, or too many nodes altogether.
    public init(_ topology: Topology, name: String) throws(Problem) {
        self.name = name
        self.topology = topology
        guard Lab.isValidName(name) else {
            throw Problem(
                description: "lab name '\(name)' must be 1 to 32 of a-z, 0-9 and '-', beginning "
                    + "with a letter or digit")
        }
        try check()
        switch topology {
        case .single(let count):
            addHosts("host", count: count, on: addNetwork("lan"))
        case .linear(let count, let hosts): layOutRow(of: count, hosts: hosts)
        case .tree(let depth, let fanout): layOutTree(depth: depth, fanout: fanout)
        case .leafSpine(let spines, let leaves, let hosts):
            layOutLeaves(leaves, spines: spines, hosts: hosts)
        }
    }

    private func check() throws(Problem) {
        var nodes = 0
        switch topology {
        case .single(let hosts):
            try Self.check("hosts", hosts, 1...Self.maximumHosts)
            nodes = hosts
        case .linear(let routers, let hosts):
            try Self.check("routers", routers, 1...Self.maximumNodes)
            try Self.check("hosts", hosts, 0...Self.maximumHosts)
            nodes = routers * (1 + hosts)
        case .tree(let depth, let fanout):
            try Self.check("depth", depth, 1...13)
            try Self.check("fanout", fanout, 1...Self.maximumHosts)
            var level = 1
            for _ in 0...depth where nodes <= Self.maximumNodes {
                nodes += level
                level *= fanout
            }
        case .leafSpine(let spines, let leaves, let hosts):
            try Self.check("spines", spines, 1...255)
            try Self.check("leaves", leaves, 1...Self.maximumNodes)
            try Self.check("hosts", hosts, 0...Self.maximumHosts)
            nodes = spines + leaves * (1 + hosts)
        }
        guard nodes <= Self.maximumNodes else {
            throw Problem(
                description: "that would be \(nodes) nodes or more; a generated lab has at most "
                    + "\(Self.maximumNodes)")
        }
    }

    private static func check(
        _ what: String, _ number: Int, _ range: ClosedRange<Int>
    ) throws(Problem) {
        guard range.contains(number) else {
            throw Problem(
                description: "\(what) is \(range.lowerBound) to \(range.upperBound), not \(number)")
        }
    }

    // MARK: Parts

    /// A network of hosts: the next /22 of 10.0.0.0/8, for a bridge has at most 1023 ports.
    private mutating func addNetwork(_ name: String) -> Int {
        networks.append((name, Self.subnet(networks.count)))
        return networks.count - 1
    }

    private static func subnet(_ number: Int) -> IPPrefix {
        let base = IPv4Address(rawValue: 10 << 24 | UInt32(number) << 10)
        return IPPrefix(containing: .v4(base), length: 22)
    }

    /// The blocks that networks with these numbers are, as few as there can be (RFC 4632).
    static func blocks(_ range: Range<Int>) -> [IPPrefix] {
        var blocks: [IPPrefix] = []
        var first = range.lowerBound
        while first < range.upperBound {
            var size = first == 0 ? 1 << 14 : first & -first
            while first + size > range.upperBound { size >>= 1 }
            let length = 22 - size.trailingZeroBitCount
            blocks.append(IPPrefix(containing: subnet(first).base, length: length))
            first += size
        }
        return blocks
    }

    private mutating func addHosts(_ name: String, count: Int, on network: Int) {
        if count > 0 { hosts.append((name, count, network)) }
    }

    private mutating func addRouter(_ name: String, network: Int? = nil) -> Int {
        routers.append(Router(name: name, network: network))
        return routers.count - 1
    }

    /// A link, numbered from 172.16.0.0 in pairs (RFC 3021); the addresses of its ends.
    private mutating func addLink(_ one: Int, _ other: Int) -> (IPv4Address, IPv4Address) {
        let first = IPv4Address(rawValue: 172 << 24 | 16 << 16 | UInt32(links.count) << 1)
        links.append(((one, other), first))
        return (first, IPv4Address(rawValue: first.rawValue + 1))
    }

    private mutating func route(
        _ router: Int, to networks: Range<Int>, via gateway: IPv4Address
    ) {
        routers[router].routes += Self.blocks(networks).map { ("\($0)", gateway) }
    }

    // MARK: Topologies

    private mutating func layOutRow(of count: Int, hosts: Int) {
        for number in 1...count {
            let network = addNetwork("lan\(number)")
            _ = addRouter("r\(number)", network: network)
            addHosts("r\(number)-host", count: hosts, on: network)
        }
        for left in 0..<count - 1 {
            let (near, far) = addLink(left, left + 1)
            routers[left].routes.append(("default", far))
            route(left + 1, to: 0..<left + 1, via: near)
        }
    }

    private mutating func layOutTree(depth: Int, fanout: Int) {
        let levels = (0..<depth).map { level in (0..<level).reduce(1) { size, _ in size * fanout } }
        var first = 0
        for (level, size) in levels.enumerated() {
            for place in 0..<size {
                let name = level == 0 ? "root" : "r\(level)-\(place + 1)"
                let isLast = level == depth - 1
                let network = isLast ? addNetwork("lan\(place + 1)") : nil
                let router = addRouter(name, network: network)
                if let network { addHosts("\(name)-host", count: fanout, on: network) }
                guard level > 0 else { continue }
                let above = first - levels[level - 1] + place / fanout
                let (up, down) = addLink(above, router)
                routers[router].routes.append(("default", up))
                // So many networks are below it, and as many below each of its neighbours.
                let width = levels[depth - 1] / size
                route(above, to: place * width..<(place + 1) * width, via: down)
            }
            first += size
        }
    }

    private mutating func layOutLeaves(_ leaves: Int, spines: Int, hosts: Int) {
        for number in 1...spines { _ = addRouter("spine\(number)") }
        for number in 0..<leaves {
            let network = addNetwork("lan\(number + 1)")
            let leaf = addRouter("leaf\(number + 1)", network: network)
            addHosts("leaf\(number + 1)-host", count: hosts, on: network)
            for spine in 0..<spines {
                let (up, down) = addLink(spine, leaf)
                // A leaf sends by one spine, the next leaf by the next.
                if spine == number % spines { routers[leaf].routes.append(("default", up)) }
                route(spine, to: network..<network + 1, via: down)
            }
        }
    }

    // MARK: Text

    /// The lab file.
    public var yaml: String {
        var text = "name: \(name)\nnetworks:\n"
        for network in networks { text += "  \(network.name): { subnet: \(network.subnet) }\n" }
        text += "nodes:\n"
        for router in routers {
            text += "  \(router.name):\n    sysctls: { net.ipv4.ip_forward: 1 }\n"
            if let network = router.network {
                text += "    interfaces: { eth0: { network: \(networks[network].name), "
                text += "address: \(gateway(of: network)) } }\n"
            }
            guard !router.routes.isEmpty else { continue }
            text += "    routes:\n"
            for route in router.routes {
                text += "      - { to: \(route.to), via: \(route.via) }\n"
            }
        }
        for host in hosts {
            text += "  \(host.name):\n    count: \(host.count)\n    interfaces: { eth0: "
            text += "{ network: \(networks[host.network].name) } }\n"
            if !routers.isEmpty { text += "    gateway: \(gateway(of: host.network))\n" }
        }
        if !links.isEmpty { text += "links:\n" }
        var ends = routers.map { $0.network == nil ? 0 : 1 }
        for link in links {
            let (one, other) = link.ends
            let second = IPv4Address(rawValue: link.first.rawValue + 1)
            text += "  - endpoints: [ \"\(routers[one].name):eth\(ends[one])\", "
            text += "\"\(routers[other].name):eth\(ends[other])\" ]\n"
            text += "    addresses: [ \(link.first)/31, \(second)/31 ]\n"
            ends[one] += 1
            ends[other] += 1
        }
        return text + scenario
    }

    private func gateway(of network: Int) -> IPAddress {
        networks[network].subnet.address(at: 1) ?? networks[network].subnet.base
    }

    /// A scenario in which the first host reaches the last; nothing where there is one host only.
    private var scenario: String {
        guard let first = hosts.first, let last = hosts.last,
            hosts.count > 1 || first.count > 1,
            let target = networks[last.network].subnet.address(
                at: UInt64(last.count + (routers.isEmpty ? 0 : 1)))
        else { return "" }
        return """
            scenarios:
              reaches:
                summary: The first host reaches the last.
                steps:
                  - exec: { on: \(first.name)1, command: [ ping, -c1, -W2, "\(target)" ] }

            """
    }
}
