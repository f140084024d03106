import NodeProtocol

/// What `systemctl cat` prints of a unit: the file that describes it (systemd.unit(5)), which
/// nobody has written and nothing reads; a lab's file says what the units of its nodes are.
struct UnitFileText {
    var unit: UnitReport

    var lines: [String] {
        let command = unit.command.map(Self.quoted).joined(separator: " ")
        return [
            "# \(EnabledUnits.target(of: unit.name))", "[Unit]", "Description=\(unit.description)",
            "", "[Service]", "ExecStart=\(command)", "", "[Install]", "WantedBy=multi-user.target",
        ] + unit.aliases.map { "Alias=\(UnitName.whole($0))" }
    }

    /// A word as systemd reads it (systemd.service(5), "Command lines"; systemd.syntax(7)).
    private static func quoted(_ word: String) -> String {
        var text = ""
        for character in word {
            switch character {
            case "\\", "\"": text += "\\\(character)"
            case "\n": text += "\\n"
            // One would begin a variable, or a specifier.
            case "$", "%": text += "\(character)\(character)"
            default: text.append(character)
            }
        }
        let isPlain = !word.isEmpty && !word.contains { $0.isWhitespace || "\"';".contains($0) }
        return isPlain ? text : "\"\(text)\""
    }
}
