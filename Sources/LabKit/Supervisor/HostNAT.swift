import Glibc
import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// The way out of a lab: a cable from the namespace of its gateways to the host, and NAT at both
/// ends of it.
///
/// At the lab's end everything gets the address that the lab has on the cable, so that the host
/// needs no route to any network of the lab, and two labs can have the same; at the host's end it
/// gets the host's own. On the host there are a device, which goes with the gateways' namespace,
/// and a table of nf_tables that belongs to a socket of the supervisor's (NFT_TABLE_F_OWNER) and
/// goes with it: neither outlives a SIGKILL.
final class HostNAT {
    /// What is on the host while the lab is up.
    let device: InterfaceName
    /// The host's end of the cable.
    let address: InterfaceAddress
    private let host: SharedDescriptor
    /// The table on the host is there as long as this is.
    private let filter: FilterSocket
    private let loan: ForwardingLoan?
    private let index: Int32

    /// How long a device of that name may take to go whose lab has just gone.
    private static let patience = Duration.seconds(3)
    private static let pauseMicroseconds: UInt32 = 2000

    /// Lays the cable and sets the filters up.
    ///
    /// - Parameters:
    ///   - host: the host's network namespace.
    ///   - gateways: theirs.
    /// - Throws: ``NetlinkError``, ``SystemError``, ``LabError/machine(_:)``.
    init(
        _ lab: Lab, host: SharedDescriptor, gateways: borrowing NetworkNamespace
    ) throws {
        self.host = host
        let namespace = NetworkNamespace(try host.duplicate())
        device = HostDevice.name(of: lab.name)
        let outside = device
        let transit = try namespace.run { try Self.transit(of: lab.name) }
        let ends = [1, 2].compactMap { transit.address(at: $0) }.map {
            InterfaceAddress($0, prefixLength: transit.length)
        }
        address = ends[0]
        let inside = gateways.rawValue
        index = try namespace.run {
            try Self.layCable(outside, ends[0], to: .descriptor(inside))
        }
        let uplink = try gateways.run { try Self.connect(ends[1], to: ends[0].address) }
        try gateways.run {
            let socket = try FilterSocket()
            try Self.perform(.leaving(by: uplink), on: socket)
        }
        let device = Device(index: index, name: outside)
        let enablesForwarding = lab.networks.contains {
            if case .nat(let nat)? = $0.external { nat.enablesForwarding } else { false }
        }
        loan =
            enablesForwarding
            ? try namespace.run { try ForwardingLoan(LabDirectory(lab.name)) } : nil
        let socket = try namespace.run { try FilterSocket() }
        do {
            try Self.perform(
                .entering(by: device, from: transit, table: HostDevice.table(of: lab.name)),
                on: socket)
        } catch {
            loan?.giveBack()
            throw error
        }
        filter = socket
    }

    /// Takes the cable away and gives back what was borrowed; the filter goes with this object.
    func close() {
        guard let namespace = try? NetworkNamespace(host.duplicate()) else { return }
        let device = Device(index: index, name: device)
        try? namespace.run {
            loan?.giveBack()
            try RouteSocket().perform(.delete(device))
        }
    }

    /// The addresses of the cable, in the calling thread's network namespace: the host's.
    private static func transit(of lab: String) throws -> IPPrefix {
        let socket = try RouteSocket()
        let taken =
            try socket.routes(.v4).map(\.destination)
            + socket.addresses().map(\.address.network).filter { $0.base.family == .v4 }
        guard let transit = TransitNetwork.choose(for: lab, besides: taken) else {
            throw TransitNetwork.exhausted
        }
        return transit
    }

    /// Makes the cable, in the calling thread's network namespace: the host's.
    ///
    /// - Returns: the index of the device.
    private static func layCable(
        _ name: InterfaceName, _ address: InterfaceAddress, to gateways: NamespaceReference
    ) throws -> Int32 {
        let socket = try RouteSocket()
        var end = VethEnd(name: name)
        end.isUp = false
        let request = try Request.add(
            end, peer: VethPeer(name: uplinkName, namespace: gateways))
        let deadline = MonotonicClock.now + patience
        while let refusal = try socket.attempt([request]).compactMap(\.self).first {
            // The kernel takes a moment to bury the device of a lab of that name.
            guard refusal.code == .fileExists, MonotonicClock.now < deadline else { throw refusal }
            usleep(pauseMicroseconds)
        }
        guard let link = try socket.link(named: name) else {
            throw SystemError("find device \(name)", .noSuchFileOrDirectory)
        }
        let device = Device(index: link.index, name: name)
        // Only IPv4 passes there. A kernel without IPv6 refuses.
        _ = try socket.attempt([try .withoutLinkLocalAddress(device)])
        try socket.perform([
            try .add(address, to: device, broadcast: address.network.broadcast),
            try .set(device, .up),
        ])
        return link.index
    }

    /// Sets the lab's end up, in the calling thread's network namespace: the gateways'.
    private static func connect(
        _ address: InterfaceAddress, to host: IPAddress
    ) throws -> Device {
        let socket = try RouteSocket()
        guard let link = try socket.link(named: uplinkName) else {
            throw SystemError("find device \(uplinkName)", .noSuchFileOrDirectory)
        }
        let device = Device(index: link.index, name: uplinkName)
        let everywhere = IPPrefix(containing: .v4(.any), length: 0)
        try socket.perform([
            try .add(address, to: device, broadcast: address.network.broadcast),
            try .set(device, .up),
            try .add(Netlink.Route(to: everywhere, via: host)),
        ])
        try FileSystem.writeParameter("1", to: ForwardingLoan.parameter)
        return device
    }

    static func perform(
        _ makeBatch: @autoclosure () throws(NetlinkError) -> FilterBatch,
        on socket: borrowing FilterSocket
    ) throws {
        do {
            try socket.perform(try makeBatch())
        } catch {
            throw LabError.machine("\(error); \(remedy)")
        }
    }

    /// How to get a kernel that can do it.
    static let remedy =
        "NAT takes nf_tables with masquerade and conntrack (CONFIG_NFT_MASQ, CONFIG_NFT_CT), and "
        + "tables that belong to a process, which Linux 5.12 brought: boot a kernel that has them"

    /// No network can be called so: `~` is for names that are made.
    private static let uplinkName: InterfaceName = {
        guard let name = InterfaceName("host~") else { preconditionFailure("a valid name") }
        return name
    }()

    /// Whether the kernel can do it, tried in the calling thread's namespace.
    ///
    /// - Throws: ``NetlinkError`` when it cannot.
    static func attempt() throws {
        let device = Device.loopback
        // Only root's labs have a table on the host.
        guard IDMap.isOfMachine else {
            return try FilterSocket().perform(.leaving(by: device, besides: []))
        }
        let transit = IPPrefix(containing: TransitNetwork.space.base, length: 30)
        try FilterSocket().perform(.entering(by: device, from: transit, table: "doctor"))
    }
}

extension TransitNetwork {
    /// That there is no place for another one.
    static let exhausted = LabError.machine(
        "there is no network left in \(space) between the lab and this machine: see `ip route`")
}

extension FilterBatch {
    /// For what leaves a lab by its own end of the cable, or by its tap device: it gets the address
    /// there. From one network of the lab to another nothing passes, nor to `refused`.
    static func leaving(
        by uplink: Device, besides refused: [IPAddress] = []
    ) throws(NetlinkError) -> FilterBatch {
        var batch = FilterBatch(.v4, table: "labctl")
        let number = Element.octets(of: uplink)
        try batch.addTable()
        try batch.addChain("forward", hook: .forward)
        try batch.addRule(
            to: "forward",
            [
                .property(.inputDevice, into: 1), .differs(1, number),
                .property(.outputDevice, into: 1), .differs(1, number), .verdict(.drop),
            ])
        for address in refused {
            try batch.addRule(
                to: "forward",
                [
                    .load(.network, offset: 16, bytes: 4, into: 1), .equals(1, address.octets),
                    .verdict(.drop),
                ])
        }
        try batch.addChain("postrouting", hook: .postrouting, priority: 100, type: .nat)
        try batch.addRule(
            to: "postrouting",
            [.property(.outputDevice, into: 1), .equals(1, number), .masquerade])
        return batch
    }

    /// For what comes to the host by its end of the cable: it leaves with the host's address.
    /// Nobody gets in that was not asked, and the host itself is not to be reached by that way.
    fileprivate static func entering(
        by device: Device, from transit: IPPrefix, table: String
    ) throws(NetlinkError) -> FilterBatch {
        var batch = FilterBatch(.v4, table: table)
        let number = Element.octets(of: device)
        let bits = UInt32.max << UInt32(32 - transit.length)
        let mask = withUnsafeBytes(of: bits.bigEndian) { [UInt8]($0) }
        try batch.addTable(isOwned: true)
        try batch.addChain("input", hook: .input)
        try batch.addRule(
            to: "input", [.property(.inputDevice, into: 1), .equals(1, number), .verdict(.drop)])
        try batch.addChain("forward", hook: .forward)
        try batch.addRule(
            to: "forward",
            [
                .property(.outputDevice, into: 1), .equals(1, number), .connectionState(into: 1),
                // ct state established,related
                .mask(1, withUnsafeBytes(of: UInt32(2 | 4)) { [UInt8]($0) }),
                .equals(1, [0, 0, 0, 0]), .verdict(.drop),
            ])
        try batch.addChain("postrouting", hook: .postrouting, priority: 100, type: .nat)
        try batch.addRule(
            to: "postrouting",
            [
                .load(.network, offset: 12, bytes: 4, into: 1), .mask(1, mask),
                .equals(1, transit.base.octets), .property(.outputDevice, into: 1),
                .differs(1, number), .masquerade,
            ])
        return batch
    }
}
