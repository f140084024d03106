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
    /// The way out, where there is one: of root's labs, and of others.
    private(set) var nat: HostNAT?
    private(set) var userNAT: UserNAT?
    private var watch: HolderWatch

    /// Plugs the lab's stations in and begins to take connections to its published ports.
    ///
    /// - Parameters:
    ///   - order: about a lab that has gateways.
    ///   - doors: what the launcher has opened on the host.
    /// - Throws: ``NetlinkError``, ``SystemError``.
    init(
        _ order: SupervisorOrder, _ doors: HostDoors, _ fabric: Fabric, loop: EventLoop
    ) throws {
        let lab = order.lab
        namespace = try NetworkNamespace.create()
        watch = HolderWatch(lab.published.map(\.address))
        try fabric.makeGateways(lab.networks, in: namespace)
        if lab.networks.contains(where: \.isNATed), let host = doors.namespace {
            nat = try HostNAT(lab, host: host, gateways: namespace)
        }
        if let ends = doors.wayOut {
            userNAT = UserNAT(ends, host: order.hostAddresses ?? [], loop: loop)
        }
        guard !lab.published.isEmpty else { return }
        let proxy = try PortProxyProcess(
            program: order.programFolder + "/port-proxy", lab.published, doors.listeners,
            in: namespace,
            loop: loop)
        self.proxy = proxy
        try proxy.watch { [unowned self] body in try body(namespace) }
    }

    /// Opens an ordinary user's way out.
    ///
    /// - Parameters:
    ///   - begin: is told which descriptor is to be let out by it.
    ///   - completion: called when it is open, or cannot be.
    func openUserNAT(
        begin: (CInt) -> Void, completion: @escaping (Result<Void, LabError>) -> Void
    ) throws {
        guard let userNAT else { return completion(.success(())) }
        try userNAT.open(in: { [unowned self] body in try body(namespace) }, completion: completion)
        begin(namespace.rawValue)
    }

    /// Takes away what is on the host.
    func close() {
        nat?.close()
        nat = nil
        userNAT?.close()
        userNAT = nil
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

    /// Joins the lab to its host, where its file says so, and goes on with `completion`; if that
    /// cannot be, the lab ends.
    func open(_ doors: HostDoors, completion: @escaping () -> Void) {
        fabric.hostNamespace = doors.namespace
        guard order.lab.hasGateways else { return completion() }
        do {
            let outside = try Outside(order, doors, fabric, loop: loop)
            _ = timeline.addListener { [unowned self] _ in outside.look(at: ownership) }
            self.outside = outside
            try outside.openUserNAT { [unowned self] descriptor in
                tellLauncher(.wantsSlirp4netns(descriptor))
            } completion: { [unowned self] result in
                switch result {
                case .success: completion()
                case .failure(let error): fail(error)
                }
            }
        } catch {
            fail(LabError(refusal: error))
        }
    }
}
