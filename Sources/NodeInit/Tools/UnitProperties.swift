import NodeProtocol

/// What `systemctl show` tells of a unit.
struct UnitProperties {
    /// What it was called.
    var word: String
    /// Nil where there is none of that name.
    var unit: UnitReport?

    /// Name and value of each, in systemd's order.
    var all: [(name: String, value: String)] {
        guard let unit else {
            let name = UnitName.whole(word)
            return [
                ("MainPID", "0"), ("Result", "success"), ("ExecMainStatus", "0"), ("Id", name),
                ("Names", name), ("Description", name), ("LoadState", "not-found"),
                ("ActiveState", "inactive"), ("SubState", "dead"), ("UnitFileState", ""),
            ]
        }
        let names = [unit.name] + unit.aliases
        return [
            ("MainPID", "\(unit.end == nil && unit.isUp ? unit.pid ?? 0 : 0)"),
            ("Result", unit.result), ("ExecMainStatus", "\(unit.end?.number ?? 0)"),
            ("Id", unit.wholeName),
            ("Names", names.map(UnitName.whole).joined(separator: " ")),
            ("Description", unit.description), ("LoadState", "loaded"),
            ("ActiveState", unit.activeState), ("SubState", unit.subState),
            ("UnitFileState", unit.enablement),
        ]
    }

    /// What is printed of it.
    ///
    /// - Parameters:
    ///   - names: the properties to be told; nil for all that are not empty. A name that is none
    ///     tells nothing.
    func lines(only names: [String]?, valuesOnly: Bool) -> [String] {
        all.filter { names?.contains($0.name) ?? !$0.value.isEmpty }
            .map { valuesOnly ? $0.value : "\($0.name)=\($0.value)" }
    }
}

extension UnitReport.ProcessEnd {
    /// systemd's ExecMainStatus=: the exit status, or the signal's number.
    fileprivate var number: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let signal): signal
        }
    }
}
