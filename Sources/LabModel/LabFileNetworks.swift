import NetworkTypes

// Networks, links and what both have: addresses.
extension LabFileDecoder {
    /// One entry of `networks`.
    mutating func network(_ entry: YAMLEntry) -> NetworkDraft {
        let errorsBefore = diagnostics.errorCount
        let place = "network \(entry.key)"
        let name = Located(entry.key, entry.keyMark)
        var draft = NetworkDraft(name: name, device: deviceName(name, what: "a network"))
        guard
            let fields = fields(entry.value, as: .network, place: place, mark: entry.keyMark)
        else {
            draft.isSound = false
            return draft
        }
        if let single = fields["subnet"], let text = text(single, of: place) {
            draft.subnets = subnet(text).map { [$0] } ?? []
        }
        if let several = fields["subnets"] {
            if fields["subnet"] != nil {
                diagnostics.error(
                    "\(place) has both 'subnet' and 'subnets'; write one", at: several.keyMark)
            } else if let texts = texts(several, of: place) {
                draft.subnets = texts.compactMap { subnet($0) }
            }
        }
        if let entry = fields["mtu"], let mtu = mtu(entry, of: place) {
            draft.mtuBytes = mtu.value
            checkIPv6MTU(mtu, subnets: draft.subnets.map(\.value), place: place)
        }
        draft.isSound = diagnostics.errorCount == errorsBefore
        joinOutside(&draft, fields)
        return draft
    }

    /// IPv6 asks for 1280 bytes of every link (RFC 8200 §5); Linux switches it off below.
    private mutating func checkIPv6MTU(_ mtu: Located<Int>, subnets: [IPPrefix], place: String) {
        guard mtu.value < 1280, let subnet = subnets.first(where: { $0.base.family == .v6 }) else {
            return
        }
        diagnostics.error(
            "mtu \(mtu.value) of \(place) is too small for IPv6 (\(subnet)), which needs 1280",
            at: mtu.mark)
    }

    /// A network's addresses: unicast, and written as `BASE/LENGTH`.
    private mutating func subnet(_ text: Located<String>) -> Located<IPPrefix>? {
        guard let prefix = prefix(text, what: "subnet") else { return nil }
        let reason: String? =
            switch prefix.base {
            case let base where base.isMulticast: "is multicast"
            case .v4(let base) where base.isLoopback: "belongs to the loopback device"
            case .v4(let base) where base.rawValue >> 24 == 0: "is not for hosts"
            case .v6(let base) where base.isLinkLocal: "is link-local, which every interface has"
            case .v6(let base) where base.high == 0: "is not for hosts"
            default: nil
            }
        if let reason {
            diagnostics.error("subnet \(prefix) \(reason)", at: text.mark)
            return nil
        }
        return Located(prefix, text.mark)
    }

    /// A prefix, written as `BASE/LENGTH`.
    mutating func prefix(_ text: Located<String>, what: String) -> IPPrefix? {
        if let prefix = IPPrefix(text.value) { return prefix }
        let written = text.value
        if !written.contains("/"), let address = IPAddress(written) {
            let length = address.family == .v4 ? 24 : 64
            diagnostics.error(
                "\(what) '\(written)' has no prefix length, as in '\(written)/\(length)'",
                at: text.mark)
        } else if let address = InterfaceAddress(written) {
            diagnostics.error(
                "\(what) '\(written)' has bits set after its prefix; the network is "
                    + "'\(address.network)'", at: text.mark)
        } else {
            diagnostics.error(
                "'\(written)' is no \(what), as '192.0.2.0/24' or '2001:db8::/64' are",
                at: text.mark)
        }
        return nil
    }

    /// An address that a device can have, with or without its prefix length.
    mutating func interfaceAddress(_ text: Located<String>) -> Located<WrittenAddress>? {
        guard let parsed = InterfaceAddress(text.value) else {
            diagnostics.error(
                "'\(text.value)' is no address, as '192.0.2.1' or '2001:db8::1' are",
                at: text.mark)
            return nil
        }
        let isForOthers =
            switch parsed.address {
            case .v4(let address): address.isLoopback || address.rawValue >> 24 == 0
            case .v6(let address): address.isLoopback || address == .any
            }
        guard !isForOthers, !parsed.address.isMulticast else {
            diagnostics.error(
                "'\(text.value)' cannot be an interface's address; it is "
                    + (isForOthers ? "reserved" : "a multicast address"), at: text.mark)
            return nil
        }
        let hasLength = text.value.contains("/")
        return Located(
            WrittenAddress(
                address: parsed.address, prefixLength: hasLength ? parsed.prefixLength : nil),
            text.mark)
    }
}

extension LabFileDecoder {
    /// The `links` section.
    mutating func links(_ entry: YAMLEntry, nodes: [NodeDraft]) -> [LinkDraft] {
        if entry.value.isNull { return [] }
        guard let values = list(entry, what: "links") else { return [] }
        var drafts: [LinkDraft] = []
        for (index, value) in values.enumerated() {
            let place = "link \(index + 1)"
            guard let fields = fields(value, as: .link, place: place, mark: value.mark) else {
                continue
            }
            guard let written = fields["endpoints"],
                var endpoints = endpoints(written, of: place, nodes: nodes)
            else { continue }
            if let entry = fields["addresses"] {
                addresses(entry, of: place, endpoints: &endpoints)
            }
            let mtuBytes = fields["mtu"].flatMap { mtu($0, of: place) }
            drafts.append(LinkDraft(endpoints: endpoints, mtuBytes: mtuBytes))
        }
        return drafts
    }

    /// The two ends of a link, each `NODE:INTERFACE`.
    private mutating func endpoints(
        _ entry: YAMLEntry, of place: String, nodes: [NodeDraft]
    ) -> [LinkDraft.Endpoint]? {
        guard case .sequence(let values) = entry.value.content, values.count == 2,
            let texts = texts(entry, of: place)
        else {
            if case .sequence(let values) = entry.value.content, values.count == 2 { return nil }
            diagnostics.error(
                "'endpoints' of \(place) must be two, as [ \"a:eth1\", \"b:eth1\" ]",
                at: entry.mark)
            return nil
        }
        var endpoints: [LinkDraft.Endpoint] = []
        for text in texts {
            let parts = text.value.split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                diagnostics.error(
                    "endpoint '\(text.value)' of \(place) must be NODE:INTERFACE", at: text.mark)
                continue
            }
            let (node, interface) = (String(parts[0]), String(parts[1]))
            // A bad name that the node's own list has is one mistake, noted there.
            let isNoted = nodes.contains {
                $0.name.value == node && $0.unsoundInterfaces.contains(interface)
            }
            let device =
                isNoted
                ? nil : deviceName(Located(interface, text.mark), what: "an interface")
            endpoints.append(
                LinkDraft.Endpoint(
                    node: node, interface: device, writtenInterface: interface, mark: text.mark))
        }
        return endpoints.count == 2 ? endpoints : nil
    }

    /// The addresses of a link's ends: a list of two, each an address or a list of them.
    private mutating func addresses(
        _ entry: YAMLEntry, of place: String, endpoints: inout [LinkDraft.Endpoint]
    ) {
        guard case .sequence(let values) = entry.value.content, values.count == 2 else {
            diagnostics.error(
                "'addresses' of \(place) must be two, one for each endpoint, as "
                    + "[ 192.0.2.1/30, 192.0.2.2/30 ]", at: entry.mark)
            return
        }
        for (index, value) in values.enumerated() {
            let one = YAMLEntry(key: entry.key, keyMark: value.mark, value: value)
            guard let texts = texts(one, of: place) else { continue }
            endpoints[index].addresses = texts.compactMap { interfaceAddress($0) }
        }
    }
}
