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
            log.detail("Opening file '\(options.configurationFile)'.")
            var parsed = try ConfigurationFile.read(options)
            log.line("Configuration file \(options.configurationFile)")
            log.line("Reloading")
            try ConfigurationFile.adapt(&parsed)
            for line in parsed.diagnostics.flatMap(\.logLines) { log.line(line) }
            guard !parsed.isRefused else {
                log.line("Reload refused, the old configuration stays in force")
                return
            }
            let newBook = try Self.book(parsed.configuration, environment: environment)
            configuration = parsed.configuration
            placement = AddressPlacement(configuration)
            book = newBook
            try replaceRunners()
            logSockets()
            checkers.apply(configuration)
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
        for (instance, setting) in zip(configuration.instances, settings()) {
            _ = try instance.routerConfiguration(setting)
        }
        let kept = keptRunners()
        trackers.tellReload(configuration)
        repeatAddresses()
        let previousGroups = groupsByName
        groups = []
        let going = Set(kept.values.map(ObjectIdentifier.init))
        for runner in runners where !going.contains(ObjectIdentifier(runner)) { end(runner) }
        rename(kept)
        announcements.reconfigure(configuration.global)
        statics.set(configuration)
        // Before anybody is made that tracks what is only known from here on.
        reloadOutside()
        runners = []
        // Not those of before: they tell what the scripts have come to.
        for (index, setting) in settings().enumerated() {
            let instance = configuration.instances[index]
            prepare(instance)
            guard let runner = kept[index] else {
                runners.append(try makeRunner(instance, setting))
                continue
            }
            runners.append(runner)
            try runner.reconfigure(
                instance, setting, placement: placement, condition: condition)
            // What is equal is kept once.
            configuration.instances[index] = runner.instance
        }
        index()
        refreshAll()
        let new = runners.indices.filter { kept[$0] == nil }.map { runners[$0] }
        start(new) { makeGroups(previous: previousGroups) }
        openSockets()
    }

    /// The runners that go on, each by the place of the instance that it goes on as: the one of
    /// that name, or else one that has another name now.
    private func keptRunners() -> [Int: InstanceRunner] {
        var kept: [Int: InstanceRunner] = [:]
        var others: [Int] = []
        for (index, instance) in configuration.instances.enumerated() {
            if let runner = runnersByName[instance.name],
                runner.instance.isSameRouter(as: instance)
            {
                kept[index] = runner
            } else {
                others.append(index)
            }
        }
        guard !others.isEmpty else { return kept }
        let taken = Set(kept.values.map(ObjectIdentifier.init))
        var left = runners.filter { !taken.contains(ObjectIdentifier($0)) }
        for index in others {
            let instance = configuration.instances[index]
            guard let place = left.firstIndex(where: { $0.instance.isSameRouter(as: instance) })
            else { continue }
            kept[index] = left.remove(at: place)
        }
        return kept
    }

    /// Has everybody who knows a runner by its name know it by the one that it goes on with. As
    /// keepalived's scripts and FIFOs, ours are told nothing.
    private func rename(_ kept: [Int: InstanceRunner]) {
        var names: [String: String] = [:]
        for (index, runner) in kept where runner.name != configuration.instances[index].name {
            names[runner.name] = configuration.instances[index].name
        }
        runnersByName = Dictionary(
            kept.map { (configuration.instances[$0.key].name, $0.value) }
        ) { first, _ in first }
        guard !names.isEmpty else { return }
        machine.virtualInterfaces.rename(names)
        managerNotifier.rename(names)
        for name in names.keys { notifier.forget(.instance(name)) }
    }

    /// Ends an instance that a reload has taken away.
    private func end(_ runner: InstanceRunner) {
        runner.deliver(.deletion)
        disarm(runner)
        announcements.cancel(runner.name)
        runner.attended?.forget(runner)
        machine.virtualInterfaces.remove(for: runner.name)
        notifier.forget(.instance(runner.name))
    }
}
