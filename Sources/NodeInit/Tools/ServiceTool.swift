import NodeProtocol

/// `service NAME ACTION` and `service --status-all`, as service(8) passes them on to systemd.
package struct ServiceTool {
    private let console: Console

    package init(_ console: Console) { self.console = console }

    /// Does what the arguments say; answers the exit status.
    package func run(_ arguments: [String]) -> Int32 {
        if arguments == ["--status-all"] { return statusOfAll() }
        guard arguments.count == 2, !arguments[0].hasPrefix("-") else {
            console.printError(
                "Usage: service < option > | --status-all | [ service_name [ command ] ]")
            return 1
        }
        let verb =
            switch arguments[1] {
            case "force-reload": "reload-or-restart"
            case let word: word
            }
        return Systemctl(console).run([verb, arguments[0]])
    }

    private func statusOfAll() -> Int32 {
        do {
            guard case .units(let units) = try console.ask(.list) else { return 1 }
            for unit in units { console.print(" [ \(unit.isUp ? "+" : "-") ]  \(unit.name)") }
            return 0
        } catch {
            console.printError("service: \(error)")
            return 1
        }
    }
}
