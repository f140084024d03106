import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes

extension Agent {
    /// Takes in what the kernel has told about interfaces, addresses, routes and rules.
    func takeNotifications() {
        let report: KernelShell.Report
        do throws(NetlinkError) {
            report = try machine.kernel.drain()
        } catch {
            log.line("\(error)")
            return
        }
        guard !report.changes.isEmpty || !report.gone.isEmpty else { return }
        statics.restore(report)
        if !report.gone.isEmpty {
            for runner in runners { runner.verify(report) }
        }
        let concerned = Set(
            report.changes.filter { !$0.isMove(of: independentAddresses) }.map(\.interface))
        guard !concerned.isEmpty else { return }
        remakeVirtualInterfaces(concerned)
        for name in concerned {
            machine.linkDelays.update(
                name, isUp: machine.kernel.interfaces.isUp(name), now: MonotonicClock.now)
        }
        armLinkDelays()
        // Also what is there again by now: its addresses and groups went with it.
        let vanished = Set(
            report.changes.compactMap { change in
                if case .vanished(let name) = change { name } else { nil }
            })
        for name in concerned.subtracting(vanished) where machine.kernel.interfaces[name] != nil {
            self.report(.added(name))
        }
        refresh(
            runners.filter { runner in concerned.contains(where: runner.isConcerned) },
            vanished: vanished)
        for name in vanished where runners.contains(where: { $0.isConcerned(by: name) }) {
            self.report(.deleted(name))
            if machine.kernel.interfaces[name] != nil { self.report(.added(name)) }
        }
        // Only now: farewells went through the sockets of before. After a loss nobody knows which
        // went and came back by the same number.
        let suspects = report.wasOverrun ? machine.kernel.interfaces.names : vanished
        for name in suspects { closeSockets(ofFormer: name) }
        openSockets()
    }

    /// Arranges to be woken when a change of an interface has lasted long enough to count.
    func armLinkDelays() {
        if let linkDelayTimer { loop.cancel(linkDelayTimer) }
        linkDelayTimer = machine.linkDelays.deadline.map { deadline in
            loop.schedule(at: deadline) { [unowned self] in
                linkDelayTimer = nil
                let names = machine.linkDelays.due(at: MonotonicClock.now)
                refresh(runners.filter { runner in names.contains(where: runner.isConcerned) })
                openSockets()
                armLinkDelays()
            }
        }
    }

    /// Has every runner look at its interfaces.
    func refreshAll() {
        refresh(runners)
        openSockets()
    }

    private func refresh(_ runners: [InstanceRunner], vanished: Set<InterfaceName> = []) {
        var done: Set<InterfaceName> = []
        for runner in runners {
            let tracked = runner.trackedInterfaces.filter { !done.contains($0) }
            runner.refresh(
                vanished: vanished, virtual: virtualAddresses, report: report)
            // keepalived's order: what an instance needs, what comes of it, the rest.
            let own = runner.instance.interface
            if done.insert(own).inserted { reportAddresses(of: own, isOnlyTracked: false) }
            for name in tracked where done.insert(name).inserted {
                reportAddresses(of: name, isOnlyTracked: true)
            }
        }
    }

    /// Says what is new about an interface, once, however many instances it concerns.
    private func report(_ report: InterfaceReport) {
        guard interfaceLog.takes(report) else { return }
        if report.isDetail { log.detail(report.text) } else { log.line(report.text) }
    }

    private func reportAddresses(of name: InterfaceName, isOnlyTracked: Bool) {
        let reports = interfaceLog.reports(of: name, isOnlyTracked: isOnlyTracked) { family in
            machine.kernel.interfaces.source(family, on: name, without: virtualAddresses)
        }
        reports.forEach(report)
    }

    /// Says all instances' interfaces' addresses anew.
    func repeatAddresses() {
        interfaceLog.forgetAddresses()
        var done: Set<InterfaceName> = []
        for instance in configuration.instances where done.insert(instance.interface).inserted {
            reportAddresses(of: instance.interface, isOnlyTracked: false)
        }
    }

    /// Makes the instances' own interfaces again when somebody has removed them, or when what they
    /// lie on is there again.
    private func remakeVirtualInterfaces(_ concerned: Set<InterfaceName>) {
        for runner in runners {
            let plans = placement.plans(for: runner.instance)
            guard
                plans.contains(where: { concerned.contains($0.name) || concerned.contains($0.base) }
                )
            else { continue }
            machine.virtualInterfaces.make(plans, for: runner.name)
        }
    }
}

extension InterfaceTable.Change {
    /// Whether it tells only that one of those addresses, which instances move and none sends
    /// from, came or went: no interface's own, so that nothing depends on it. (A takeover of 255
    /// instances tells 255 times, and each would make 255 of them look for their source among as
    /// many addresses.)
    func isMove(of addresses: Set<PlacedAddress>) -> Bool {
        switch self {
        case .added(let address, let name), .removed(let address, let name):
            addresses.contains(PlacedAddress(address.address, on: name))
        case .appeared, .vanished, .up, .down, .addressChanged: false
        }
    }

    /// The interface it is about.
    fileprivate var interface: InterfaceName {
        switch self {
        case .appeared(let name), .vanished(let name), .up(let name), .down(let name),
            .addressChanged(of: let name), .added(_, let name), .removed(_, let name):
            name
        }
    }
}
