import LabModel
import LinuxSystem

/// Has nodes keep to the limits that ``NetworkFaults`` says they have, and nodes that come back as
/// well.
final class NodeLimiter {
    private let groups: ResourceGroups
    private let disks: NodeDisks
    /// What holds now, by node; of one that is down what will, of its disk what does.
    private(set) var limits: [String: NodeLimits] = [:]
    /// How many processes of each were known to have been killed for want of memory.
    private var kills: [String: Int] = [:]
    /// The nodes that have a first process.
    private var admitted: Set<String> = []

    init(_ groups: ResourceGroups, _ disks: NodeDisks) {
        self.groups = groups
        self.disks = disks
    }

    /// Makes sure that this machine can do it, before anything is done.
    ///
    /// - Throws: ``LabError/machine(_:)``: what is missing, and how to get it.
    func require(_ limits: NodeLimits) throws(LabError) {
        for resource in NodeLimits.Resource.allCases where limits[resource] != nil {
            if let controller = resource.controller { try groups.require(controller) }
        }
    }

    /// Brings the nodes into line with these limits.
    ///
    /// - Throws: ``SystemError``; what was done before stays done.
    func bring(to wanted: [String: NodeLimits]) throws(SystemError) {
        for node in Set(limits.keys).union(wanted.keys).sorted() {
            let (before, after) = (limits[node] ?? NodeLimits(), wanted[node] ?? NodeLimits())
            for resource in NodeLimits.Resource.allCases where before[resource] != after[resource] {
                if let controller = resource.controller {
                    if admitted.contains(node) {
                        try set(controller, of: node, to: after[resource], from: before[resource])
                    }
                } else {
                    try disks.limit(node, toBytesLeft: after[resource])
                }
                note(resource, after[resource], of: node)
            }
        }
    }

    /// Sets a limit, or leaves the one that there was.
    private func set(
        _ controller: ResourceGroups.Controller, of node: String, to wanted: Int64?,
        from present: Int64?
    ) throws(SystemError) {
        do {
            try groups.set(controller, of: node, to: wanted)
        } catch {
            do {
                try groups.set(controller, of: node, to: present)
            } catch {
                StandardError.print("node \(node) is partly limited: \(error)")
            }
            throw error
        }
    }

    private func note(_ resource: NodeLimits.Resource, _ amount: Int64?, of node: String) {
        var settings = limits[node]?.settings ?? [:]
        settings[resource] = amount.map { .amount($0) }
        limits[node] = settings.isEmpty ? nil : NodeLimits(settings)
    }

    /// Puts a node that comes up under its limits: its first process, which has its group of
    /// cgroup v2 and has started nothing.
    func admit(_ node: String) {
        admitted.insert(node)
        guard let limits = limits[node] else { return }
        for resource in NodeLimits.Resource.allCases {
            guard let controller = resource.controller, let amount = limits[resource] else {
                continue
            }
            do {
                try groups.set(controller, of: node, to: amount)
            } catch {
                StandardError.print("node \(node) comes back without its limits: \(error)")
            }
        }
    }

    /// Whether a process of a node has been killed for want of memory since it was last asked.
    func hasRunOutOfMemory(_ node: String) -> Bool {
        guard limits[node]?[.memory] != nil else { return false }
        let count = groups.outOfMemoryKills(node)
        // A group that is new counts from 0.
        return count > min(kills.updateValue(count, forKey: node) ?? 0, count)
    }

    /// Removes a node's groups, once it has ended.
    func dismiss(_ node: String) {
        admitted.remove(node)
        kills[node] = nil
        groups.dismiss(node)
    }
}

extension NodeLimits.Resource {
    /// The controller of control groups that limits it; nil for the disk.
    fileprivate var controller: ControlGroupLayout.Controller? {
        switch self {
        case .cpu: .cpu
        case .memory: .memory
        case .pids: .pids
        case .disk: nil
        }
    }
}
