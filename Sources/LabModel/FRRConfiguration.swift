public import NetworkTypes

/// What an frr.conf says of VRRP: its virtual routers, and the macvlan that each needs.
///
/// FRR's vrrpd makes no device: it looks for a macvlan with the virtual router's MAC address on the
/// interface, with the virtual addresses on it, and lets the kernel hold it down (protodown) while
/// it is no master. Everything else in the file belongs to FRR's other daemons.
public struct FRRConfiguration: Equatable, Sendable {
    /// A virtual router for one family of addresses: the two of a VRID are elected apart.
    public struct Router: Equatable, Sendable {
        public var interface: String
        public var vrid: Int
        public var family: IPAddress.Family
        /// 2 or 3; FRR's default is 3.
        public var version = 3
        public var priority = 100
        public var advertisementInterval: Duration = .seconds(1)
        public var preempts = true
        /// In the order of the file, which is the wire's.
        public var addresses: [IPAddress] = []

        /// The MAC address of the virtual router (RFC 9568 §7.3).
        public var mac: MACAddress {
            MACAddress(octets: [0, 0, 0x5e, 0, family == .v4 ? 1 : 2, UInt8(vrid)])
        }

        /// The name of the macvlan that the lab makes for it. FRR knows it by its MAC address.
        public var device: String { "vrrp\(family == .v4 ? 4 : 6)-\(vrid)" }
    }

    /// The virtual routers that have addresses, in the order in which the file names them.
    public private(set) var routers: [Router] = []
    /// What is wrong with lines about VRRP.
    public private(set) var diagnostics: [Diagnostic] = []

    private let file: String
    private var defaults = Router(interface: "", vrid: 1, family: .v4)

    /// Reads an frr.conf.
    public init(_ text: String, file: String) {
        self.file = file
        var interface: String?
        // By scalars: a carriage return with its line feed is one character.
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.map(Substring.init).enumerated() {
            let column = line.prefix { $0 == " " || $0 == "\t" }.count + 1
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
            guard let first = words.first, !first.hasPrefix("!"), !first.hasPrefix("#") else {
                continue
            }
            let place = (index + 1, column)
            switch (first, words.dropFirst().first) {
            case ("interface", let name?): interface = name
            case ("exit", _), ("exit-interface", _): interface = nil
            case ("vrrp", "default"),
                ("no", "vrrp") where words.dropFirst(2).first == "default":
                readDefault(words, at: place)
            case ("vrrp", _), ("no", "vrrp"): read(words, on: interface, at: place)
            default: break
            }
        }
        routers.removeAll { $0.addresses.isEmpty }
    }

    private mutating func fail(_ message: String, at place: (line: Int, column: Int)) {
        diagnostics.append(
            Diagnostic(file: file, line: place.line, column: place.column, message: message))
    }

    private mutating func readDefault(_ words: [String], at place: (line: Int, column: Int)) {
        let isNegated = words[0] == "no"
        let rest = Array(words.dropFirst(isNegated ? 3 : 2))
        if !set(rest, isNegated, on: &defaults) {
            fail("`\(words.joined(separator: " "))` is no default that vrrpd knows", at: place)
        }
    }

    /// `[no] vrrp VRID [SETTING [VALUE]]`.
    private mutating func read(
        _ words: [String], on interface: String?, at place: (line: Int, column: Int)
    ) {
        let isNegated = words[0] == "no"
        let rest = Array(words.dropFirst(isNegated ? 2 : 1))
        // `vrrp autoconfigure` takes its routers from macvlans that are there; a lab has none.
        guard let word = rest.first, let vrid = Int(word), (1...255).contains(vrid) else {
            return fail("a virtual router's number, 1 to 255, is expected after `vrrp`", at: place)
        }
        guard let interface else {
            return fail("`vrrp` stands in the block of an interface", at: place)
        }
        let setting = Array(rest.dropFirst())
        for family in [IPAddress.Family.v4, .v6] {
            var router =
                routers.first {
                    $0.interface == interface && $0.vrid == vrid && $0.family == family
                } ?? makeRouter(interface, vrid, family)
            guard set(setting, isNegated, on: &router) else {
                return fail(
                    "`\(words.joined(separator: " "))` is nothing that vrrpd knows: version 2|3, "
                        + "priority 1-254, advertisement-interval 10-40950 (ms), preempt, "
                        + "ip ADDRESS, ipv6 ADDRESS", at: place)
            }
            if let known = routers.firstIndex(where: {
                $0.device == router.device
                    && $0.interface == interface
            }) {
                routers[known] = router
            } else if let other = routers.first(where: { $0.device == router.device }),
                !other.addresses.isEmpty
            {
                return fail(
                    "VRID \(vrid) is taken on interface \(other.interface) of this node",
                    at: place)
            } else {
                routers.append(router)
            }
        }
    }

    private func makeRouter(_ interface: String, _ vrid: Int, _ family: IPAddress.Family) -> Router
    {
        var router = defaults
        router.interface = interface
        router.vrid = vrid
        router.family = family
        return router
    }

    /// Applies a setting; false when there is none of that name, or its value is none.
    private func set(_ words: [String], _ isNegated: Bool, on router: inout Router) -> Bool {
        let value = words.dropFirst().first
        let number = value.flatMap { Int($0) }
        switch words.first {
        case nil: return true
        case "preempt":
            router.preempts = !isNegated
        case "version":
            guard let number, number == 2 || number == 3 else { return false }
            router.version = number
        case "priority":
            guard let number, (1...254).contains(number) else { return false }
            router.priority = number
        case "advertisement-interval":
            guard let number, (10...40950).contains(number) else { return false }
            router.advertisementInterval = .milliseconds(number)
        case "ip", "ipv6":
            guard let address = value.flatMap({ IPAddress($0) }),
                address.family == (words[0] == "ip" ? .v4 : .v6)
            else { return false }
            if address.family == router.family, !isNegated { router.addresses.append(address) }
        // They change nothing that the lab has to know.
        case "shutdown", "checksum-with-ipv4-pseudoheader": break
        default: return false
        }
        return true
    }
}

extension FRRConfiguration {
    /// The virtual routers as the protocol's arithmetic needs them.
    public func facts(node: String, service: String) -> [VirtualRouterFacts] {
        routers.map { router in
            VirtualRouterFacts(
                node: node, service: service, instance: router.device,
                interface: router.interface, version: router.version, vrid: router.vrid,
                priority: router.priority, advertisementInterval: router.advertisementInterval,
                preempts: router.preempts, addresses: router.addresses)
        }
    }
}
