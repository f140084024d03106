import CLinux
import Glibc
public import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// What this machine can and cannot do for labs, each point tried and not guessed.
public enum Doctor {
    /// One thing that was looked at.
    public struct Finding: Codable, Sendable {
        public var capability: String
        public var isPresent: Bool
        /// Whether labs cannot be built at all without it.
        public var isRequired: Bool
        /// What was found; where it is missing, why and how to get it.
        public var detail: String
    }

    /// Why a scenario of a lab cannot be run here: what it or its lab needs and this machine lacks,
    /// with the remedy, or which other VRRP daemon the lab has; nil when it can.
    public static func skip(_ scenario: Scenario, of lab: Lab) -> ScenarioOutcome? {
        let reason = lab.obstacle(to: scenario) ?? lack(of: lab.needs + scenario.allNeeds)
        return reason.map { ScenarioOutcome(.skipped($0), duration: .zero) }
    }

    /// What this machine lacks of what a lab or a scenario needs, with the remedies; nil when it
    /// lacks nothing.
    public static func lack(of needs: [Scenario.Capability]) -> String? {
        guard !needs.isEmpty else { return nil }
        let missing = examine().filter { finding in
            !finding.isPresent && needs.contains { $0.finding == finding.capability }
        }
        guard !missing.isEmpty else { return nil }
        return missing.map { "\($0.capability): \($0.detail)" }.joined(separator: "; ")
    }

    /// Looks at everything. Tries things in namespaces of its own; leaves nothing behind.
    ///
    /// - Parameter needs: what is required beside what every lab requires.
    public static func examine(for needs: [Scenario.Capability] = []) -> [Finding] {
        examineAll().map { finding in
            var finding = finding
            if needs.contains(where: { $0.finding == finding.capability }) {
                finding.isRequired = true
            }
            return finding
        }
    }

    private static func examineAll() -> [Finding] {
        let isRoot = geteuid() == 0
        let findings =
            isRoot
            ? [examineRoot(), allUsers, examinePrograms(), examineRunDirectory()] + examineKernel()
            : examineUser() + [examinePrograms(), examineRunDirectory()]
                + examineKernelInUserNamespace() + [examineSlirp4netns()] + withoutRoot
        return findings + examineTools(isRoot: isRoot)
    }

    /// What the kernel does for the root of the calling process's user namespace.
    static func examineKernel() -> [Finding] {
        [examineNamespaces(), examineWalls(), examineFileSystems(), examineOverlay()]
            + examineNetwork() + [examineSystemCallFilter(), examineFreezer()] + examineLimits()
    }

    private static func examineTools(isRoot: Bool) -> [Finding] {
        [
            tool(
                "keepalived", "keepalived", "the real daemon in place of ours (--vrrp keepalived)"),
            tool("vrrpd", "frr", "FRR's daemon in place of ours (--vrrp frr)"),
            tool(
                "tcpdump", "tcpdump",
                "captures by hand: "
                    + (isRoot ? "ip netns exec LAB-NODE tcpdump" : "labctl exec NODE -- tcpdump")),
        ]
    }

    private static func examineRoot() -> Finding {
        Finding(capability: "root", isPresent: true, isRequired: true, detail: "running as root")
    }

    private static func examinePrograms() -> Finding {
        let folder = (try? FileSystem.ownProgram()).map { path in
            String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        }
        let missing = LabLauncher.programs.filter { access("\(folder ?? "")/\($0)", X_OK) != 0 }
        return Finding(
            capability: "programs", isPresent: missing.isEmpty, isRequired: true,
            detail: missing.isEmpty
                ? "\(LabLauncher.programs.joined(separator: ", ")) are beside labctl"
                : "not in \(folder ?? "?"): \(missing.joined(separator: ", ")); run swift build"
        )
    }

    private static func examineNamespaces() -> Finding {
        let kinds: Namespaces = [.network, .pid, .mount, .uts, .ipc, .cgroup]
        return attempt("namespaces", "network, PID, mount, UTS, IPC and cgroup namespaces") {
            try runInNamespaces(kinds, "/bin/true", [])
        }
    }

    private static func examineOverlay() -> Finding {
        // Tried in a mount namespace of its own, by the shell, which leaves nothing when it ends.
        // It has a layer of its own above the host's, as nodes of an ordinary user have.
        let options = IDMap.isOfMachine ? "" : ",userxattr"
        let script = """
            set -e; d=/run; mount --make-rprivate /; mount -t tmpfs tmpfs $d
            mkdir $d/u $d/w $d/m
            mount -t overlay -o lowerdir=/etc,upperdir=$d/u,workdir=$d/w\(options) overlay $d/m
            """
        return attempt("overlayfs", "private writable layers over /etc, /var and others") {
            try runInNamespaces([.mount], "/bin/sh", ["-c", script])
        }
    }

    private static func examineRunDirectory() -> Finding {
        attempt("run directory", "sockets and logs of labs in \(LabDirectory.root)") {
            try LabDirectory.makeRoot()
            let path = "\(LabDirectory.root)/.doctor-\(getpid())"
            try FileSystem.write([], to: path)
            try FileSystem.remove(path)
        }
    }

    private static func examineNetwork() -> [Finding] {
        func link(
            _ capability: String, isRequired: Bool, _ use: String, _ remedy: String,
            _ request: () throws -> Request
        ) -> Finding {
            attempt(capability, use, isRequired: isRequired, remedy: remedy) {
                let request = try request()
                try NetworkNamespace.create().run { try RouteSocket().perform(request) }
            }
        }
        guard let name = InterfaceName("doctor0"), let peer = InterfaceName("doctor1") else {
            preconditionFailure("two valid names")
        }
        let stock = "boot a stock kernel, or use user-mode Linux"
        var findings = [
            link("bridge", isRequired: true, "networks", "load the bridge module") {
                try Request.add(Netlink.Bridge(name: name))
            },
            link("veth", isRequired: true, "links", "load the veth module") {
                try Request.add(VethEnd(name: name), peer: VethPeer(name: peer))
            },
            attempt("packet capture", "adverts and ARP on the timeline", isRequired: true) {
                try NetworkNamespace.create().run {
                    _ = try PacketCapture(filter: CaptureFilter.program)
                }
            },
            attempt("netlink of all namespaces", "addresses on the timeline", isRequired: true) {
                try NetworkNamespace.create().run {
                    _ = try RouteMonitor(allNamespaces: true)
                }
            },
        ]
        findings.append(
            attempt(
                "nftables", "frames that vanish in silence (link ... blackhole, partition)",
                isRequired: false, remedy: Fabric.filterRemedy
            ) { try NetworkNamespace.create().run { try Fabric.tryFilter() } })
        findings.append(examineNAT())
        for (kind, use) in [
            ("dummy", "dummy interfaces"), ("vrf", "VRFs"),
            ("macvlan", "virtual MAC addresses, networks of the host's (external: macvlan)"),
        ] {
            findings.append(
                attempt(kind, use, isRequired: false, remedy: stock) {
                    try tryKind(Request.addLink(name, kind: kind))
                })
        }
        findings.append(
            Finding(
                capability: "impair", isPresent: true, isRequired: false,
                detail: "delay, loss and the like by wire-relay and a seed, the same on every"
                    + " kernel; by netem where `via netem` says so"))
        findings.append(
            module(
                "netem", "sch_netem",
                "`impair ... via netem`, and `tc qdisc add ... netem` in nodes",
                remedy: stock))
        findings.append(module("ip_vs", "ip_vs", "LVS (virtual_server)", remedy: stock))
        return findings
    }

    /// Whether the kernel knows a kind of link.
    ///
    /// - Throws: ``NetlinkError`` when it does not.
    private static func tryKind(_ request: Request) throws {
        try NetworkNamespace.create().run {
            do throws(NetlinkError) {
                try RouteSocket().perform(request)
            } catch  where error.code == .invalidArgument {
                // It knows it, and misses a VRF's table, or the link below a macvlan. An unknown
                // kind is EOPNOTSUPP (net/core/rtnetlink.c).
            }
        }
    }

    private static func examineFreezer() -> Finding {
        let stopped = "nodes are frozen by SIGSTOP"
        guard let folder = Freezer.folder else {
            let isMounted = ControlGroupLayout.ofMachine.ownUnified != nil
            return Finding(
                capability: "cgroup v2", isPresent: false, isRequired: false,
                detail: isMounted
                    ? "not yours: \(stopped); they are by cgroup v2 with \(Freezer.delegation)"
                    : "not mounted: \(stopped); mount -t cgroup2 none /sys/fs/cgroup")
        }
        let finding = attempt(
            "cgroup v2", "mounted on \(folder): whole nodes are frozen by it", isRequired: false
        ) { try Freezer.attempt() }
        return finding.isPresent
            ? finding
            : Finding(
                capability: finding.capability, isPresent: false, isRequired: false,
                detail: "\(finding.detail); \(stopped)")
    }

    /// A module that cannot be tried without leaving it loaded: built in, loaded, or there to be
    /// loaded.
    private static func module(
        _ capability: String, _ name: String, _ use: String, remedy: String
    ) -> Finding {
        var system = utsname()
        uname(&system)
        let release = withUnsafePointer(to: &system.release) {
            $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
        let lists = ["modules.builtin", "modules.dep"].map { "/lib/modules/\(release)/\($0)" }
        let isThere =
            FileSystem.exists("/sys/module/\(name)")
            || lists.contains { list in
                ((try? FileSystem.readText(list)) ?? "").contains("/\(name).ko")
            }
        return Finding(
            capability: capability, isPresent: isThere, isRequired: false,
            detail: isThere ? use : "kernel \(release) has no \(name), for \(use): \(remedy)")
    }

    private static func tool(_ name: String, _ package: String, _ use: String) -> Finding {
        let path = Program.lookUp(
            name, path: "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin:\(FRRService.folder)")
        return Finding(
            capability: name, isPresent: path != nil, isRequired: false,
            detail: path.map { "\($0): \(use)" }
                ?? "not installed, for \(use): apt-get install \(package)")
    }

    static func attempt(
        _ capability: String, _ use: String, isRequired: Bool = true, remedy: String? = nil,
        _ body: () throws -> Void
    ) -> Finding {
        do {
            try body()
            return Finding(
                capability: capability, isPresent: true, isRequired: isRequired, detail: use)
        } catch {
            return Finding(
                capability: capability, isPresent: false, isRequired: isRequired,
                detail: "needed for \(use): \(error)" + (remedy.map { "; \($0)" } ?? ""))
        }
    }

    static func runInNamespaces(
        _ namespaces: Namespaces, _ path: String, _ arguments: [String]
    ) throws {
        let null = try OwnedDescriptor.null()
        var program = Program(
            path: path, arguments: [path] + arguments,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            descriptors: [null.rawValue, null.rawValue, null.rawValue])
        program.newNamespaces = namespaces
        guard try program.start().awaitEnd() == .exited(status: 0) else {
            throw SystemError("\(path) \(arguments.joined(separator: " "))", .notPermitted)
        }
    }
}

extension Scenario.Capability {
    /// The name of the doctor's finding about it; nil for what is not the machine's.
    fileprivate var finding: String? {
        switch self {
        case .cgroup2: "cgroup v2"
        case .frr: "vrrpd"
        case .vrrpAgent: nil
        case .cpuLimits: "cpu limits"
        case .memoryLimits: "memory limits"
        case .pidsLimits: "pids limits"
        case .clocks: "clocks"
        case .users: "users"
        case .netem, .nftables, .ipvs, .dummy, .macvlan, .vrf, .keepalived: rawValue
        }
    }
}
