import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Testing

@Suite("Netlink: links", .enabled(if: geteuid() == 0, "needs root"))
struct NetlinkLinkTests {
    @Test("a bridge is up, with the index, address and MTU it was given")
    func bridge() throws {
        let fabric = try TestNamespace()
        let mac = try #require(MACAddress("02:00:00:00:01:00"))
        try fabric.socket.perform(
            .add(Bridge(name: try name("br0"), index: 100, address: mac, mtuBytes: 1400)))
        let link = try #require(try fabric.socket.link(named: try name("br0")))
        #expect(link.index == 100)
        #expect(link.isUp)
        #expect(link.address == mac)
        #expect(link.mtuBytes == 1400)
        #expect(link.kind == "bridge")
        // What our own reader does not read, the other tool says.
        let details = try fabric.namespace.run { try output(of: "ip -details link show br0") }
        for setting in ["stp_state 0", "mcast_snooping 0", "forward_delay 0"] {
            #expect(details.contains(" \(setting) "))
        }
    }

    @Test("a veth pair is made in place: one end a port of a bridge, the other in the node")
    func vethInPlace() throws {
        let fabric = try TestNamespace()
        let node = try TestNamespace()
        let far = try #require(MACAddress("02:00:00:00:00:02"))
        try fabric.socket.perform(
            .add(Bridge(name: try name("lan"), index: 100)),
            .setNamespaceID(7, of: node.reference),
            .add(
                VethEnd(
                    name: try name("port"), index: 101,
                    address: MACAddress("02:00:00:00:00:01"), mtuBytes: 1400,
                    master: Device(index: 100)),
                peer: VethPeer(
                    name: try name("eth0"), index: 2, address: far, mtuBytes: 1400,
                    namespace: node.reference)))
        var near = try #require(try fabric.socket.link(named: try name("port")))
        #expect(near.index == 101)
        #expect(near.masterIndex == 100)
        #expect(near.mtuBytes == 1400)
        #expect(near.isUp)
        #expect(!near.hasCarrier)
        #expect(near.peerIndex == 2)
        #expect(near.peerNamespaceID == 7)
        #expect(try fabric.socket.link(named: try name("eth0")) == nil)

        let end = try #require(try node.socket.link(named: try name("eth0")))
        #expect(end.index == 2)
        #expect(end.address == far)
        #expect(end.mtuBytes == 1400)
        #expect(!end.isUp)
        // What `IFF_UP` in the peer's part of the first message would have got ENOTCONN for.
        try node.socket.perform(.set(.loopback, .up), .set(end.device, .up))
        #expect(try node.socket.links().map(\.isUp) == [true, true])
        near = try #require(try fabric.socket.link(named: try name("port")))
        #expect(near.hasCarrier)
    }

    @Test("a veth's other end is made in the namespace of a process")
    func vethByProcess() throws {
        let fabric = try TestNamespace()
        let node = try TestNamespace()
        let pid = try node.namespace.run { try startSleeper() }
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        try fabric.socket.perform(
            .add(
                VethEnd(name: try name("v0")),
                peer: VethPeer(name: try name("eth0"), namespace: .process(pid))))
        #expect(try node.socket.link(named: try name("eth0"))?.kind == "veth")
    }

    @Test("settings of a link change in one step, and back")
    func changes() throws {
        let lab = try TestNamespace()
        try lab.socket.perform(
            .add(Bridge(name: try name("br0"), index: 100)),
            .add(VethEnd(name: try name("v0"), index: 101), peer: VethPeer(name: try name("v1"))))
        let bridge = Device(index: 100)
        let mac = try #require(MACAddress("02:00:00:00:00:09"))
        try lab.socket.perform(
            .set(Device(index: 101), .master(bridge), .mtuBytes(1300), .address(mac)),
            .set(Device(index: 101), .down), .set(Device(index: 101), .name(try name("port"))))
        var link = try #require(try lab.socket.link(named: try name("port")))
        #expect(link.masterIndex == 100)
        #expect(link.mtuBytes == 1300)
        #expect(link.address == mac)
        #expect(!link.isUp)
        try lab.socket.perform(.set(link.device, .master(nil), .up))
        link = try #require(try lab.socket.link(named: try name("port")))
        #expect(link.masterIndex == nil)
        #expect(link.isUp)
    }

    @Test("a link is deleted by index or by name, a veth with its other end")
    func deletion() throws {
        let lab = try TestNamespace()
        try lab.socket.perform(
            .add(Bridge(name: try name("br0"), index: 100)),
            .add(VethEnd(name: try name("v0"), index: 101), peer: VethPeer(name: try name("v1"))))
        try lab.socket.perform(.delete(Device(index: 101)), .deleteLink(named: try name("br0")))
        #expect(try lab.socket.links().map(\.name) == ["lo"])
        let error = try #require(
            try lab.socket.attempt([.deleteLink(named: try name("br0"))]).first ?? nil)
        #expect(error.code.rawValue == ENODEV)
        #expect(error.operation == "ip link delete br0")
    }

    @Test("an error has the kernel's errno and its own words")
    func errors() throws {
        let lab = try TestNamespace()
        let bridge = Bridge(name: try name("br0"))
        try lab.socket.perform(.add(bridge))
        let taken = try #require(try lab.socket.attempt([.add(bridge)]).first ?? nil)
        #expect(taken.code == .fileExists)
        #expect("\(taken)".hasPrefix("ip link add br0 up type bridge stp_state 0"))
        #expect("\(taken)".contains(": file exists"))

        let br0 = try lab.device("br0")
        let outcomes = try lab.socket.attempt([
            .set(.loopback, .master(br0)), .set(br0, .mtuBytes(70_000)), .set(br0, .up),
        ])
        #expect(
            outcomes.map { $0?.description } == [
                "ip link set lo master br0: invalid argument",
                "ip link set br0 mtu 70000: invalid argument (mtu greater than device maximum)",
                nil,
            ])
    }

    @Test("hundreds of devices: many requests in few calls, and a dump of many datagrams")
    func manyDevices() throws {
        let lab = try TestNamespace()
        let count = 300
        try lab.socket.perform(
            try (0..<count).map { try Request.add(Bridge(name: try name("br\($0)"))) })
        let links = try lab.socket.links()
        #expect(links.count == count + 1)
        #expect(Set(links.map(\.name)).count == count + 1)
    }
}

/// What a command prints, run in the calling thread's namespace.
private func output(of command: String) throws -> String {
    let pipe = try #require(popen(command, "r"))
    defer { pclose(pipe) }
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    let count = fread(&bytes, 1, bytes.count, pipe)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}

/// A process in the calling thread's namespaces that does nothing until it is killed.
private func startSleeper() throws -> pid_t {
    var pid: pid_t = 0
    let path = strdup("/bin/sleep")
    let time = strdup("60")
    defer {
        free(path)
        free(time)
    }
    let result = posix_spawn(&pid, "/bin/sleep", nil, nil, [path, time, nil], nil)
    try #require(result == 0)
    return pid
}
