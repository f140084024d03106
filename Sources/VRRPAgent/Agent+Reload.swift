import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import VRRP

extension Agent {
    /// Reads the configuration again. What would be refused at start is refused here too, and the
    /// old one stays in force. (keepalived exits, and the addresses are gone.)
    func reload() {
        log.line("Reloading ...")
        let before = configuration
        do {
            let parsed = try ConfigurationFile.read(options)
            let names = interfaceNames
            let missing = parsed.configuration.diagnosticsForMissingInterfaces {
                names.contains($0)
            }
            for diagnostic in parsed.diagnostics + missing { log.line(diagnostic.logLine) }
            guard !parsed.isRefused, !missing.contains(where: { $0.kind == .refused }) else {
                log.line("Reload refused, the old configuration stays in force")
                return
            }
            let newBook = try Self.book(parsed.configuration, environment: environment)
            configuration = parsed.configuration
            book = newBook
            try replaceRunners()
            log.line("Reload complete")
        } catch {
            configuration = before
            log.line("\(error)")
            log.line("Reload failed, the old configuration stays in force")
        }
    }

    /// Lets the instances go on that are still there, with the state they are in; ends those that
    /// are gone or are other routers now; starts the new ones.
    private func replaceRunners() throws(UnsupportedInstance) {
        let placement = AddressPlacement(configuration)
        var next: [InstanceRunner] = []
        var kept: Set<ObjectIdentifier> = []
        // Everything that can be refused comes before anything is done.
        for instance in configuration.instances {
            if let runner = runners.first(where: { $0.instance.isSameRouter(as: instance) }) {
                _ = try instance.routerConfiguration(setting(of: instance))
                kept.insert(ObjectIdentifier(runner))
                next.append(runner)
            } else {
                next.append(try makeRunner(instance, placement))
            }
        }
        let gone = runners.filter { !kept.contains(ObjectIdentifier($0)) }
        let previousGroups = groups
        groups = []
        for runner in gone { end(runner) }
        runners = next
        index()
        announcements.reconfigure(configuration.global)
        statics.set(configuration)
        let interfaces = machine.kernel.interfaces
        machine.linkDelays = LinkDelays(
            configuration.global.interfaceDelays, isUp: interfaces.isUp)
        armLinkDelays()
        reloadOutside()
        for (runner, instance) in zip(runners, configuration.instances) {
            prepare(runner, placement)
            guard kept.contains(ObjectIdentifier(runner)) else { continue }
            try runner.reconfigure(
                instance, setting(of: instance), conditions: conditions(for: runner))
        }
        refreshAll()
        makeGroups(previous: previousGroups)
        for runner in runners where !kept.contains(ObjectIdentifier(runner)) { start(runner) }
        openSockets()
    }

    /// Ends an instance that a reload has taken away.
    private func end(_ runner: InstanceRunner) {
        runner.deliver(.deletion)
        disarm(runner)
        if let entry = runner.socket.flatMap({ sockets[$0.key] }) { entry.forget(runner) }
        machine.virtualInterfaces.remove(for: runner.name)
        notifier.forget(.instance(runner.name))
    }
}

extension Agent {
    /// How everything is that an instance may track.
    fileprivate func conditions(
        for runner: InstanceRunner
    ) -> [EffectivePriority.Tracked: EffectivePriority.Condition] {
        var conditions = trackers.conditions
        for tracked in runner.priority.tracked {
            guard case .interface(let name) = tracked, let interface = InterfaceName(name) else {
                continue
            }
            conditions[.interface(name)] =
                machine.isUp(interface) ? .well : .failing
        }
        return conditions
    }
}
