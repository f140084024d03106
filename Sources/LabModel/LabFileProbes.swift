import NetworkTypes

// Probes of scenarios, and what they and expectations ask.
extension LabFileDecoder {
    /// The keys that say what is asked.
    static let requestKeys = ProbeRequest.Kind.allCases.map(\.rawValue)

    mutating func probe(_ entry: YAMLEntry, scope: ScenarioScope) -> Probe? {
        let place = "probe \(entry.key) of \(scope.place)"
        guard let fields = fields(entry.value, as: .probe, place: place, mark: entry.keyMark)
        else { return nil }
        let node = fields["from"].flatMap { text($0, of: place) }
        if let node { checkNode(node, scope) }
        let request = probeRequest(fields)
        let interval = fields["every"].flatMap { duration($0, of: place) }
        let timeout = fields["timeout"].flatMap { duration($0, of: place) }
        if let entry = fields["every"], let interval, interval < Probe.minimumInterval {
            diagnostics.error("'every' of \(place) must be at least 1ms", at: entry.mark)
        }
        let keepsOpen =
            fields["keep"].map { self.keepsOpen($0, request: request, of: place) } ?? false
        guard let node, let request else { return nil }
        return Probe(
            name: entry.key, node: node.value, request: request, keepsOpen: keepsOpen,
            interval: interval ?? Probe.defaultInterval,
            timeout: timeout ?? Probe.defaultTimeout)
    }

    private mutating func probeRequest(_ fields: Fields) -> ProbeRequest? {
        let written = Self.requestKeys.compactMap { fields[$0] }
        guard let entry = written.first else {
            if !fields.hasUnknownKeys {
                let keys = Self.requestKeys.map { "'\($0)'" }.joined(separator: ", ")
                diagnostics.error(
                    "\(fields.place) asks nothing: give it one of \(keys)",
                    at: fields.mark)
            }
            return nil
        }
        if written.count > 1 {
            diagnostics.error(
                "\(fields.place) has both '\(entry.key)' and '\(written[1].key)'; write two probes",
                at: written[1].keyMark)
        }
        return request(entry, of: fields.place)
    }

    private mutating func keepsOpen(
        _ entry: YAMLEntry, request: ProbeRequest?, of place: String
    ) -> Bool {
        guard case .scalar("open", _) = entry.value.content else {
            diagnostics.error(
                "'keep' of \(place) can only be 'open', for one connection of all requests; it is "
                    + entry.value.typeInWords, at: entry.mark)
            return false
        }
        if request?.canKeepOpen ?? true { return true }
        diagnostics.error(
            "\(place) has no connection that could be kept open; 'http' and 'tcp' have one",
            at: entry.keyMark)
        return false
    }

    /// What an entry with one of ``requestKeys`` asks.
    mutating func request(_ entry: YAMLEntry, of place: String) -> ProbeRequest? {
        switch entry.key {
        case "http": return httpURL(entry, of: place).map { .http($0) }
        case "tcp": return transportAddress(entry, of: place).map { .tcp($0) }
        case "udp": return transportAddress(entry, of: place).map { .udp($0) }
        case "ping": return address(entry, of: place).map { .ping($0) }
        default: return address(entry, of: place).map { .arp($0) }
        }
    }

    private mutating func httpURL(_ entry: YAMLEntry, of place: String) -> HTTPURL? {
        guard let text = text(entry, of: place) else { return nil }
        if let url = HTTPURL(text.value) { return url }
        diagnostics.error(
            "'\(text.value)' is no address to fetch; write http://ADDRESS[:PORT][/PATH], names are "
                + "not looked up", at: text.mark)
        return nil
    }

    private mutating func transportAddress(
        _ entry: YAMLEntry, of place: String
    ) -> TransportAddress? {
        guard let text = text(entry, of: place) else { return nil }
        if let address = TransportAddress.parse(text.value) { return address }
        diagnostics.error(
            "'\(entry.key)' of \(place) must be an address with a port, as '192.0.2.1:80' or "
                + "'[2001:db8::1]:80' are, not '\(text.value)'", at: text.mark)
        return nil
    }

    /// An address without a prefix length.
    mutating func address(_ entry: YAMLEntry, of place: String) -> IPAddress? {
        guard let text = text(entry, of: place) else { return nil }
        if let address = IPAddress(text.value) { return address }
        diagnostics.error(
            "\(entry.key) '\(text.value)' of \(place) is no address, as '192.0.2.1' is (without "
                + "a prefix length)", at: text.mark)
        return nil
    }
}

extension Probe {
    /// The least time from one request to the next.
    public static let minimumInterval = Duration.milliseconds(1)
    /// How often a probe asks when the lab file does not say.
    public static let defaultInterval = Duration.milliseconds(10)
    /// How long a request may take when the lab file does not say: less than the second after
    /// which TCP repeats a lost SYN (RFC 6298 §2.1), so that an answer is about the moment it was
    /// asked in.
    public static let defaultTimeout = Duration.milliseconds(500)
}
