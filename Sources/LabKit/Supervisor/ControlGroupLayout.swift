import LinuxSystem

/// Where a machine has its control groups (cgroups(7)).
///
/// A controller is in one hierarchy only: in that of version 2, which has what version 1 does not
/// have, or in one of version 1, alone or with others. Freezing and counting needs no controller
/// and is in version 2 wherever that is mounted.
struct ControlGroupLayout: Equatable {
    /// What limits something.
    enum Controller: String, CaseIterable {
        case cpu, memory, pids
    }

    /// Where groups can be made in version 2: its mount point, or, for an ordinary user, the group
    /// that this process is in if that has been delegated to it (cgroups(7), "Delegation of a
    /// hierarchy to a less privileged user"); nil where it is not mounted.
    var unified: String?
    /// The group that this process is in, as a folder, in version 2.
    private(set) var ownUnified: String?
    /// The group that this process is in, as a folder, in each hierarchy of version 1 that has one
    /// of the controllers.
    var legacy: [Controller: String] = [:]

    /// Reads where they are.
    ///
    /// - Parameters:
    ///   - mounts: /proc/PID/mountinfo (proc_pid_mountinfo(5)).
    ///   - memberships: /proc/PID/cgroup of the same process.
    init(mounts: String, memberships: String) {
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else {
                continue
            }
            let (root, place) = (Self.unescaped(fields[3]), Self.unescaped(fields[4]))
            switch fields[dash + 1] {
            case "cgroup2" where unified == nil:
                unified = place
                ownUnified = place + Self.below(root, Self.path(of: nil, in: memberships))
            case "cgroup":
                let options = fields[dash + 3].split(separator: ",").map(String.init)
                for controller in Controller.allCases
                where options.contains(controller.rawValue) && legacy[controller] == nil {
                    let own = Self.path(of: controller, in: memberships)
                    legacy[controller] = place + Self.below(root, own)
                }
            default: break
            }
        }
    }

    /// As the calling process sees it.
    static var ofMachine: ControlGroupLayout {
        func text(_ name: String) -> String {
            (try? FileSystem.readText("/proc/self/\(name)")) ?? ""
        }
        var layout = ControlGroupLayout(mounts: text("mountinfo"), memberships: text("cgroup"))
        let groups = [layout.unified, layout.ownUnified].compactMap(\.self)
        if let group = groups.first(where: { FileSystem.isWritable("\($0)/cgroup.procs") }) {
            layout.unified = group
        } else if !IDMap.isOfMachine {
            layout.unified = nil
        }
        return layout
    }

    /// The group that a process is in by a line `4:memory:/system.slice`; nil for version 2, whose
    /// line has no name.
    private static func path(of controller: Controller?, in memberships: String) -> String {
        let name = controller?.rawValue ?? ""
        for line in memberships.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            let names =
                parts.count == 3
                ? parts[1].split(
                    separator: ",", omittingEmptySubsequences: false) : []
            if names.contains(name[...]) { return String(parts[2]) }
        }
        return "/"
    }

    /// What is behind a mount's root in a path; nothing for one that is not below it, as that of a
    /// process whose cgroup namespace has another root.
    private static func below(_ root: String, _ path: String) -> String {
        if path.split(separator: "/").contains("..") || path == root || path == "/" { return "" }
        if root == "/" { return path }
        return path.hasPrefix(root + "/") ? String(path.dropFirst(root.count)) : ""
    }

    /// Spaces and the like are octal in mountinfo: `\040`.
    private static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
