// Services of nodes.
extension LabFileDecoder {
    /// One entry of a node's `services`.
    mutating func service(_ entry: YAMLEntry, of node: String) -> Located<Service>? {
        let place = "service \(entry.key) of node \(node)"
        let name = Located(entry.key, entry.keyMark)
        checkUnitName(name)
        guard let fields = fields(entry.value, as: .service, place: place, mark: entry.keyMark),
            let kindEntry = fields["kind"], let kind = kind(kindEntry, of: place)
        else { return nil }
        var service = Service(name: entry.key, kind: kind)
        if let entry = fields["aliases"] { service.aliases = aliases(entry, of: place) }
        if let entry = fields["config"] {
            service.configuration = configuration(entry, of: place, kind: kind)
        }
        if kind == .command {
            if let entry = fields["command"] {
                service.arguments = command(entry, of: place) ?? []
            } else if !fields.hasUnknownKeys {
                diagnostics.error("\(place) is of kind command and has no 'command'", at: name.mark)
            }
            if let entry = fields["arguments"] {
                diagnostics.error(
                    "\(place) is of kind command; its arguments belong into 'command'",
                    at: entry.keyMark)
            }
        } else {
            if let entry = fields["arguments"] {
                service.arguments = command(entry, of: place) ?? []
            }
            if let entry = fields["command"] {
                diagnostics.error(
                    "\(place) is of kind \(kind.rawValue), which brings its own command; further "
                        + "ones are 'arguments'", at: entry.keyMark)
            }
        }
        if let entry = fields["ready"] { service.readiness = readiness(entry, of: place) }
        if let entry = fields["restart"], let text = text(entry, of: place) {
            if let policy = Service.RestartPolicy(rawValue: text.value) {
                service.restart = policy
            } else {
                let known = Service.RestartPolicy.allCases.map(\.rawValue)
                diagnostics.error(
                    "unknown restart policy '\(text.value)' of \(place)"
                        + SpellingSuggestion.hint(for: text.value, among: known), at: text.mark)
            }
        }
        if let entry = fields["autostart"] {
            service.startsWithNode = boolean(entry, of: place) ?? true
        }
        return Located(service, name.mark)
    }

    private mutating func aliases(_ entry: YAMLEntry, of place: String) -> [String] {
        let names = texts(entry, of: place) ?? []
        for name in names { checkUnitName(name) }
        return names.map(\.value)
    }

    /// Refuses names that would mean two services of a node.
    mutating func checkNames(of services: [Located<Service>], on node: String) {
        var taken = Set(services.map(\.value.name))
        for service in services {
            for alias in service.value.aliases where !taken.insert(alias).inserted {
                diagnostics.error(
                    "alias '\(alias)' of service \(service.value.name) of node \(node) is "
                        + "another service's name or alias", at: service.mark)
            }
        }
    }

    /// A unit's name: also a file's name in the run directory, and a word of the command line.
    private mutating func checkUnitName(_ name: Located<String>) {
        let isAllowed = name.value.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || (0x30...0x39).contains($0)
                || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f || $0 == 0x40
        }
        guard isAllowed, (1...64).contains(name.value.utf8.count), !name.value.hasPrefix("-"),
            !name.value.hasPrefix(".")
        else {
            diagnostics.error(
                "service name '\(name.value)' must be 1 to 64 letters, digits, '-', '_', '@' and "
                    + "'.', not beginning with '-' or '.'", at: name.mark)
            return
        }
    }

    private mutating func kind(_ entry: YAMLEntry, of place: String) -> Service.Kind? {
        guard let text = text(entry, of: place) else { return nil }
        if let kind = Service.Kind(rawValue: text.value) { return kind }
        let known = Service.Kind.allCases.map(\.rawValue)
        diagnostics.error(
            "unknown kind '\(text.value)' of \(place)"
                + SpellingSuggestion.hint(for: text.value, among: known), at: text.mark)
        return nil
    }

    private mutating func configuration(
        _ entry: YAMLEntry, of place: String, kind: Service.Kind
    ) -> String? {
        guard let path = text(entry, of: place) else { return nil }
        guard kind.speaksVRRP else {
            diagnostics.error(
                "\(place) is of kind \(kind.rawValue), which reads no 'config'", at: entry.keyMark)
            return nil
        }
        guard path.value.hasPrefix("/") else {
            diagnostics.error(
                "'config' of \(place) must be a whole path in the node, not '\(path.value)'",
                at: path.mark)
            return nil
        }
        return path.value
    }

    /// `started`, `notify`, or a mapping with the one thing that is waited for.
    private mutating func readiness(
        _ entry: YAMLEntry, of service: String
    ) -> Service.Readiness? {
        let place = "'ready' of \(service)"
        switch entry.value.content {
        case .scalar("started", _): return .started
        case .scalar("notify", _): return .notify
        case .scalar("daemon", _): return .daemon(pidFile: nil)
        case .mapping(let entries) where entries.count == 1: break
        default:
            diagnostics.error(
                "\(place) must be started, notify, daemon, { port: NUMBER }, { file: PATH }, "
                    + "{ pid-file: PATH } or { command: [...] }, not \(entry.value.typeInWords)",
                at: entry.mark)
            return nil
        }
        guard
            let fields = fields(entry.value, as: .readiness, place: place, mark: entry.keyMark)
        else { return nil }
        if let entry = fields["port"] {
            return number(entry, of: place, in: 1...65535).map { .tcpPort(UInt16($0.value)) }
        }
        if let entry = fields["file"] { return text(entry, of: place).map { .file($0.value) } }
        if let entry = fields["pid-file"] {
            return text(entry, of: place).map { .daemon(pidFile: $0.value) }
        }
        if let entry = fields["command"] { return command(entry, of: place).map { .command($0) } }
        return nil
    }
}
