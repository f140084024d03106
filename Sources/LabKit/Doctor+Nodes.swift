import CLinux
import Glibc
import LinuxSystem
import SystemPackage

// What nodes can be made to do with: limits, clocks that are off; and how their lab gets out.

extension Doctor {
    static func examineLimits() -> [Finding] {
        let layout = ControlGroupLayout.ofMachine
        let controllers = ResourceGroups.Controller.allCases.map { controller in
            let version = layout.legacy[controller] == nil ? "v2" : "v1"
            return attempt(
                "\(controller.rawValue) limits",
                "`limit NODE \(controller.rawValue) ...`, by cgroup \(version)", isRequired: false
            ) { try ResourceGroups.attempt(controller, in: layout) }
        }
        return controllers + [examineDiskLimits(), examineClocks()]
    }

    private static func examineDiskLimits() -> Finding {
        // Tried in a mount namespace of its own, by the shell, which leaves nothing when it ends.
        let script = """
            set -e; mount --make-rprivate /; mount -t tmpfs tmpfs /run
            head -c 65536 /dev/zero > /run/used; mount -o remount,size=64k tmpfs /run
            ! echo more > /run/more 2> /dev/null
            """
        return attempt(
            "disk limits", "`limit NODE disk ...`, by the size of a tmpfs", isRequired: false
        ) { try runInNamespaces([.mount], "/bin/sh", ["-c", script]) }
    }

    private static func examineClocks() -> Finding {
        attempt(
            "clocks", "services whose clocks are off (start --clock), by time namespaces",
            isRequired: false, remedy: Supervisor.clockRemedy
        ) {
            do throws(SystemError) {
                try TimeNamespace.make(ahead: .seconds(1)).close()
            } catch  where error.code == Errno(rawValue: EUSERS) {
                // A process of several threads cannot try it; no lab is made by such a one.
                guard FileSystem.exists("/proc/self/ns/time_for_children") else { throw error }
            }
        }
    }

    /// What of a node's isolation is missing where the kernel has no filters of system calls.
    static func examineSystemCallFilter() -> Finding {
        let use = "keys, BPF, performance events, io_uring and the like"
        let isSupported = SystemCallFilter.isSupported
        return Finding(
            capability: "seccomp", isPresent: isSupported, isRequired: false,
            detail: isSupported
                ? "nodes are refused what no namespace divides: \(use)"
                : "this kernel has no CONFIG_SECCOMP_FILTER, so nodes may use what no namespace "
                    + "divides, \(use): run only labs that you trust, or boot a kernel that has it")
    }

    static func examineWalls() -> Finding {
        let mayRaise = (try? Capabilities.effective())?.contains(.resourceLimits) ?? false
        return attempt(
            "node user namespaces",
            "nodes administer no network but their own"
                + (mayRaise || !IDMap.isOfMachine
                    ? "" : "; without CAP_SYS_RESOURCE none has real-time processes"),
            isRequired: false,
            remedy: "nodes' root can administer the lab's switches without; "
                + (UserNamespaceSettings.ofMachine.remedy ?? "boot a stock kernel")
        ) { try WalledNetwork.make().users.close() }
    }

    static func examineNAT() -> Finding {
        attempt(
            "nat", "networks that get out by NAT (external: nat)", isRequired: false,
            remedy: HostNAT.remedy
        ) { try NetworkNamespace.create().run { try HostNAT.attempt() } }
    }
}
