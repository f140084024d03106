import NetworkTypes

// Stations that belong to nobody, in scenarios.
extension LabFileDecoder {
    /// `NETWORK` and the words of an imposture.
    mutating func imposter(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        guard let text = text(entry, of: place) else { return nil }
        let words = text.value.split(separator: " ").map(String.init)
        let isKnown = checkNetwork(Located(words.first ?? "", text.mark), scope)
        do throws(ImpostureError) {
            let imposture = try Imposture(words: Array(words.dropFirst()))
            guard isKnown, let network = InterfaceName(words.first ?? "") else { return nil }
            return .imposter(network, imposture)
        } catch {
            diagnostics.error("'\(entry.key)' of \(place): \(error)", at: text.mark)
            return nil
        }
    }

    /// Notes a network that is not defined.
    mutating func checkNetwork(
        _ name: Located<String>, _ scope: ScenarioScope
    ) -> Bool {
        guard let networks = scope.networks, !networks.contains(name.value) else { return true }
        let hint = SpellingSuggestion.hint(
            for: name.value, among: networks, known: "the lab's networks are")
        diagnostics.error(
            "\(scope.place) names network '\(name.value)', which is not defined\(hint)",
            at: name.mark)
        return false
    }

    /// Notes a node that is not defined, and an imposter on a network that is not.
    mutating func checkStation(_ name: Located<String>, _ scope: ScenarioScope) -> Bool {
        guard let network = ImposterName.network(of: name.value) else {
            return checkNode(name, scope)
        }
        return checkNetwork(Located(network.text, name.mark), scope)
    }

    /// A node that is defined, or an imposter on a network that is.
    mutating func station(
        _ key: String, _ fields: Fields, _ scope: ScenarioScope
    ) -> String? {
        guard let name = fields[key].flatMap({ text($0, of: fields.place) }) else { return nil }
        return checkStation(name, scope) ? name.value : nil
    }
}
