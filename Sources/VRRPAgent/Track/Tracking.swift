import KeepalivedConf
import NetworkTypes
import VRRP

/// What an instance tracks and what each thing weighs: the instance's own lines, and those of its
/// sync groups.
enum Tracking {
    typealias Weights = [EffectivePriority.Tracked: EffectivePriority.Weight]

    /// What an instance's own lines weigh, and the interfaces that it cannot be master without:
    /// those are FAULT when they are down, whatever weight is written for them.
    static func weights(of instance: VRRPInstance, _ configuration: Configuration) -> Weights {
        var weights = Weights()
        add(
            instance.trackedInterfaces, instance.trackedScripts, instance.trackedFiles,
            instance.trackedProcesses, configuration, to: &weights)
        for name in instance.carriers { weights[.interface(name.text)] = .init(0) }
        return weights
    }

    /// What the lines of its sync groups weigh, for each member.
    static func weights(
        of groups: [SyncGroupDefinition], _ configuration: Configuration
    ) -> Weights {
        var weights = Weights()
        for group in groups {
            add(
                group.trackedInterfaces, group.trackedScripts, group.trackedFiles,
                group.trackedProcesses, configuration, to: &weights)
        }
        return weights
    }

    private static func add(
        _ interfaces: [VRRPInstance.TrackedInterface], _ scripts: [VRRPInstance.TrackedScript],
        _ files: [VRRPInstance.TrackedObject], _ processes: [VRRPInstance.TrackedObject],
        _ configuration: Configuration, to weights: inout Weights
    ) {
        for line in interfaces {
            weights[.interface(line.interface.text)] = .init(
                line.weight, isReversed: line.isReversed)
        }
        for line in scripts {
            guard let script = configuration.scripts.first(where: { $0.name == line.name }) else {
                continue
            }
            weights[.script(line.name)] = weight(
                line.weight, line.isReversed, else: script.weight, script.isReversed)
        }
        for line in files {
            guard let file = configuration.files.first(where: { $0.name == line.name }) else {
                continue
            }
            weights[.file(line.name)] = weight(
                line.weight, line.isReversed, else: file.weight, file.isReversed)
        }
        for line in processes {
            guard let process = configuration.processes.first(where: { $0.name == line.name })
            else { continue }
            weights[.process(line.name)] = weight(
                line.weight, line.isReversed, else: process.weight, process.isReversed)
        }
    }

    /// What a line says, or else what the definition says.
    private static func weight(
        _ own: Int?, _ isReversed: Bool, else value: Int, _ isDefaultReversed: Bool
    ) -> EffectivePriority.Weight {
        own.map { .init($0, isReversed: isReversed) }
            ?? .init(value, isReversed: isDefaultReversed)
    }
}

extension VRRPInstance {
    /// The interfaces besides its own that its addresses, routes and rules are on, unless written
    /// with `no_track`.
    fileprivate var carriers: [InterfaceName] {
        // One loop each and no sets: nearly all of many instances have none.
        var carriers: [InterfaceName] = []
        func add(_ other: InterfaceName?) {
            if let other, other != interface { carriers.append(other) }
        }
        for address in virtualAddresses where address.isTracked { add(address.interface) }
        for address in excludedAddresses where address.isTracked { add(address.interface) }
        for route in virtualRoutes where route.isTracked { add(route.interface) }
        for rule in virtualRules where rule.isTracked {
            add(rule.inputInterface)
            add(rule.outputInterface)
        }
        return carriers
    }
}
