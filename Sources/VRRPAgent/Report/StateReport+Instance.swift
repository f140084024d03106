import KeepalivedConf
import NetworkTypes
import VRRP

// The section of one `vrrp_instance`.

extension StateReport {
    mutating func write(_ report: InstanceReport) {
        let instance = report.instance
        line(" VRRP Instance = \(instance.name)")
        line("   VRRP Version = \(instance.version.rawValue)")
        if let group = report.groupName { line("   Sync group = \(group)") }
        if instance.family == .v6 { line("   Using Native IPv6") }
        writeState(report)
        writeFlags(report)
        writeTimes(report)
        writeInterface(report)
        writeAnnouncements(instance)
        writePriority(report)
        writeAuthentication(instance)
        writeMoved(report)
        writeTracking(report)
        line("   Using smtp notification = \(instance.smtpAlert ? "yes" : "no")")
        line("   Notify deleted = \(instance.notifiesDeletion ? "Deleted" : "Fault")")
        writeCommands(instance.notify)
        line("   Notify priority changes = \(instance.notifiesPriorityChanges)")
    }

    private mutating func writeState(_ report: InstanceReport) {
        line("   State = \(report.state)")
        guard report.state == .backup else { return }
        // Before it has heard one, keepalived prints where it would send to itself.
        let master =
            report.masterAddress ?? report.instance.multicastGroup
            ?? (report.instance.family == .v4
                ? .v4(self.report.configuration.global.multicastGroup4)
                : .v6(self.report.configuration.global.multicastGroup6))
        line("   Master router = \(master)")
        line("   Master priority = \(report.masterPriority)")
        if report.instance.version == .v3 {
            let hundredths = report.masterAdvertisementInterval.wholeMicroseconds / 10_000
            line(
                "   Master advert int = \(hundredths / 100).\(Text.padded(hundredths % 100, 2)) sec"
            )
        }
    }

    private mutating func writeFlags(_ report: InstanceReport) {
        let instance = report.instance
        let isUnicast = !instance.unicastPeers.isEmpty
        var flags: [String] = []
        if isUnicast { flags.append("Using unicast") }
        if instance.faultsWithoutPeer { flags.append("If unicast go to fault state if no peers") }
        // keepalived's word has bits for these too, that it prints elsewhere.
        let hasOthers =
            instance.virtualInterface != nil || instance.nopreempt || instance.ignoresOwnInterface
            || instance.skipsAddressCheck || instance.promotesSecondaries
            || instance.sourceAddress != nil || instance.checksUnicastSource
        line(flags.isEmpty && !hasOthers ? "   Flags: none" : "   Flags:")
        for flag in flags { line("     \(flag)") }
    }

    private mutating func writeTimes(_ report: InstanceReport) {
        line("   Wantstate = \(report.wantedState)")
        line("   Number of config faults = 0")
        line("   Number of interface and track script faults = \(report.faultCount)")
        line("   Number of track scripts init = \(report.pendingScriptCount)")
        line("   Last transition = \(report.lastTransition.text(calendar))")
        line("   Read timeout = \(report.deadline?.text(calendar) ?? "DISABLED")")
        line("   Master down timer = \(report.masterDownInterval.wholeMicroseconds) usecs")
    }

    private mutating func writeInterface(_ report: InstanceReport) {
        let instance = report.instance
        if let virtual = instance.virtualInterface {
            let kind = virtual.kind == .macvlan ? "vmac" : "ipvlan"
            line(
                "   Use \(kind.uppercased()), i/f name \(virtual.name), "
                    + "is_up = \(report.isVirtualInterfaceUp), "
                    + "xmit_base = \(virtual.transmitsFromBase)")
            if let address = virtual.address { line("     MAC = \(address)") }
            if virtual.coversOtherInterfaces {
                line("   Use VMAC for VIPs on other interfaces")
            }
            line(
                "   Interface = \(virtual.name), \(kind) on \(instance.interface)"
                    + (virtual.transmitsFromBase ? ", xmit base i/f" : ""))
        } else {
            line("   Interface = \(instance.interface)")
        }
        if instance.ignoresOwnInterface { line("   VRRP interface tracking disabled") }
        if instance.skipsAddressCheck { line("   Skip checking advert IP addresses") }
        if instance.isStrict { line("   Enforcing strict VRRP compliance") }
        let source = report.sourceAddress.map { "\($0)" } ?? "(none)"
        line(
            "   Using src_ip = \(source)"
                + (instance.sourceAddress == nil ? "" : " (from configuration)"))
        guard instance.unicastPeers.isEmpty else { return }
        let global = self.report.configuration.global
        switch instance.family {
        case .v4:
            line("   Multicast address \(instance.multicastGroup ?? .v4(global.multicastGroup4))")
        case .v6:
            line(
                "   Multicast address \(instance.multicastGroup ?? .v6(global.multicastGroup6)), "
                    + "ifindex \(report.interfaceIndex)")
        }
    }

    private mutating func writeAnnouncements(_ instance: VRRPInstance) {
        let settings = instance.announcements
        line("   Gratuitous ARP delay = \(settings.masterDelay.wholeSeconds)")
        line("   Gratuitous ARP repeat = \(settings.masterRepeat)")
        line("   Gratuitous ARP refresh = \(settings.refreshInterval.wholeSeconds)")
        line("   Gratuitous ARP refresh repeat = \(settings.refreshRepeat)")
        line(
            "   Gratuitous ARP lower priority delay = \(settings.lowerPriorityDelay.wholeSeconds)")
        line("   Gratuitous ARP lower priority repeat = \(settings.lowerPriorityRepeat)")
        line("   Down timer adverts = \(instance.masterDownAdvertisements)")
        if instance.extraAnnouncementInterval > .zero {
            line(
                "   Gratuitous ARP for each secondary VMAC = "
                    + "\(instance.extraAnnouncementInterval.wholeSeconds)")
        }
        line(
            "   Send advert after receive lower priority advert = "
                + "\(!instance.ignoresLowerPriority)")
        line(
            "   Send advert after receive higher priority advert = "
                + "\(instance.advertisesBeforeYielding)")
    }

    private mutating func writePriority(_ report: InstanceReport) {
        let instance = report.instance
        line("   Virtual Router ID = \(instance.virtualRouterID)")
        line("   Priority = \(instance.priority)")
        line("   Effective priority = \(report.effectivePriority)")
        line("   Total priority = \(report.totalPriority)")
        switch instance.version {
        case .v2: line("   Advert interval = \(instance.advertisementInterval.wholeSeconds) sec")
        case .v3:
            line("   Advert interval = \(milliseconds(instance.advertisementInterval)) milli-sec")
            if report.state == .backup {
                let interval = milliseconds(report.masterAdvertisementInterval)
                line("   Master advert interval = \(interval) milli-sec")
            }
        }
        line("   Accept = \(instance.acceptsPackets ? "enabled" : "disabled")")
        line("   Preempt = \(instance.nopreempt ? "disabled" : "enabled")")
        if instance.preemptDelay > .zero {
            line("   Preempt delay = \(instance.preemptDelay.shortSeconds) secs")
        }
        line(
            "   Promote_secondaries = \(instance.promotesSecondaries ? "enabled" : "disabled")")
    }

    private func milliseconds(_ interval: Duration) -> Int64 { interval.wholeMicroseconds / 1000 }

    private mutating func writeAuthentication(_ instance: VRRPInstance) {
        switch instance.authentication {
        case .password(let octets)?:
            line("   Authentication type = SIMPLE_PASSWORD")
            line("   Password = \(String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self))")
        case .header?: line("   Authentication type = IPSEC_AH")
        case nil where instance.version == .v2: line("   Authentication type = none")
        case nil: break
        }
    }

    private mutating func writeMoved(_ report: InstanceReport) {
        let moved = report.moved
        if !moved.addresses.isEmpty {
            line("   Virtual IP (\(moved.addresses.count)):")
            for address in moved.addresses { line("     \(address)") }
        }
        list("Virtual IP Excluded", moved.excludedAddresses.map(\.description))
        writePeers(report.instance)
        if let descriptors = report.descriptors {
            line("   fd_in \(descriptors.receiver), fd_out \(descriptors.sender)")
        } else {
            line("   No sockets allocated")
        }
        list("Virtual Routes", moved.routes.map(\.description))
        list("Virtual Rules", moved.rules.map(\.reportText))
    }

    private mutating func writePeers(_ instance: VRRPInstance) {
        guard !instance.unicastPeers.isEmpty else { return }
        if let hops = instance.unicastTimeToLive ?? (instance.family == .v4 ? 255 : nil) {
            line("   Unicast TTL = \(hops)")
        }
        line("   Check unicast src : \(instance.checksUnicastSource ? "yes" : "no")")
        line("   Unicast Peer :")
        for (index, peer) in instance.unicastPeers.enumerated() {
            let limits = instance.unicastPeerTimesToLive
            let range = (index < limits.count ? limits[index] : nil) ?? 0...255
            line("     \(peer) min_ttl \(range.lowerBound) max_ttl \(range.upperBound)")
        }
        let checksum =
            switch instance.unicastChecksum {
            case .current: "no"
            case .old: "config"
            case .neverOld: "never"
            }
        line("   Unicast checksum compatibility = \(checksum)")
    }

    private mutating func writeTracking(_ report: InstanceReport) {
        let instance = report.instance
        list("Tracked interfaces", instance.trackedInterfaces.map(\.reportText))
        let configuration = self.report.configuration
        list(
            "Tracked scripts",
            instance.trackedScripts.map { tracked in
                let script = configuration.scripts.first { $0.name == tracked.name }
                return tracked.reportText(or: script?.weight ?? 0, script?.isReversed ?? false)
            })
        list(
            "Tracked files",
            instance.trackedFiles.map { tracked in
                let file = configuration.files.first { $0.name == tracked.name }
                return tracked.reportText(or: file?.weight ?? 0, file?.isReversed ?? false)
            })
        list(
            "Tracked processes",
            instance.trackedProcesses.map { tracked in
                let process = configuration.processes.first { $0.name == tracked.name }
                return tracked.reportText(or: process?.weight ?? 0, process?.isReversed ?? false)
            })
    }

    mutating func writeCommands(_ notify: VRRPInstance.NotifyCommands) {
        write(notify.backup, "Backup")
        write(notify.master, "Master")
        write(notify.fault, "Fault")
        write(notify.stop, "Stop")
        write(notify.deleted, "Deleted")
        write(notify.any, "Generic")
        write(notify.masterReceivedLowerPriority, "Master rx lower pri")
    }
}

extension VRRPInstance.TrackedInterface {
    var reportText: String { "\(interface) weight \(weight)\(isReversed ? " reverse" : "")" }
}

extension VRRPInstance.TrackedScript {
    /// - Parameters: the script's own weight, for a line without one.
    func reportText(or weight: Int, _ isReversed: Bool) -> String {
        let reversed = self.weight == nil ? isReversed : self.isReversed
        return "\(name) weight \(self.weight ?? weight)\(reversed ? " reverse" : "")"
    }
}

extension VRRPInstance.TrackedObject {
    /// - Parameters: the object's own weight, for a line without one.
    func reportText(or weight: Int, _ isReversed: Bool) -> String {
        let reversed = self.weight == nil ? isReversed : self.isReversed
        return "\(name), weight \(self.weight ?? weight)\(reversed ? " reverse" : "")"
    }
}
