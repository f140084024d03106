public import LabModel
import LinuxSystem
import SystemPackage

/// Whether the nodes of a lab are root in user namespaces of their own (``WalledNetwork``), so that
/// they administer no network but theirs.
///
/// Where there are none, labs run as they did without: their nodes' root can then administer the
/// lab's switches, and by them what these are joined to.
public enum NodeWalls {
    /// A kernel's version, as far as what it can do depends on it.
    struct KernelVersion: Equatable, Comparable {
        var major: Int
        var minor: Int

        init(_ major: Int, _ minor: Int) { (self.major, self.minor) = (major, minor) }

        /// - Parameter release: as uname(2) has it: `6.1.0-18-amd64`.
        init?(release: String) {
            let parts = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
            guard parts.count == 2, release.first?.isNumber ?? false else { return nil }
            self.init(parts[0], parts[1])
        }

        static func < (one: Self, other: Self) -> Bool {
            (one.major, one.minor) < (other.major, other.minor)
        }
    }

    /// What the kernel keeps from whoever is root of a user namespace only. Until some version
    /// before this, which is known to have it, also ip_vs (GENL_ADMIN_PERM in
    /// net/netfilter/ipvs/ip_vs_ctl.c), and more parameters.
    private static let obligingKernel = KernelVersion(6, 12)
    /// Parameters that are only there in networks of the machine's own user namespace
    /// (ipv6_route_sysctl_init, net/ipv6/route.c; xfrm_sysctl_init, net/xfrm/xfrm_sysctl.c).
    private static let withheld = ["net.ipv6.route.", "net.core.xfrm_"]
    /// The same, of older kernels (net/core/sysctl_net_core.c; ip_vs_ctl.c).
    private static let withheldBefore = ["net.core.", "net.ipv4.vs."]

    /// Why the nodes of a lab that the calling process starts have none; nil when they have.
    public static func lack(for lab: Lab) -> String? {
        let words = HostInformation.kernel.split(separator: " ")
        return lack(
            for: lab, kernel: words.count > 1 ? KernelVersion(release: String(words[1])) : nil,
            maximum: UserNamespaceSettings.ofMachine.maximum,
            isRoot: (try? Privileges.ofProcess()) == .root
        ) {
            do throws(SystemError) {
                try WalledNetwork.attempt()
                return nil
            } catch { return error }
        }
    }

    /// The same, decided from:
    ///
    /// - Parameters:
    ///   - kernel: the machine's; nil for an unknown one.
    ///   - maximum: how many user namespaces a user may have; nil where nobody says.
    ///   - isRoot: whether root starts it. A user's lab is in a user namespace as it is, and lacks
    ///     already what the kernel keeps from such.
    ///   - attempt: tries to make one; answers what is in the way.
    static func lack(
        for lab: Lab, kernel: KernelVersion?, maximum: Int?, isRoot: Bool,
        attempt: () -> SystemError?
    ) -> String? {
        if let maximum, maximum <= lab.nodes.count {
            return "user.max_user_namespaces is \(maximum), too few for \(lab.nodes.count) nodes: "
                + "sysctl user.max_user_namespaces=10000"
        }
        guard isRoot else { return nil }
        if let need = need(of: lab, kernel) { return need }
        return attempt().map { "\($0)" }
    }

    /// What a lab wants that the kernel gives to nobody in a user namespace; nil for nothing.
    private static func need(of lab: Lab, _ kernel: KernelVersion?) -> String? {
        let isOld = kernel.map { $0 < obligingKernel } ?? false
        let prefixes = withheld + (isOld ? withheldBefore : [])
        for node in lab.nodes {
            if let sysctl = node.sysctls.first(where: { sysctl in
                prefixes.contains { sysctl.name.hasPrefix($0) }
            }) {
                return "this kernel has \(sysctl.name), of node \(node.name), only without"
            }
        }
        guard isOld, lab.wantsIPVS else { return nil }
        return "this kernel's ip_vs, which the lab needs, takes orders only without"
    }

    /// The warning about a lack, for whoever starts the lab.
    public static func warning(for lab: Lab) -> String? {
        lack(for: lab).map {
            "nodes have no user namespaces of their own, so that root in them can administer the "
                + "lab's switches: \($0)"
        }
    }
}

extension Lab {
    /// Whether nodes of it use ip_vs, as it says or their files for keepalived do.
    fileprivate var wantsIPVS: Bool {
        if (needs + scenarios.flatMap(\.allNeeds)).contains(.ipvs) { return true }
        return vrrpConfigurations.flatMap(\.files).contains { file in
            file.text.split(whereSeparator: \.isNewline).contains { line in
                line.split(whereSeparator: \.isWhitespace).first?.hasPrefix("virtual_server")
                    ?? false
            }
        }
    }
}
