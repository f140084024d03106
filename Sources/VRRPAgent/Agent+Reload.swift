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
        let before = (configuration, placement, book)
        do {
            var parsed = try ConfigurationFile.read(options)
            try ConfigurationFile.adapt(&parsed)
            for diagnostic in parsed.diagnostics { log.line(diagnostic.logLine) }
            guard !parsed.isRefused else {
                log.line("Reload refused, the old configuration stays in force")
                return
            }
            let newBook = try Self.book(parsed.configuration, environment: environment)
            configuration = parsed.configuration
            placement = AddressPlacement(configuration)
            book = newBook
            try replaceRunners()
            log.line("Reload complete")
            releaseMemory()
        } catch {
            (configuration, placement, book) = before
            log.line("\(error)")
            log.line("Reload failed, the old configuration stays in force")
        }
    }

    /// Lets the instances go on that are still there, with the state they are in; ends those that
    /// are gone or are other routers now; starts the new ones.
    private func replaceRunners() throws(UnsupportedInstance) {
        // Everything that can be refused comes before anything is done.
        for instance in configuration.instances {
            _ = try instance.routerConfiguration(setting(of: instance))
        }
        let definitions = Dictionary(configuration.instances.map { ($0.name, $0) }) { first, _ in
            first
        }
        let kept = runners.filter { runner in
            definitions[runner.name].map(runner.instance.isSameRouter) ?? false
        }
        let identities = Set(kept.map(ObjectIdentifier.init))
        let gone = runners.filter { !identities.contains(ObjectIdentifier($0)) }
        let previousGroups = groups
        groups = []
        for runner in gone { end(runner) }
        runners = kept
        index()
        announcements.reconfigure(configuration.global)
        statics.set(configuration)
        // Before anybody is made that tracks what is only known from here on.
        reloadOutside()
        let keptByName = runnersByName
        runners = []
        for instance in configuration.instances {
            prepare(instance)
            guard let runner = keptByName[instance.name],
                runner.instance.isSameRouter(as: instance)
            else {
                runners.append(try makeRunner(instance))
                continue
            }
            runners.append(runner)
            try runner.reconfigure(
                instance, setting(of: instance), placement: placement,
                conditions: conditions(for: runner))
        }
        index()
        refreshAll()
        makeGroups(previous: previousGroups)
        for runner in runners where !identities.contains(ObjectIdentifier(runner)) { start(runner) }
        openSockets()
    }

    /// Ends an instance that a reload has taken away.
    private func end(_ runner: InstanceRunner) {
        runner.deliver(.deletion)
        disarm(runner)
        announcements.cancel(runner.name)
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
