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

    /// The mount point of version 2; nil where it is not mounted.
    var unified: String?
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
            case "cgroup2": unified = unified ?? place
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
        return ControlGroupLayout(mounts: text("mountinfo"), memberships: text("cgroup"))
    }

    /// The group that a process is in by a line `4:memory:/system.slice`.
    private static func path(of controller: Controller, in memberships: String) -> String {
        for line in memberships.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3, parts[1].split(separator: ",").contains("\(controller.rawValue)") {
                return String(parts[2])
            }
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
