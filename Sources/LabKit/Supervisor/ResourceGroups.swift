import CLinux
import Glibc
import LabModel
import LinuxSystem
import SystemPackage

/// The control groups by which nodes have less processor time, memory or processes than their
/// machine.
///
/// Where version 2 of cgroups has a controller, a node's limit is that of the group it is in anyway
/// (``Freezer``). Where version 1 has it, the node gets a group of its own in that hierarchy when a
/// limit is first wanted, below the group that the supervisor is in, whose own limits go on to
/// hold; all the node's processes are moved there, and back when the limit is lifted.
struct ResourceGroups {
    typealias Controller = ControlGroupLayout.Controller

    /// What the names of all our groups begin with; a point is in no name of a lab or node.
    static let prefix = "labctl."
    /// The period of a processor's quota: the kernel's own choice, and docker's.
    private static let cpuPeriodMicroseconds: Int64 = 100_000
    /// Rounds in which a node's processes are moved: one that forks faster than that is stopped by
    /// nothing.
    private static let maximumRounds = 1000

    let layout: ControlGroupLayout
    private let lab: String
    /// Lists the groups that were made, for whoever sweeps after a supervisor that was killed.
    private let record: String

    init(_ layout: ControlGroupLayout, lab: String, record: String) {
        self.layout = layout
        self.lab = lab
        self.record = record
    }

    private func name(_ node: String) -> String { "\(Self.prefix)\(lab).\(node)" }

    /// The group of a node in version 2.
    private func unified(_ node: String) -> String? {
        layout.unified.map { "\($0)/\(name(node))" }
    }

    /// The group of a node in a hierarchy of version 1.
    private func legacy(_ node: String, _ controller: Controller) -> String? {
        layout.legacy[controller].map { "\($0)/\(name(node))" }
    }

    /// Makes sure that there is that controller, in one hierarchy or the other.
    ///
    /// - Throws: ``LabError/machine(_:)`` where there is none, or not as it is needed.
    func require(_ controller: Controller) throws(LabError) {
        let name = controller.rawValue
        guard let unified = layout.unified else {
            guard layout.ownUnified == nil else {
                throw .machine("\(name) limits need \(Freezer.delegation)")
            }
            throw .machine(
                "\(name) limits need cgroup v2, which is not mounted: "
                    + "mount -t cgroup2 none /sys/fs/cgroup")
        }
        if let own = layout.legacy[controller] {
            guard FileSystem.isWritable("\(own)/cgroup.procs") else {
                throw .machine(
                    "\(name) limits need \(own), the \(name) controller's group of cgroup v1, "
                        + "to be delegated to you, or root: run labctl with sudo")
            }
            return
        }
        func has(_ file: String) -> Bool {
            let text = (try? FileSystem.readText("\(unified)/\(file)")) ?? ""
            return text.split(whereSeparator: \.isWhitespace).contains("\(name)")
        }
        guard has("cgroup.controllers") else {
            throw .machine(
                "\(name) limits need the \(name) controller of cgroups, which neither v1 nor v2 "
                    + "has here: boot a kernel that has it (cgroup_enable=\(name))")
        }
        if has("cgroup.subtree_control") { return }
        do {
            try FileSystem.writeParameter("+\(name)", to: "\(unified)/cgroup.subtree_control")
        } catch {
            throw .machine(
                "the \(name) controller cannot be had for groups below \(unified): \(error); in a "
                    + "container, move its processes into a group of their own first (cgroups(7), "
                    + "\"no internal processes\")")
        }
    }

    /// Sets the limit of a node that is up; nil lifts it.
    ///
    /// - Throws: ``SystemError``; in version 1 EBUSY for memory that is in use and cannot be taken
    ///   away.
    func set(_ controller: Controller, of node: String, to limit: Int64?) throws(SystemError) {
        guard let group = legacy(node, controller) else {
            guard let group = unified(node) else { return }
            return try Self.write(controller, limit, toUnified: group)
        }
        guard let limit else { return try dismiss(controller, of: node) }
        if !FileSystem.exists(group) {
            // The record comes first: a group without it would be nobody's to remove.
            let file = try FileSystem.openForAppending(record, followsLinks: false)
            try FileSystem.writeAll(Array("\(group)\n".utf8)[...], to: file.rawValue, name: record)
            file.close()
            try FileSystem.makeFolders(group)
        }
        try Self.write(controller, limit, toLegacy: group)
        try gather(node, in: group)
    }

    /// How often a process of a node has been killed for want of memory, since its group was made;
    /// 0 where nobody counts (memory.events of version 2, memory.oom_control of version 1).
    func outOfMemoryKills(_ node: String) -> Int {
        let path =
            legacy(node, .memory).map { "\($0)/memory.oom_control" }
            ?? unified(node).map { "\($0)/memory.events" }
        let text = path.flatMap { try? FileSystem.readText($0) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
        return line.flatMap { Int($0.dropFirst("oom_kill ".count)) } ?? 0
    }

    /// Removes a node's groups of version 1, once nothing is in them; nothing where it has none.
    func dismiss(_ node: String) {
        for controller in Controller.allCases {
            if let group = legacy(node, controller) { rmdir(group) }
        }
    }

    /// Has a node's processes be where the supervisor is, and removes their group.
    private func dismiss(_ controller: Controller, of node: String) throws(SystemError) {
        guard let home = layout.legacy[controller], let group = legacy(node, controller),
            FileSystem.exists(group)
        else { return }
        for _ in 1...Self.maximumRounds {
            let inside = try Self.processes(of: group)
            if inside.isEmpty { break }
            for pid in inside { try Self.move(pid, to: home) }
        }
        try systemCall("remove \(group)") { rmdir(group) }
    }

    /// Moves all processes of a node into a group of version 1, with those that they start
    /// meanwhile.
    private func gather(_ node: String, in group: String) throws(SystemError) {
        guard let unified = unified(node) else { return }
        for _ in 1...Self.maximumRounds {
            let inside = Set(try Self.processes(of: group))
            let outside = try Self.processes(of: unified).filter { !inside.contains($0) }
            if outside.isEmpty { return }
            for pid in outside { try Self.move(pid, to: group) }
        }
        throw SystemError("move the processes of node \(node) to \(group)", .resourceBusy)
    }

    /// The processes of a group, as the caller's PID namespace numbers them; 0 for one that it
    /// does not see is left out.
    private static func processes(of group: String) throws(SystemError) -> [Int32] {
        try FileSystem.readText("\(group)/cgroup.procs").split(separator: "\n")
            .compactMap { Int32($0) }.filter { $0 > 0 }
    }

    private static func move(_ pid: Int32, to group: String) throws(SystemError) {
        do {
            try FileSystem.writeParameter("\(pid)", to: "\(group)/cgroup.procs")
        } catch  where error.code == .noSuchProcess {
            // It has ended.
        }
    }

    // MARK: Values

    private static func write(
        _ controller: Controller, _ limit: Int64?, toUnified group: String
    ) throws(SystemError) {
        switch controller {
        case .cpu:
            let quota = limit.map { "\(quotaMicroseconds($0))" } ?? "max"
            try FileSystem.writeParameter(
                "\(quota) \(cpuPeriodMicroseconds)", to: "\(group)/cpu.max")
        case .memory:
            // What is swapped out is not used less.
            if FileSystem.exists("\(group)/memory.swap.max") {
                try FileSystem.writeParameter(
                    limit == nil ? "max" : "0", to: "\(group)/memory.swap.max")
            }
            try FileSystem.writeParameter(
                limit.map { "\($0)" } ?? "max", to: "\(group)/memory.max")
        case .pids:
            try FileSystem.writeParameter(
                limit.map { "\($0)" } ?? "max", to: "\(group)/pids.max")
        }
    }

    private static func write(
        _ controller: Controller, _ limit: Int64, toLegacy group: String
    ) throws(SystemError) {
        switch controller {
        case .cpu:
            try FileSystem.writeParameter(
                "\(cpuPeriodMicroseconds)", to: "\(group)/cpu.cfs_period_us")
            try FileSystem.writeParameter(
                "\(quotaMicroseconds(limit))", to: "\(group)/cpu.cfs_quota_us")
            allowRealTime(limit, in: group)
        case .memory:
            let both = "\(group)/memory.memsw.limit_in_bytes"
            let alone = "\(group)/memory.limit_in_bytes"
            // Memory with swap may never be less than memory: which goes first depends on the way.
            do {
                try FileSystem.writeParameter("\(limit)", to: alone)
            } catch  where error.code == .invalidArgument && FileSystem.exists(both) {
                try FileSystem.writeParameter("\(limit)", to: both)
                try FileSystem.writeParameter("\(limit)", to: alone)
            }
            if FileSystem.exists(both) { try FileSystem.writeParameter("\(limit)", to: both) }
        case .pids: try FileSystem.writeParameter("\(limit)", to: "\(group)/pids.max")
        }
    }

    /// Gives a group a share for real-time processes, of a second: one without it takes none, and
    /// lets none become one (Documentation/scheduler/sched-rt-group.rst). Theirs is counted apart,
    /// and all groups together have no more than 95 %: where that is not left, half of it, and so
    /// on. A kernel without CONFIG_RT_GROUP_SCHED has no such file, and needs none.
    private static func allowRealTime(_ thousandths: Int64, in group: String) {
        let path = "\(group)/cpu.rt_runtime_us"
        var microseconds = min(thousandths, 900) * 1000
        while FileSystem.exists(path), microseconds >= 1000 {
            do {
                return try FileSystem.writeParameter("\(microseconds)", to: path)
            } catch {
                microseconds /= 2
            }
        }
    }

    private static func quotaMicroseconds(_ thousandths: Int64) -> Int64 {
        thousandths * (cpuPeriodMicroseconds / 1000)
    }
}

// What a killed supervisor leaves, and what can be done at all.
extension ResourceGroups {
    /// How long the last process of a killed lab may take to have ended.
    private static let burialMilliseconds = 1000

    /// Removes the groups that a list of them names, and are still there. What was in them was
    /// killed with the supervisor, and is waited for.
    static func sweep(record: String) {
        let text = (try? FileSystem.readText(record)) ?? ""
        for group in Set(text.split(separator: "\n").map(String.init))
        where group.split(separator: "/").last?.hasPrefix(prefix) == true {
            var left = burialMilliseconds
            while rmdir(group) != 0, errno == EBUSY, left > 0 {
                usleep(1000)
                left -= 1
            }
        }
    }

    /// Tries a limit with a group without processes, which is left nowhere.
    ///
    /// - Throws: ``LabError`` or ``SystemError`` when it cannot be had.
    static func attempt(_ controller: Controller, in layout: ControlGroupLayout) throws {
        let groups = ResourceGroups(layout, lab: "", record: "")
        try groups.require(controller)
        let node = "doctor-\(getpid())"
        let limit: Int64 = controller == .memory ? NodeLimits.leastMemoryBytes : 100
        if let group = groups.legacy(node, controller) {
            try FileSystem.makeFolders(group)
            defer { rmdir(group) }
            try write(controller, limit, toLegacy: group)
        } else if let group = groups.unified(node) {
            try FileSystem.makeFolders(group)
            defer { rmdir(group) }
            try write(controller, limit, toUnified: group)
        }
    }
}
