import ArgumentParser
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the labs that are up.", aliases: ["ls"])

    @Option(help: "How to print them.") var format = Format.text

    func run() throws {
        LabDirectory.sweep()
        let labs = LabDirectory.running().compactMap(status)
        if format == .json { return try printJSON(labs) }
        var table = TextTable(["LAB", "NODES", "RUNNING", "UP"])
        for lab in labs {
            table.add([
                lab.lab, "\(lab.nodes.count)",
                "\(lab.nodes.filter { $0.state == .running }.count)", lab.uptime.text,
            ])
        }
        printLine(table.text)
    }

    private func status(_ directory: LabDirectory) -> LabStatus? {
        do {
            return try LabClient(directory).status()
        } catch {
            // Somebody else's; a lab that has just been taken down is not worth a word.
            if case .machine(let message) = error { printError(message) }
            return nil
        }
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show a lab's nodes: roles, virtual addresses, services.",
        aliases: ["inspect", "ps"])

    @Argument(help: "The lab's name, folder or file.", completion: .runningLabs)
    var lab: String?
    @Option(help: "How to print it.") var format = Format.text

    func run() throws {
        let status = try LabReference.running(lab).status()
        if format == .json { return try printJSON(status) }
        printLine("lab \(status.lab), up \(status.uptime.text)")
        if !status.faults.isEmpty {
            printLine("broken: \(status.faults.map(\.description).joined(separator: "; "))")
        }
        for line in Self.outside(status) { printLine(line) }
        printLine("")
        var table = TextTable(["NODE", "STATE", "ROLE", "VIP", "ADDRESSES", "SERVICES"])
        for node in status.nodes { for row in Self.rows(node) { table.add(row) } }
        printLine(table.text)
    }

    /// What joins the lab to its host.
    private static func outside(_ status: LabStatus) -> [String] {
        let external: [String] = status.gateways.compactMap { gateway in
            switch gateway.external {
            case nil: return nil
            case .macvlan(let macvlan):
                return "external: \(gateway.network) by macvlans of \(macvlan.parent)"
            case .nat:
                return "external: \(gateway.network) by NAT, gateway "
                    + gateway.addresses.map(\.address.description).joined(separator: " ")
                    + (gateway.hostDevice.map { ", \($0) on this machine" }
                        ?? gateway.hostProgram.map { ", through \($0)" }
                        ?? ", which is closed: its program has ended")
            }
        }
        return external
            + status.published.map { port in
                let holder = status.nodes.first { node in
                    node.interfaces.contains {
                        $0.addresses.contains { $0.address == port.address }
                    }
                }
                return "published: \(port)\(holder.map { " (\($0.name))" } ?? "")"
            }
    }

    // One line for each of whatever a node has most of.
    private static func rows(_ node: NodeStatus) -> [[String]] {
        let virtual = Set(node.virtualRouters.flatMap(\.held))
        let roles = node.virtualRouters.map { router in
            "\(router.role?.rawValue ?? "-") (\(router.instance), priority \(router.priority))"
        }
        let held = node.virtualRouters.map { router in
            router.held.isEmpty ? "-" : router.held.map(\.description).joined(separator: " ")
        }
        let addresses = node.interfaces.map { interface in
            let own = interface.addresses.filter { !virtual.contains($0.address) }
            let list = own.map(\.description).joined(separator: " ")
            if !interface.isUp { return "\(interface.name) down" }
            return "\(interface.name) \(list)" + (interface.hasCarrier ? "" : " (no carrier)")
        }
        let services = node.services.map {
            "\($0.name) \($0.isFrozen ? "frozen" : Self.text($0.state))"
        }
        let state = node.isFrozen ? "frozen" : node.state.rawValue
        let height = max(1, roles.count, addresses.count, services.count)
        return (0..<height).map { line in
            func cell(_ column: [String]) -> String {
                line < column.count ? column[line] : line == 0 && column.isEmpty ? "-" : ""
            }
            return [
                line == 0 ? node.name : "", line == 0 ? state : "", cell(roles),
                cell(held), cell(addresses), cell(services),
            ]
        }
    }

    private static func text(_ state: TimelineEvent.ServiceState?) -> String {
        switch state {
        case nil: "inactive"
        case .starting?, .running?: "starting"
        case .ready?: "running"
        case .stopping?: "stopping"
        case .exited(.status(0))?: "stopped"
        case .exited(let reason)?: "ended (\(reason))"
        case .failed?: "failed"
        }
    }
}
