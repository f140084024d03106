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
        var kept: [String: InstanceRunner] = [:]
        // Everything that can be refused comes before anything is done.
        for (instance, setting) in zip(configuration.instances, settings()) {
            _ = try instance.routerConfiguration(setting)
            guard let runner = runnersByName[instance.name],
                runner.instance.isSameRouter(as: instance)
            else { continue }
            kept[instance.name] = runner
        }
        repeatAddresses()
        let gone = runners.filter { kept[$0.name] == nil }
        let previousGroups = groupsByName
        groups = []
        for runner in gone { end(runner) }
        runnersByName = kept
        announcements.reconfigure(configuration.global)
        statics.set(configuration)
        // Before anybody is made that tracks what is only known from here on.
        reloadOutside()
        runners = []
        for (index, setting) in settings().enumerated() {
            let instance = configuration.instances[index]
            prepare(instance)
            guard let runner = kept[instance.name] else {
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
        start(runners.filter { kept[$0.name] == nil }) { makeGroups(previous: previousGroups) }
        openSockets()
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
