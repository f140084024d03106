import NetworkTypes

// Steps about what nodes have, and about how services are started.
extension LabFileDecoder {
    /// `master cpu 20%`, or a mapping with `node` and what it has.
    mutating func limiting(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        if case .mapping = entry.value.content {
            return limitMapping(entry, of: place, scope: scope)
        }
        guard let text = text(entry, of: place) else { return nil }
        let words = text.value.split(separator: " ").map(String.init)
        let node = words.first ?? ""
        let isKnown = checkNode(Located(node, text.mark), scope)
        do throws(NodeLimitsError) {
            let limits = try NodeLimits(words: Array(words.dropFirst()))
            return isKnown ? .limit(node, limits) : nil
        } catch {
            diagnostics.error("'\(entry.key)' of \(place): \(error)", at: text.mark)
            return nil
        }
    }

    private mutating func limitMapping(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        guard
            let fields = fields(
                entry.value, as: .limit, place: "'limit' of \(place)", mark: entry.keyMark)
        else { return nil }
        let node = fields["node"].flatMap { text($0, of: fields.place) }
        let isKnown = node.map { checkNode($0, scope) } ?? false
        var words: [String] = []
        var isSound = true
        // A value with several words, as `10MiB left`, is one of several.
        for key in NodeLimits.keywords {
            guard let entry = fields[key] else { continue }
            guard let value = text(entry, of: fields.place) else {
                isSound = false
                continue
            }
            do throws(NodeLimitsError) {
                _ = try NodeLimits(key, value.value)
                words += [key] + value.value.split(separator: " ").map(String.init)
            } catch {
                diagnostics.error("\(fields.place): \(error)", at: value.mark)
                isSound = false
            }
        }
        guard isSound, isKnown, let node, !fields.hasUnknownKeys else { return nil }
        do throws(NodeLimitsError) {
            return .limit(node.value, try NodeLimits(words: words))
        } catch {
            diagnostics.error("\(fields.place): \(error)", at: entry.mark)
            return nil
        }
    }

    /// A node: its services have no boot.
    mutating func rebooting(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Step.Action? {
        guard let text = text(entry, of: place) else { return nil }
        guard let target = Target.parse(text.value), target.service == nil else {
            diagnostics.error(
                "'\(text.value)' of \(place) must be NODE: a service is restarted", at: text.mark)
            return nil
        }
        return checkTarget(target, at: text.mark, scope) ? .control(.restart, target) : nil
    }

    /// A node or service, or a mapping with a service and its clock.
    mutating func starting(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope, clock: inout ClockOffset?
    ) -> Step.Action? {
        guard let verb = ControlVerb(rawValue: entry.key) else {
            preconditionFailure("'\(entry.key)' is a verb")
        }
        guard case .mapping = entry.value.content else {
            return target(entry, of: place, scope: scope).map { .control(verb, $0) }
        }
        guard
            let fields = fields(
                entry.value, as: .shiftedStart, place: "'\(entry.key)' of \(place)",
                mark: entry.keyMark)
        else { return nil }
        let service = fields["service"].flatMap {
            target($0, of: fields.place, scope: scope, needsService: true)
        }
        if let entry = fields["clock"], let text = text(entry, of: fields.place) {
            clock = ClockOffset.parse(text.value)
            if clock == nil {
                diagnostics.error(
                    "'\(text.value)' of \(fields.place) is no offset of a clock, as +1h or -30m"
                        + " are, nor 'none'", at: text.mark)
            }
        }
        guard let service, clock != nil else { return nil }
        return .control(verb, service)
    }
}
