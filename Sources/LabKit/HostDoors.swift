import Glibc
public import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// What a lab has of its host's network: made where the lab is started, before anything of the lab
/// is there, and handed to its supervisor, in whose own namespaces there is nothing of the host.
public struct HostDoors {
    /// The host's network namespace, for a lab of root's that gets out by NAT, or has macvlans of
    /// its interfaces.
    var namespace: SharedDescriptor?
    /// The supervisor's ends of slirp4netns, for one of an ordinary user's.
    var wayOut: Slirp4netns.Ends?
    /// What the launcher starts when the supervisor asks for it.
    var slirp4netns: Slirp4netns?
    /// One listening socket for each published port, in the order of the lab.
    var listeners: [SharedDescriptor] = []

    /// The number of a supervisor's first descriptor of these; those before are its own.
    static let firstDescriptor: CInt = 5

    /// Opens what a lab wants of the host, in the calling thread's network namespace.
    ///
    /// - Parameters:
    ///   - lab: gets the numbers of ports that are left to the kernel.
    ///   - asRoot: whether the supervisor may do as it likes on the host.
    /// - Throws: ``LabError/machine(_:)`` where a port is taken, or the address is not the host's.
    init(for lab: inout Lab, asRoot: Bool) throws(LabError) {
        try Self.checkParents(of: lab)
        let isNATed = lab.networks.contains(where: \.isNATed)
        if isNATed, asRoot { try Self.checkForwarding(for: lab) }
        do {
            if asRoot, lab.wantsHostNetwork {
                namespace = SharedDescriptor(try NetworkNamespace.current().duplicate())
            } else if isNATed {
                slirp4netns = try Slirp4netns(for: lab)
                wayOut = slirp4netns?.ends
            }
        } catch {
            throw LabError(refusal: error)
        }
        if isNATed {
            lab = lab.resolvingNames(by: Self.resolver())
        }
        for place in lab.published.indices {
            let port = lab.published[place]
            do throws(SystemError) {
                let listener = try TCPSocket.listen(on: port.hostAddress, port: port.hostPort)
                lab.published[place].hostPort = try TCPSocket.port(of: listener)
                listeners.append(listener)
            } catch {
                throw .machine("\(port.host) cannot be published: \(Self.reason(error.code))")
            }
        }
    }

    /// What a supervisor was given for that lab, as it was started.
    init(inheritedFor order: SupervisorOrder) {
        var next = Self.firstDescriptor
        func take() -> SharedDescriptor {
            defer { next += 1 }
            return SharedDescriptor(OwnedDescriptor(next))
        }
        if order.hostAddresses != nil {
            wayOut = Slirp4netns.Ends(ready: take(), output: take(), life: take())
        } else if order.lab.wantsHostNetwork {
            namespace = take()
        }
        for _ in order.lab.published { listeners.append(take()) }
    }

    /// The descriptors, in the order in which the supervisor gets them.
    var descriptors: [CInt] { all.map(\.rawValue) }

    private var all: [SharedDescriptor] {
        (namespace.map { [$0] } ?? []) + (wayOut?.descriptors ?? []) + listeners
    }

    /// The host's own IPv4 addresses, for a lab that gets out through slirp4netns; nil for one that
    /// does not.
    func hostAddresses() throws(LabError) -> [IPAddress]? {
        guard wayOut != nil else { return nil }
        do {
            return try RouteSocket().addresses().map(\.address.address).filter {
                $0.family == .v4
            }
        } catch {
            throw LabError(refusal: error)
        }
    }

    /// Lets go of all of it: it is the supervisor's.
    func close() {
        for descriptor in all { descriptor.close() }
    }

    /// The host's packets are the host's: that it forwards them is for its owner to say.
    private static func checkForwarding(for lab: Lab) throws(LabError) {
        let name = lab.networks.first(where: \.isNATed)?.name.text ?? ""
        let enables = lab.networks.contains {
            if case .nat(let nat)? = $0.external { nat.enablesForwarding } else { false }
        }
        if enables || (try? ForwardingLoan.isOn) == true { return }
        throw .machine(
            "network \(name) gets out by NAT, and this machine forwards no packets: "
                + "`sysctl net.ipv4.ip_forward=1`, or write `external: { type: nat, "
                + "ip-forward: enable }` to have it forward them while the lab is up")
    }

    /// The host's name servers, those that a lab can reach: with systemd-resolved, which is on the
    /// loopback device, those it asks itself.
    static func resolver() -> ResolverConfiguration {
        for path in ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] {
            let found = ResolverConfiguration(parsing: (try? FileSystem.readText(path)) ?? "")
            if !found.nameServers.isEmpty { return found }
        }
        return ResolverConfiguration()
    }

    /// What of the host's network a lab's nodes will not find, because the lab has the addresses
    /// for something else.
    public static func warnings(for lab: Lab) -> [String] {
        let natted = lab.networks.filter(\.isNATed)
        guard !natted.isEmpty else { return hostInterfaceWarnings(for: lab) }
        let subnets = natted.flatMap { network in network.subnets.map { (network.name, $0) } }
        let routes = (try? RouteSocket().routes(.v4)) ?? []
        var warnings = subnets.flatMap { name, subnet in
            routes.map(\.destination).filter { $0.length > 0 && $0.overlaps(subnet) }.map {
                "subnet \(subnet) of network \(name) overlaps this machine's route to \($0): what "
                    + "is there cannot be reached from the lab"
            }
        }
        let servers = natted.compactMap { network in
            if case .nat(let nat)? = network.external { nat.nameServers } else { nil }
        }
        if servers.isEmpty, resolver().nameServers.isEmpty {
            warnings.append(
                "this machine has no name server that a lab can reach: give its networks `dns:`")
        }
        return warnings + hostInterfaceWarnings(for: lab)
    }

    private static func reason(_ code: Errno) -> String {
        switch code {
        case .addressInUse:
            "somebody listens there already (see `ss -ltnp`); publish on another port, or on 0 "
                + "for any that is free"
        case .addressNotAvailable: "the address is none of this machine's"
        case .permissionDenied:
            "ports below \(unprivilegedStart) are for root: publish on a higher one"
        default: code.text
        }
    }

    /// The first port that everybody may listen on (ip(7), ip_unprivileged_port_start).
    private static var unprivilegedStart: Int {
        let path = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
        let text = (try? FileSystem.readText(path)) ?? ""
        return Int(text.prefix { $0.isNumber }) ?? 1024
    }
}

extension Lab {
    /// Whether its supervisor has anything to do in the host's network namespace.
    fileprivate var wantsHostNetwork: Bool {
        networks.contains { $0.isNATed || $0.parent != nil }
    }
}
