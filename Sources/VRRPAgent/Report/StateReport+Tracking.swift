import KeepalivedConf
import NetworkTypes

// The sections of sync groups, of what is tracked, and of interfaces.

extension StateReport {
    mutating func write(_ group: SyncGroupDefinition) {
        let state = report.groups[group.name] ?? AgentReport.GroupReport(state: .initialize)
        line(" VRRP Sync Group = \(group.name), \(state.state)")
        line(
            "   Num member fault \(state.faultyMembers), num member init \(state.pendingMembers)")
        list("VRRP member instances", group.members)
        if group.usesTrackingWeights { line("   sync group tracking weight set") }
        line("   Using smtp notification = \(group.smtpAlert ? "yes" : "no")")
        if group.notifiesPriorityChanges { line("   Notify priority changes = yes") }
        list("Tracked interfaces", group.trackedInterfaces.map(\.reportText))
        list("Tracked scripts", group.trackedScripts.map { $0.reportText(or: 0, false) })
        list("Tracked files", group.trackedFiles.map { $0.reportText(or: 0, false) })
        list("Tracked process", group.trackedProcesses.map { $0.reportText(or: 0, false) })
        writeCommands(group.notify)
    }

    mutating func write(_ script: VRRPScript) {
        let state = report.scripts[script.name] ?? AgentReport.ScriptReport()
        line(" VRRP Script = \(script.name)")
        line("   Command = \(report.text(script.command))")
        line("   Interval = \(script.interval.wholeSeconds) sec")
        line("   Timeout = \((script.timeout ?? .zero).wholeSeconds) sec")
        line("   Weight = \(script.weight)\(script.isReversed ? " reverse" : "")")
        line("   Rise = \(script.rise)")
        line("   Fall = \(script.fall)")
        line("   Result = \(state.result)")
        line("   Insecure = \(state.isInsecure ? "yes" : "no")")
        // keepalived has no name for the state after the first answer.
        line("   Init state = \(state.isPending ? "INIT" : "unknown")")
        line("   Status = \(state.result >= script.rise ? "GOOD" : "BAD")")
        if let program = report.programs[script.command] {
            line("   Script uid:gid = \(program.userID):\(program.groupID)")
        }
        line("   VRRP instances :")
        list(
            "Tracking instances",
            trackers { instance in
                instance.trackedScripts.first { $0.name == script.name }
                    .map {
                        (
                            $0.weight ?? script.weight,
                            $0.weight == nil ? script.isReversed : $0.isReversed
                        )
                    }
            })
        line("   State = \(state.activity.rawValue)")
    }

    mutating func write(_ file: TrackFile) {
        line(" Track file = \(file.name)")
        line("   File = \(file.path)")
        line("   Status = \(report.fileValues[file.name] ?? 0)")
        line("   Weight = \(file.weight)\(file.isReversed ? " reverse" : "")")
        list(
            "Tracking instances",
            trackers { instance in
                instance.trackedFiles.first { $0.name == file.name }
                    .map {
                        (
                            $0.weight ?? file.weight,
                            $0.weight == nil ? file.isReversed : $0.isReversed
                        )
                    }
            })
    }

    mutating func write(_ process: TrackProcess) {
        let count = report.processCounts[process.name] ?? 0
        line(" VRRP Track process = \(process.name)")
        line("   Process = \(process.arguments.first ?? "")")
        if process.arguments.count > 1 {
            line("   Parameters = \(process.arguments.dropFirst().joined(separator: " "))")
        }
        switch process.parameterMatch {
        case .exact?: line("   Param match")
        case let match?: line("   Param match = \(match.rawValue)")
        case nil: break
        }
        line("   Min processes = \(process.quorum)")
        if let maximum = process.maximumQuorum { line("   Max processes = \(maximum)") }
        line("   Current processes = \(count)")
        let hasQuorum = count >= process.quorum && count <= process.maximumQuorum ?? .max
        line("   Have quorum = \(hasQuorum)")
        line("   Weight = \(process.weight)\(process.isReversed ? " reverse" : "")")
        line("   Terminate delay = \(process.terminateDelay.longSeconds)s")
        line("   Fork delay = \(process.forkDelay.longSeconds)s")
        let comparesAll = process.comparesFullCommand || process.parameterMatch != nil
        line("   Full command = \(comparesAll)")
        list(
            "Tracking instances",
            trackers { instance in
                instance.trackedProcesses.first { $0.name == process.name }
                    .map {
                        (
                            $0.weight ?? process.weight,
                            $0.weight == nil ? process.isReversed : $0.isReversed
                        )
                    }
            })
    }

    /// A line for each instance that tracks something, with the weight it gives it.
    private func trackers(
        _ weight: (VRRPInstance) -> (weight: Int, isReversed: Bool)?
    ) -> [String] {
        report.instances.compactMap { report in
            weight(report.instance).map {
                "\(report.instance.name), weight \($0.weight)\($0.isReversed ? " reverse" : "")"
            }
        }
    }

    mutating func write(_ interface: AgentReport.InterfaceStatus) {
        line(" Name = \(interface.name)")
        line("   index = \(interface.index)")
        writeAddresses(interface.addresses, of: .v4, "IPv4")
        writeAddresses(interface.addresses, of: .v6, "IPv6")
        if let mac = interface.mac, mac.rawValue != 0 {
            line("   MAC = \(mac)")
            line("   MAC broadcast = ff:ff:ff:ff:ff:ff")
        }
        let flags = interface.flags
        line(
            "   State = " + updown(flags) + (flags.contains(.broadcast) ? "" : ", no broadcast")
                + (flags.contains(.loopback) ? ", loopback" : "")
                + (flags.contains(.pointToPoint) ? ", point to point" : "")
                + (flags.contains(.noARP) ? ", no arp" : "")
                + (flags.contains(.multicast) ? "" : ", no multicast"))
        if let base = interface.base {
            let state = updown(base.flags)
            line("   \(base.kind), underlying interface = \(base.name), state = \(state)")
        }
        if interface.isOurs { line("   I/f created by keepalived") }
        line("   MTU = \(interface.mtuBytes)")
        switch interface.hardwareType {
        case 1: line("   HW Type = ETHERNET")
        case 772: line("   HW Type = LOOPBACK")
        case let other: line("   HW Type = UNKNOWN (\(other))")
        }
        line("   NIC netlink status update")
        list(
            "Tracking VRRP instances",
            interface.trackers.map {
                "\($0.instance), weight \($0.weight)\($0.isReversed ? " reverse" : "")"
            })
    }

    private mutating func writeAddresses(
        _ addresses: [IPAddress], of family: IPAddress.Family, _ name: String
    ) {
        let ours = addresses.filter { $0.family == family }
        line("   \(name) address = \(ours.first.map { "\($0)" } ?? "(none)")")
        list("Additional \(name) addresses", ours.dropFirst().map { "\($0)" })
    }

    private func updown(_ flags: AgentReport.InterfaceStatus.Flags) -> String {
        (flags.contains(.up) ? "UP, " : "not UP, ")
            + (flags.contains(.running) ? "RUNNING" : "not RUNNING")
    }
}
