import KeepalivedConf
import NetworkTypes
import VRRP

/// Why an instance will be in FAULT when it starts, as keepalived says it.
struct StartFaults {
    /// The instance's name.
    var name: String
    /// The interface that it is on.
    var interface: InterfaceName
    /// The family of its addresses.
    var family: IPAddress.Family
    /// Whether the source of its advertisements is written, and not the interface's own.
    var isSourceWritten: Bool
    /// What is wrong.
    var faults: Set<VirtualRouter.Fault>
    /// What the value and the weight of a tracked file come to.
    var fileStatus: (String) -> Int

    /// The lines, in keepalived's order: interfaces, files, processes, the address, scripts. It has
    /// none for what is written in the file and said where that is read.
    var lines: [String] {
        ranked.sorted { $0 < $1 }.map { "(\(name))\($0.text)" }
    }

    private var ranked: [(rank: Int, text: String)] {
        faults.compactMap { fault in
            switch fault {
            case .link: (0, ": entering FAULT state (interface \(interface) down)")
            case .trackedInterface(let name): (1, ": entering FAULT state (interface \(name) down)")
            case .trackedFile(let name):
                (2, ": entering FAULT state (tracked file \(name) has status \(fileStatus(name)))")
            case .trackedProcess(let name):
                (3, " entering FAULT state (tracked process \(name) quorum not achieved)")
            case .sourceAddress where isSourceWritten:
                (4, ": entering FAULT state (src address not configured)")
            case .sourceAddress:
                (4, " entering FAULT state (no IPv\(family == .v4 ? 4 : 6) address for interface)")
            case .trackedScript(let name): (5, ": entering FAULT state due to script \(name)")
            case .addressConflict, .noUnicastPeers, .configuration, .virtualMAC, .group,
                .awaitingScript, .awaitingGroup:
                nil
            }
        }
    }
}

extension InstanceRunner {
    /// Takes what is known already and says why it will be in FAULT; before its startup, and before
    /// its group begins.
    ///
    /// - Parameter condition: how something that is tracked is now; nil: that is not known.
    func settle(_ condition: (EffectivePriority.Tracked) -> EffectivePriority.Condition?) {
        for event in priority.initialEvents { deliver(event) }
        updateTracked(condition)
        for fault in instance.writtenFaults { deliver(.faultRaised(fault)) }
        let reasons = StartFaults(
            name: name, interface: instance.interface, family: instance.family,
            isSourceWritten: instance.sourceAddress != nil, faults: router.faults,
            fileStatus: { [priority] in priority.fileStatus($0) })
        for line in reasons.lines { log.line(line) }
    }
}
