import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import VRRP

/// What instances share of this machine: the kernel's tables, the packet filter, the kernel's
/// parameters, and the frames that announce addresses.
final class Machine {
    let kernel: KernelShell
    let filter: PacketFilter
    let parameters: KernelParameters
    let virtualInterfaces: VirtualInterfaces
    let announcer: Announcer
    let log: Log
    /// Which interfaces count as up later or longer than they are.
    var linkDelays: LinkDelays
    /// What stands between the daemon and its virtual routers; nil: nothing.
    var interposer: (any RouterInterposer)?

    /// - Throws: ``NetlinkError`` or ``SystemError`` where the kernel refuses a socket.
    init(_ configuration: Configuration, log: Log) throws {
        let global = configuration.global
        self.log = log
        kernel = try KernelShell(log: log, watchesRouting: configuration.usesRouting)
        filter = PacketFilter(table: global.nftablesTable, kernel: kernel, log: log)
        parameters = KernelParameters(log: log)
        virtualInterfaces = VirtualInterfaces(
            kernel: kernel, filter: filter, parameters: parameters, log: log,
            keepsReports: global.disablesLocalIGMP)
        announcer = try Announcer()
        let interfaces = kernel.interfaces
        linkDelays = LinkDelays(global.interfaceDelays, isUp: interfaces.isUp)
        if global.disablesLocalIGMP { parameters.borrow(Self.localReports, as: 0) }
    }

    private static let localReports = "net/ipv4/igmp_link_local_mcast_reports"

    /// Sets an interface's `promote_secondaries` until the end: without it, the removal of an
    /// address takes away those that the kernel thinks depend on it.
    func promoteSecondaries(on interface: InterfaceName) {
        parameters.borrow(KernelParameters.ipv4(interface.text, "promote_secondaries"), as: 1)
    }

    /// Whether an interface counts as up: so is it, and what it is on top of, for long enough.
    func isUp(_ name: InterfaceName) -> Bool {
        linkDelays.isUp(name) ?? kernel.interfaces.isUp(name)
    }

    /// Undoes what belongs to no instance: at the end.
    func restore() {
        virtualInterfaces.removeAll()
        filter.remove()
        parameters.restoreAll()
    }
}

extension Configuration {
    /// Whether routes or rules are to be watched.
    fileprivate var usesRouting: Bool {
        !staticRoutes.isEmpty || !staticRules.isEmpty
            || instances.contains { !$0.virtualRoutes.isEmpty || !$0.virtualRules.isEmpty }
    }
}
