import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import VRRP

extension Agent {
    /// Writes what a signal asks for.
    func dump(_ function: SignalFunction) {
        if function == .dumpState { checkers.dump() }
        if let line = function.logLine(pid: getpid()) { log.line(line) }
        do throws(SystemError) {
            try ReportFiles(
                temporaryFolder: getenv("TMPDIR").map { String(cString: $0) },
                dataSuffix: DaemonPlace(options, configuration.global).dataSuffix
            ).write(function, report, calendar: HostInformation.localTime(seconds:))
        } catch {
            log.line("\(error)")
        }
        if function == .clearStatistics {
            for runner in runners { runner.statistics = Statistics() }
        }
    }

    /// All that the dumps tell, as it is now.
    private var report: AgentReport {
        var report = AgentReport(
            configuration: book.shown(configuration),
            routerID: configuration.global.routerID ?? HostInformation.hostName)
        report.networkNamespace = options.networkNamespace ?? configuration.global.networkNamespace
        report.instances = runners.map(instanceReport)
        report.sockets = sockets.values.sorted { $0.socket.key < $1.socket.key }.compactMap(
            socketReport)
        for group in groups {
            let members = group.definition.members.compactMap { runnersByName[$0]?.router }
            var entry = AgentReport.GroupReport(state: .init(group.group.state))
            entry.faultyMembers = members.count { $0.standing == .faulty }
            entry.pendingMembers = members.count { $0.standing == .pending }
            report.groups[group.definition.name] = entry
        }
        report.staticObjects.addresses = configuration.staticAddresses.map { address in
            var entry = AddressReport(address: address, interface: address.interface)
            entry.isSet = isSet(address)
            return entry
        }
        report.staticObjects.routes = configuration.staticRoutes.map {
            RouteReport(route: $0, isSet: true)
        }
        report.staticObjects.rules = configuration.staticRules
        report.programs = book.programs
        report.scripts = trackers.scriptReports
        report.fileValues = trackers.fileValues
        report.processCounts = trackers.processCounts
        report.interfaces = machine.kernel.interfaces.names.compactMap {
            interfaceStatus($0)
        }.sorted { $0.index < $1.index }
        return report
    }

    /// Whether a static address is there.
    private func isSet(_ address: VirtualAddress) -> Bool {
        machine.kernel.interfaces[address.interface]?.addresses.contains {
            $0.address.address == address.address.address
        } ?? false
    }

    private func instanceReport(_ runner: InstanceRunner) -> InstanceReport {
        var report = InstanceReport(book.shown(runner.instance))
        let router = runner.router
        report.state = .init(router.state)
        // Its group has it wait.
        report.wantedState = router.standing == .candidate ? .master : runner.wantedState
        report.effectivePriority = router.priority
        report.totalPriority = runner.priority.sum
        report.masterPriority = router.masterPriority
        report.masterAddress = runner.masterAddress
        report.masterAdvertisementInterval = router.masterAdvertisementInterval
        report.masterDownInterval = router.masterDownInterval
        report.lastTransition = .init(nanoseconds: runner.lastTransition)
        let now = MonotonicClock.now
        report.deadline = router.deadline.map { deadline in
            .init(
                nanoseconds: MonotonicClock.realtimeNanoseconds
                    + deadline.nanoseconds - now.nanoseconds)
        }
        report.areAddressesSet = runner.objects.isSet
        report.sourceAddress = router.sourceAddress
        report.interfaceIndex = machine.kernel.device(runner.advertisingInterface)?.index ?? 0
        if let own = runner.instance.virtualInterface {
            report.isVirtualInterfaceUp = machine.kernel.interfaces.isUp(own.name)
        }
        report.moved.addresses = runner.reports(of: runner.instance.virtualAddresses)
        report.moved.excludedAddresses = runner.reports(of: runner.instance.excludedAddresses)
        for index in report.moved.routes.indices {
            report.moved.routes[index].isSet = runner.objects.isSet
        }
        report.groupName = runner.instance.syncGroup
        report.faultCount = router.faults.count { !$0.isAwaiting }
        report.pendingScriptCount = router.faults.count(where: \.isAwaiting)
        report.descriptors = runner.socket.map { ($0.descriptor, $0.senderDescriptor) }
        report.statistics = runner.statistics
        return report
    }

    private func socketReport(_ entry: SocketRunner) -> AgentReport.SocketReport? {
        let key = entry.socket.key
        guard let name = machine.kernel.interfaces[index: key.device]?.device.name else {
            return nil
        }
        var report = AgentReport.SocketReport(
            interface: name, family: key.family, receiver: entry.socket.descriptor,
            sender: entry.socket.senderDescriptor)
        report.isAuthenticated = key.ipProtocol == Advertisement.authenticationHeaderProtocol
        if case .unicast(let source) = key.endpoint { report.unicastSource = source }
        report.instances = entry.instances.map(\.name)
        return report
    }

    private func interfaceStatus(_ name: InterfaceName) -> AgentReport.InterfaceStatus? {
        guard let interface = machine.kernel.interfaces[name] else { return nil }
        var flags = AgentReport.InterfaceStatus.Flags(rawValue: interface.flags.rawValue)
        if interface.isSetUp { flags.insert(.up) }
        if interface.isUp { flags.insert(.running) }
        var status = AgentReport.InterfaceStatus(
            name: name, index: interface.device.index, flags: flags,
            mtuBytes: UInt32(clamping: interface.mtuBytes),
            hardwareType: interface.hardwareType)
        status.addresses = interface.addresses.map(\.address.address).filter {
            !virtualAddresses.contains(PlacedAddress($0, on: name))
        }
        status.mac = interface.mac
        if let base = interface.baseIndex.flatMap({ machine.kernel.interfaces[index: $0] }),
            let baseName = base.device.name,
            interface.kind == "macvlan" || interface.kind == "ipvlan"
        {
            status.base = .init(
                name: baseName, flags: base.isUp ? [.up, .running] : [],
                kind: interface.kind == "macvlan" ? "VMAC type private" : "IPVLAN type L2 bridge")
        }
        status.isOurs = runners.contains { $0.instance.virtualInterface?.name == name }
        status.trackers = runners.compactMap { runner in
            let instance = runner.instance
            if instance.interface == name, !instance.ignoresOwnInterface {
                return .init(instance: instance.name, weight: 0)
            }
            return instance.trackedInterfaces.first { $0.interface == name }.map {
                .init(
                    instance: instance.name, weight: $0.weight, isReversed: $0.isReversed)
            }
        }
        return status
    }
}

extension InstanceRunner {
    /// What has become of addresses of this instance.
    fileprivate func reports(of addresses: [VirtualAddress]) -> [AddressReport] {
        addresses.map { address in
            let interface = objects.interface(of: address)
            var report = AddressReport(address: address, interface: interface)
            if interface != address.interface { report.base = address.interface }
            // The kernel may have refused it.
            report.isSet =
                objects.isSet
                && machine.kernel.interfaces[interface]?.addresses.contains {
                    $0.address.address == address.address.address
                } ?? false
            report.isFiltered =
                objects.isSet && !instance.acceptsPackets && instance.priority != 255
            return report
        }
    }
}

extension InstanceReport.State {
    fileprivate init(_ state: VirtualRouter.State) {
        switch state {
        case .initialize, .pending: self = .initialize
        case .backup: self = .backup
        case .master: self = .master
        case .fault: self = .fault
        }
    }

    fileprivate init(_ state: SyncGroup.State) {
        switch state {
        case .initialize: self = .initialize
        case .backup: self = .backup
        case .master: self = .master
        case .fault: self = .fault
        }
    }
}
