import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

@testable import VRRPAgent

/// A machine with two interfaces, `eth0` with 10.0.0.1/24 and `eth1` without address, the same
/// every time it is made: indices and Ethernet addresses are fixed, and so are link-local ones.
struct KernelStage: ~Copyable {
    let lab: TestNamespace

    init(reversePathFilter: Int = 0) throws {
        let lab = try TestNamespace()
        try lab.namespace.run {
            try FileSystem.writeParameter("0", to: "/proc/sys/net/ipv6/conf/default/accept_dad")
            try FileSystem.writeParameter(
                "\(reversePathFilter)", to: "/proc/sys/net/ipv4/conf/all/rp_filter")
        }
        func pair(_ text: String, _ number: UInt64, _ index: Int32) throws -> Request {
            try .add(
                VethEnd(
                    name: try name(text), index: index,
                    address: MACAddress(rawValue: 0x0200_0000_0000 + number)),
                peer: VethPeer(
                    name: try name("\(text)x"), index: index + 1,
                    address: MACAddress(rawValue: 0x0200_0000_0100 + number)))
        }
        try lab.socket.perform(
            .set(.loopback, .up), pair("eth0", 1, 10), pair("eth1", 2, 20),
            .set(Device(index: 11), .up), .set(Device(index: 21), .up),
            .add(try address("10.0.0.1/24"), to: Device(index: 10)))
        // Link-local addresses, and the routes to them, come with the carrier.
        let deadline = MonotonicClock.now + .seconds(20)
        while try lab.socket.addresses().count(where: { $0.scope == .link }) < 4 {
            guard MonotonicClock.now < deadline else { throw NeverUp() }
            usleep(1000)
        }
        self.lab = lab
    }

    struct NeverUp: Error {}

    /// What a command prints, in this namespace.
    func output(of command: String) throws -> String {
        try lab.namespace.run {
            let pipe = try #require(popen(command, "r"))
            defer { pclose(pipe) }
            return String(
                decoding: try FileSystem.readAll(fileno(pipe), name: command), as: UTF8.self)
        }
    }

    /// All that this is about, as the usual tools print it.
    func state() throws -> [String] {
        let commands = [
            // The time that is left of a lifetime goes on.
            "ip addr | sed 's/preferred_lft [1-9][0-9]*sec/preferred_lft N/'",
            "ip -d link show type macvlan", "ip -4 route show table all",
            // Routes to one prefix by several interfaces are in no order.
            "ip -6 route show table all | sort", "ip -4 rule", "ip -6 rule", "nft list ruleset",
            "cd /proc/sys/net/ipv4/conf; grep . */arp_ignore */arp_filter */rp_filter"
                + " */accept_local */promote_secondaries ../igmp_link_local_mcast_reports",
            "cd /proc/sys/net/ipv6/conf; grep . */disable_ipv6 */addr_gen_mode",
        ]
        return try commands.flatMap { command in
            try output(of: command).split(separator: "\n").map(String.init)
        }
    }

    /// The state once no address is tentative any more: the kernel looks for duplicates later, even
    /// where it is told not to ask.
    func settledState() throws -> [String] {
        try awaitState { state in !state.contains { $0.contains("tentative") } }
    }

    /// Waits for the state to be as wanted, for 20 s at most.
    ///
    /// - Returns: the state, as it was then or at the end.
    func awaitState(_ isWanted: ([String]) -> Bool) throws -> [String] {
        let deadline = MonotonicClock.now + .seconds(20)
        var state = try state()
        while !isWanted(state), MonotonicClock.now < deadline {
            usleep(50_000)
            state = try self.state()
        }
        return state
    }
}

/// Lines that only one of two texts has.
struct StateDifference: CustomStringConvertible {
    var onlyLeft: [String]
    var onlyRight: [String]
    /// Both may have the same lines in another order.
    var isReordered: Bool

    init(_ left: [String], _ right: [String]) {
        let (lines, others) = (Set(left), Set(right))
        onlyLeft = left.filter { !others.contains($0) }
        onlyRight = right.filter { !lines.contains($0) }
        isReordered = left != right
        if let place = zip(left, right).enumerated().first(where: {
            $0.element.0 != $0.element.1
        }) {
            orders = "order: - \(place.element.0)\n       + \(place.element.1)"
        }
    }

    var isEmpty: Bool { !isReordered }
    var description: String {
        let lines = onlyLeft.map { "- \($0)" } + onlyRight.map { "+ \($0)" }
        return lines.isEmpty ? orders : lines.joined(separator: "\n")
    }
    /// The first line that stands in another place, in both texts.
    private var orders: String = ""
}

/// keepalived, running in a stage; ended with this value.
final class KeepalivedProcess {
    private let pid: Int32
    private let folder: String
    private var hasEnded = false

    init(_ configuration: String, in stage: borrowing KernelStage, test: String) throws {
        let folder = "/tmp/keepalived-kernel-\(getpid())-\(test)"
        self.folder = folder
        try FileSystem.removeTree(folder)
        try FileSystem.makeFolders(folder)
        try FileSystem.write(Array(configuration.utf8), to: "\(folder)/keepalived.conf")
        let log = OwnedDescriptor(try systemCall("make a log") { creat("\(folder)/log", 0o644) })
        let input = try OwnedDescriptor.null()
        let program = Program(
            path: "/usr/sbin/keepalived",
            arguments: [
                "keepalived", "-nlDP", "-f", "\(folder)/keepalived.conf", "-p", "\(folder)/pid",
                "-r", "\(folder)/vrrp.pid",
            ], environment: [], descriptors: [input.rawValue, log.rawValue, log.rawValue])
        pid = try stage.lab.namespace.run { try program.start().pid }
    }

    /// Ends it with a signal and waits until it has ended.
    func end(_ signal: Int32 = SIGTERM) {
        guard !hasEnded else { return }
        hasEnded = true
        kill(pid, signal)
        waitpid(pid, nil, 0)
    }

    var log: String { (try? FileSystem.readText("\(folder)/log")) ?? "" }

    deinit {
        end()
        try? FileSystem.removeTree(folder)
    }
}

/// What the agent has to do with the kernel, for a whole configuration. All of it is to be used in
/// the namespace of the stage.
final class AgentKernel {
    let kernel: KernelShell
    let filter: PacketFilter
    let parameters: KernelParameters
    let interfaces: VirtualInterfaces
    let statics: StaticObjects
    let placement: AddressPlacement
    let configuration: Configuration
    let objects: [InstanceObjects]

    init(_ text: String) throws {
        let configuration = Configuration.parse(text, file: "keepalived.conf").configuration
        let log = Log(isStamped: false, isDetailed: false)
        let kernel = try KernelShell(log: log, watchesRouting: true)
        let filter = PacketFilter(
            table: configuration.global.nftablesTable, kernel: kernel, log: log)
        let placement = AddressPlacement(configuration)
        parameters = KernelParameters(log: log)
        interfaces = VirtualInterfaces(
            kernel: kernel, filter: filter, parameters: parameters, log: log)
        statics = StaticObjects(kernel: kernel, log: log)
        objects = configuration.instances.map { instance in
            InstanceObjects(
                instance, placement: placement, kernel: kernel, firewall: filter, log: log)
        }
        self.configuration = configuration
        self.kernel = kernel
        self.filter = filter
        self.placement = placement
    }

    /// As at the start, with every instance becoming master.
    func start() {
        filter.removeStale()
        statics.set(configuration)
        for object in objects { object.removeStale() }
        for instance in configuration.instances {
            interfaces.make(placement.plans(for: instance), for: instance.name)
        }
        for object in objects { object.set() }
    }

    /// As at the end.
    func stop() {
        for object in objects { object.remove() }
        interfaces.removeAll()
        filter.remove()
        statics.remove()
        parameters.restoreAll()
    }
}

/// Whether the programs that these tests compare with are here.
let comparesWithKeepalived: Bool =
    geteuid() == 0 && access("/usr/sbin/keepalived", X_OK) == 0
    && access("/usr/sbin/nft", X_OK) == 0

/// Whether this kernel has ipvlan: asked for one in a namespace of its own.
let makesIPVLAN: Bool =
    (try? KernelStage().lab.socket.perform(
        .add(VirtualLink(.ipvlan, name: name("vip0"), base: Device(index: 10))))) != nil
