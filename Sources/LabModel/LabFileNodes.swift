import NetworkTypes

// Nodes: interfaces, routes, sysctls, environment.
extension LabFileDecoder {
    /// What is under a name in `nodes`; whether it can be a node's name is not asked here.
    mutating func node(_ entry: YAMLEntry) -> NodeDraft {
        let place = "node \(entry.key)"
        var draft = NodeDraft(name: Located(entry.key, entry.keyMark))
        guard let fields = fields(entry.value, as: .node, place: place, mark: entry.keyMark) else {
            draft.isSound = false
            draft.filesAreSound = false
            draft.serviceNames = nil
            return draft
        }
        if let entry = fields["interfaces"] { interfaces(entry, of: place, into: &draft) }
        if let entry = fields["routes"] { draft.routes = routes(entry, of: place) }
        if let entry = fields["gateway"] { draft.routes += gateways(entry, of: place) }
        if let entry = fields["sysctls"] { draft.sysctls = sysctls(entry, of: place) }
        if let entry = fields["environment"] {
            draft.environment = environment(entry, of: place)
        }
        if let entry = fields["files"] {
            let errorsBefore = diagnostics.errorCount
            draft.files = files(entry, of: place)
            draft.filesAreSound = diagnostics.errorCount == errorsBefore
        }
        if let entry = fields["services"] {
            let entries = namedEntries(entry, what: "services of \(place)")
            draft.serviceNames = entries?.map(\.key)
            draft.services = (entries ?? []).compactMap { service($0, of: draft.name.value) }
            checkNames(of: draft.services, on: draft.name.value)
        }
        if fields.hasUnknownKeys {
            draft.isSound = false
            draft.filesAreSound = draft.filesAreSound && fields["files"] != nil
            if fields["services"] == nil { draft.serviceNames = nil }
        }
        return draft
    }

    /// A node's name is its hostname: a DNS label (RFC 1123 §2.1) of at most 32 bytes that no
    /// resolver takes for an address.
    mutating func checkNodeName(_ name: Located<String>) {
        if ["lo", "host", "localhost"].contains(name.value) {
            diagnostics.error("a node cannot be called '\(name.value)'", at: name.mark)
            return
        }
        let bytes = Array(name.value.utf8)
        let isLabel = bytes.allSatisfy {
            isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2d
        }
        guard isLabel, (1...32).contains(bytes.count), bytes.first != 0x2d, bytes.last != 0x2d,
            bytes.contains(where: isLetter)
        else {
            diagnostics.error(
                "node name '\(name.value)' must be 1 to 32 letters, digits and inner '-', with a "
                    + "letter among them", at: name.mark)
            return
        }
    }

    private func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
    }

    private mutating func interfaces(
        _ entry: YAMLEntry, of place: String, into draft: inout NodeDraft
    ) {
        guard let entries = namedEntries(entry, what: "interfaces of \(place)") else {
            draft.isSound = false
            return
        }
        for entry in entries {
            if let interface = interface(entry, of: place) {
                draft.interfaces.append(interface)
            } else {
                draft.unsoundInterfaces.insert(entry.key)
            }
        }
    }

    /// One interface; nil when it has no name a device can have.
    private mutating func interface(_ entry: YAMLEntry, of node: String) -> InterfaceDraft? {
        let errorsBefore = diagnostics.errorCount
        let place = "interface \(entry.key) of \(node)"
        let device = deviceName(Located(entry.key, entry.keyMark), what: "an interface")
        // What a nameless interface holds is read all the same, for the mistakes in it.
        var network: Located<String>?
        var addresses: [Located<WrittenAddress>]?
        var macAddress: Located<MACAddress>?
        var mtuBytes: Located<Int>?
        if let fields = fields(entry.value, as: .interface, place: place, mark: entry.keyMark) {
            network = fields["network"].flatMap { text($0, of: place) }
            if let single = fields["address"], let text = text(single, of: place) {
                addresses = interfaceAddress(text).map { [$0] }
            }
            if let several = fields["addresses"] {
                if fields["address"] != nil {
                    diagnostics.error(
                        "\(place) has both 'address' and 'addresses'; write one",
                        at: several.keyMark)
                } else if let texts = texts(several, of: place) {
                    addresses = texts.compactMap { interfaceAddress($0) }
                }
            }
            macAddress = fields["mac"].flatMap { mac($0, of: place) }
            mtuBytes = fields["mtu"].flatMap { mtu($0, of: place) }
        }
        let isSound = diagnostics.errorCount == errorsBefore
        return device.map {
            InterfaceDraft(
                name: Located($0, entry.keyMark), network: network, addresses: addresses,
                mac: macAddress, mtuBytes: mtuBytes, isSound: isSound)
        }
    }

    /// An Ethernet address that a device can have: the kernel's `is_valid_ether_addr`.
    private mutating func mac(_ entry: YAMLEntry, of place: String) -> Located<MACAddress>? {
        guard let text = text(entry, of: place) else { return nil }
        guard let mac = MACAddress(text.value) else {
            diagnostics.error(
                "'\(text.value)' is no MAC address, as '02:00:00:00:00:01' is", at: text.mark)
            return nil
        }
        guard !mac.isMulticast, mac.rawValue != 0 else {
            diagnostics.error(
                "MAC address \(mac) of \(place) is "
                    + (mac.isMulticast
                        ? "a multicast address; the first octet must be even" : "nobody's"),
                at: text.mark)
            return nil
        }
        return Located(mac, text.mark)
    }
}

extension LabFileDecoder {
    private mutating func routes(_ entry: YAMLEntry, of node: String) -> [RouteDraft] {
        if entry.value.isNull { return [] }
        var routes: [RouteDraft] = []
        for (index, value) in (list(entry, what: "routes of \(node)") ?? []).enumerated() {
            let place = "route \(index + 1) of \(node)"
            guard let fields = fields(value, as: .route, place: place, mark: value.mark),
                let to = fields["to"], let written = text(to, of: place)
            else { continue }
            var route = RouteDraft(mark: value.mark)
            if written.value != "default" {
                guard let destination = prefix(written, what: "destination") else { continue }
                route.destination = destination
            }
            if let via = fields["via"] {
                guard let gateway = gateway(via, of: place) else { continue }
                route.gateway = gateway
            }
            if let device = fields["dev"] {
                guard let name = text(device, of: place) else { continue }
                route.device = name
            }
            if route.gateway == nil, route.device == nil, !fields.hasUnknownKeys {
                diagnostics.error("\(place) has neither 'via' nor 'dev'", at: value.mark)
                continue
            }
            routes.append(route)
        }
        return routes
    }

    /// `gateway`: the next hop of a default route, one for each address family.
    private mutating func gateways(_ entry: YAMLEntry, of node: String) -> [RouteDraft] {
        guard let texts = texts(entry, of: node) else { return [] }
        return texts.compactMap { text in
            gateway(text, of: node).map {
                RouteDraft(destination: nil, gateway: $0, device: nil, mark: text.mark)
            }
        }
    }

    private mutating func gateway(_ entry: YAMLEntry, of place: String) -> Located<IPAddress>? {
        text(entry, of: place).flatMap { gateway($0, of: place) }
    }

    private mutating func gateway(
        _ text: Located<String>, of place: String
    ) -> Located<IPAddress>? {
        guard let address = IPAddress(text.value), !address.isMulticast else {
            diagnostics.error(
                "gateway '\(text.value)' of \(place) is no address of a router", at: text.mark)
            return nil
        }
        return Located(address, text.mark)
    }

    /// What is written after a name in `sysctls` and `environment`: any scalar, as text.
    private mutating func assignments(_ entry: YAMLEntry, of place: String) -> [(
        name: Located<String>, value: String
    )] {
        (namedEntries(entry, what: "\(entry.key) of \(place)") ?? []).compactMap { entry in
            guard case .scalar(let text, _) = entry.value.content, !entry.value.isNull else {
                diagnostics.error(
                    "'\(entry.key)' of \(place) must be a text or a number, not "
                        + entry.value.typeInWords, at: entry.mark)
                return nil
            }
            return (Located(entry.key, entry.keyMark), text)
        }
    }

    private mutating func environment(
        _ entry: YAMLEntry, of place: String
    ) -> [EnvironmentVariable] {
        assignments(entry, of: place).compactMap { name, value in
            let bytes = Array(name.value.utf8)
            let isName = bytes.allSatisfy {
                isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x5f
            }
            guard isName, let first = bytes.first, !(0x30...0x39).contains(first) else {
                diagnostics.error(
                    "environment variable '\(name.value)' must be letters, digits and '_', "
                        + "not beginning with a digit", at: name.mark)
                return nil
            }
            return EnvironmentVariable(name: name.value, value: value)
        }
    }

    private mutating func sysctls(_ entry: YAMLEntry, of place: String) -> [Sysctl] {
        assignments(entry, of: place).compactMap { name, value in
            if let problem = SysctlName.problem(with: name.value) {
                diagnostics.error(problem, at: name.mark)
                return nil
            }
            return Sysctl(name: name.value, value: value)
        }
    }
}

/// The names of kernel parameters that a node has for itself.
enum SysctlName {
    /// Parameters of the IPC namespace (ipc/ipc_sysctl.c).
    private static let kernelNames: Set<String> = [
        "shmmax", "shmall", "shmmni", "shm_rmid_forced", "shm_next_id", "msgmax", "msgmni",
        "msgmnb", "msg_next_id", "sem", "sem_next_id", "auto_msgmni",
    ]

    /// What is wrong with `name`; nil when a node can have it. Dots separate, as sysctl(8) prints
    /// them, and a slash stands for a dot in a device's name.
    static func problem(with name: String) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let isWellFormed = parts.allSatisfy { part in
            // A part of slashes alone would be `..` in the path under /proc/sys.
            part.contains { $0 != "/" }
                && part.utf8.allSatisfy { byte in
                    (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
                        || (0x2d...0x39).contains(byte) || byte == 0x5f
                }
        }
        if name.contains("/"), !name.contains(".") {
            let dotted = name.split(separator: "/").joined(separator: ".")
            return "sysctl '\(name)' is written with dots: '\(dotted)'"
        }
        guard isWellFormed, parts.count >= (parts[0] == "net" ? 3 : 2) else {
            return "'\(name)' is no sysctl, as 'net.ipv4.ip_forward' is"
        }
        switch parts[0] {
        case "net": return nil
        case "kernel" where parts.count == 2 && kernelNames.contains(String(parts[1])): return nil
        case "fs" where parts.count == 3 && parts[1] == "mqueue": return nil
        default:
            return "sysctl '\(name)' cannot be set in a node, which has net.*, fs.mqueue.* and the "
                + "kernel.* of System V IPC for itself"
        }
    }
}
