// Scripts, files, processes, and the groups of instances.

extension ConfigurationPrinter {
    mutating func write(_ script: VRRPScript) {
        block("vrrp_script \(token(script.name))") { printer in
            printer.line("script", printer.commandToken(script.command.arguments))
            if !script.command.user.isEmpty {
                printer.line(
                    "user", script.command.user.map(printer.token).joined(separator: " "))
            }
            printer.value("interval", script.interval)
            printer.value("timeout", script.timeout)
            printer.line(printer.weight(script.weight, isReversed: script.isReversed))
            printer.value("rise", script.rise)
            printer.value("fall", script.fall)
            printer.flag("init_fail", script.startsFailed)
        }
    }

    mutating func write(_ file: TrackFile) {
        block("track_file \(token(file.name))") { printer in
            printer.value("file", printer.token(file.path))
            printer.line(printer.weight(file.weight, isReversed: file.isReversed))
            printer.value(
                "init_file",
                file.initialization.map { "\($0.value)" + ($0.overwrites ? " overwrite" : "") })
        }
    }

    mutating func write(_ process: TrackProcess) {
        block("vrrp_track_process \(token(process.name))") { printer in
            printer.line("process", process.arguments.map(printer.token).joined(separator: " "))
            switch process.parameterMatch {
            case nil: break
            case .exact: printer.line("param_match")
            case .initial, .partial: printer.value("param_match", process.parameterMatch?.rawValue)
            }
            printer.flag("full_command", process.comparesFullCommand)
            printer.line(printer.weight(process.weight, isReversed: process.isReversed))
            // None at all is said by a maximum of 0.
            printer.value("quorum", process.quorum > 0 ? process.quorum : nil)
            printer.value("quorum_max", process.maximumQuorum)
            printer.value("fork_delay", printer.nonzero(process.forkDelay))
            printer.value("terminate_delay", printer.nonzero(process.terminateDelay))
        }
    }

    mutating func write(_ group: SyncGroupDefinition) {
        block("vrrp_sync_group \(token(group.name))") { printer in
            printer.list("group", group.members.map(printer.token))
            printer.write(group.notify, of: nil)
            printer.value("smtp_alert", group.smtpAlert)
            printer.value("notify_priority_changes", group.notifiesPriorityChanges)
            printer.flag("sync_group_tracking_weight", group.usesTrackingWeights)
            printer.writeTracked(
                interfaces: group.trackedInterfaces, scripts: group.trackedScripts,
                files: group.trackedFiles, processes: group.trackedProcesses)
        }
    }

    /// The lists of what is tracked.
    mutating func writeTracked(
        interfaces: [VRRPInstance.TrackedInterface], scripts: [VRRPInstance.TrackedScript],
        files: [VRRPInstance.TrackedObject], processes: [VRRPInstance.TrackedObject]
    ) {
        list(
            "track_interface",
            interfaces.map {
                tracked("\($0.interface)", weight($0.weight, isReversed: $0.isReversed))
            })
        list(
            "track_script",
            scripts.map { tracked(token($0.name), either($0.weight, isReversed: $0.isReversed)) })
        list("track_file", files.map(tracked))
        list("track_process", processes.map(tracked))
    }

    private func tracked(_ object: VRRPInstance.TrackedObject) -> String {
        tracked(token(object.name), either(object.weight, isReversed: object.isReversed))
    }

    private func tracked(_ name: String, _ weight: String?) -> String {
        weight.map { "\(name) \($0)" } ?? name
    }

    /// A weight that says in any case which way it counts, since the definition has one, too.
    private func either(_ number: Int?, isReversed: Bool) -> String? {
        weight(number, isReversed: isReversed, otherwise: "noreverse")
    }

    /// The commands; of an instance, also that it tells its deletion where no command does.
    mutating func write(_ notify: VRRPInstance.NotifyCommands, of instance: VRRPInstance?) {
        value("notify", notify.any)
        value("notify_master", notify.master)
        value("notify_backup", notify.backup)
        value("notify_fault", notify.fault)
        value("notify_stop", notify.stop)
        value("notify_master_rx_lower_pri", notify.masterReceivedLowerPriority)
        if let deleted = notify.deleted {
            value("notify_deleted", deleted)
        } else if instance?.notifiesDeletion == true {
            line("notify_deleted")
        }
    }
}
