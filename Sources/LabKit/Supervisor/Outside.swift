import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// What joins a lab to its host: the namespace of the lab's own stations on its networks, and what
/// comes and goes through it.
///
/// The namespace is held by a descriptor of the supervisor's and by nothing else, so that all that
/// is in it goes with the supervisor.
final class Outside {
    private let namespace: NetworkNamespace
    private var proxy: PortProxyProcess?
    /// The way out, where there is one.
    private(set) var nat: HostNAT?
    private var watch: HolderWatch

    /// Plugs the lab's stations in and begins to take connections to its published ports.
    ///
    /// - Parameters:
    ///   - lab: one that has gateways.
    ///   - doors: what the launcher has opened on the host.
    /// - Throws: ``NetlinkError``, ``SystemError``.
    init(
        _ lab: Lab, _ doors: HostDoors, _ fabric: Fabric, programFolder: String, loop: EventLoop
    ) throws {
        namespace = try NetworkNamespace.create()
        watch = HolderWatch(lab.published.map(\.address))
        try fabric.makeGateways(lab.networks, in: namespace)
        if let host = doors.namespace {
            nat = try HostNAT(lab, host: host, gateways: namespace)
        }
        guard !lab.published.isEmpty else { return }
        let proxy = try PortProxyProcess(
            program: programFolder + "/port-proxy", lab.published, doors.listeners, in: namespace,
            loop: loop)
        self.proxy = proxy
        try proxy.watch { [unowned self] body in try body(namespace) }
    }

    /// Takes away what is on the host.
    func close() {
        nat?.close()
        nat = nil
    }

    /// Takes note of who holds published addresses now: who has lost one answers no connection to
    /// it any more.
    func look(at ownership: Ownership) {
        guard let proxy else { return }
        for address in watch.losses(ownership) { proxy.cut(address) }
    }
}

extension Supervisor {
    /// Whether frames pass to and from the lab's own stations.
    var areGatewaysOperational: Bool {
        fabric.plan.gateways.allSatisfy { observer.operationalPorts.contains($0.index) }
    }

    /// Joins the lab to its host, where its file says so; if that cannot be, the lab ends.
    func open(_ doors: HostDoors) {
        guard order.lab.hasGateways else { return }
        do {
            let outside = try Outside(
                order.lab, doors, fabric, programFolder: order.programFolder, loop: loop)
            _ = timeline.addListener { [unowned self] _ in outside.look(at: ownership) }
            self.outside = outside
        } catch {
            fail(LabError(refusal: error))
        }
    }
}
