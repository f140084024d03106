import NetworkTypes
import Testing

@testable import LabModel

@Suite("What is broken in a network, and what its switches throw away")
struct NetworkFaultsTests {
    private func endpoint(_ text: String) throws -> Endpoint {
        try #require(Endpoint.parse(text))
    }

    /// Nodes a to d on one network, each by eth0; their ports have the indices 3 to 6.
    private func lab() throws -> Lab {
        let lan = try #require(InterfaceName("lan"))
        let eth0 = try #require(InterfaceName("eth0"))
        return Lab(
            name: "l", networks: [Network(name: lan)],
            nodes: try ["a", "b", "c", "d"].map { name in
                Node(
                    name: name,
                    interfaces: [
                        Interface(
                            name: eth0, attachment: .network(lan),
                            mac: try #require(
                                MACAddress("02:00:00:00:00:0\(name)")))
                    ])
            })
    }

    private func filter(_ faults: Fault...) throws -> PortFilter {
        var network = NetworkFaults()
        for fault in faults { network.apply(fault) }
        return network.filter(of: try DeploymentPlan(try lab()))
    }

    @Test("of the faults at one port the last one is so; a port that is up has none")
    func lastOneCounts() throws {
        let port = try endpoint("a:eth0")
        var network = NetworkFaults()
        network.apply(.linkDown(port))
        #expect(network.cables == [port: .down])
        network.apply(.blackhole(port, .in))
        #expect(network.cables == [port: .blackhole(.in)])
        #expect(network.faults == [.blackhole(port, .in)])
        network.apply(.linkUp(port))
        #expect(network.isSound)
    }

    @Test("a blackhole is mute outwards and deaf inwards, as the node sees it")
    func blackhole() throws {
        let port = try endpoint("b:eth0")
        #expect(try filter(.blackhole(port, .both)) == PortFilter(mute: [4], deaf: [4]))
        #expect(try filter(.blackhole(port, .out)) == PortFilter(mute: [4]))
        #expect(try filter(.blackhole(port, .in)) == PortFilter(deaf: [4]))
        #expect(try filter(.linkDown(port)).isEmpty, "the port itself is down")
    }

    @Test("what passes from one port to another is what the switches do not throw away")
    func passes() throws {
        let lab = try lab()
        let plan = try DeploymentPlan(lab)
        let (a, b) = (try endpoint("a:eth0"), try endpoint("b:eth0"))
        let partition = Fault.partition([["a"], ["b", "c"]])
        for faults: [Fault] in [
            [], [.blackhole(a, .in)], [.blackhole(a, .out)], [.blackhole(b, .both)], [partition],
            [partition, .heal(a)], [partition, .blackhole(b, .in)],
            [.cut(from: ["a"], to: ["b"])], [.cut(from: ["a", "c"], to: ["b", "d"]), partition],
            [.cut(from: ["a"], to: ["b"]), .heal(b)],
            [.cut(from: ["a"], to: ["b"]), partition, .heal(a), .cut(from: ["a"], to: ["b"])],
            [.cut(from: ["a"], to: ["b"]), .cut(from: ["b"], to: ["a"])],
            [.flap(a, Flap())],
        ] {
            let network = NetworkFaults(faults)
            let filter = network.filter(of: plan)
            for sender in plan.ports {
                for receiver in plan.ports where receiver.index != sender.index {
                    let isDropped =
                        filter.mute.contains(sender.index) || filter.deaf.contains(receiver.index)
                        || filter.separations.contains {
                            $0.from.contains(sender.index) && $0.to.contains(receiver.index)
                        }
                    let passes = network.passes(
                        from: Endpoint(node: sender.node, interface: sender.interface),
                        to: Endpoint(node: receiver.node, interface: receiver.interface))
                    #expect(passes != isDropped, "\(faults): \(sender.node) to \(receiver.node)")
                }
            }
        }
        #expect(!NetworkFaults([.linkDown(a)]).passes(from: a, to: b))
        #expect(!NetworkFaults([.linkDown(a)]).passes(from: b, to: a))
        #expect(!NetworkFaults([.unplug(a)]).passes(from: b, to: a))
        #expect(!NetworkFaults([.unplug(a)]).passes(from: a, to: b))
    }

    @Test("groups reach nobody outside; who is in none reaches everybody")
    func partition() throws {
        let filter = try filter(.partition([["a"], ["c", "b"]]))
        #expect(
            filter.separations
                == [.init(from: [3], to: [4, 5]), .init(from: [4, 5], to: [3])])
        #expect(filter.separated == [3, 4, 5])
    }

    @Test("a node of two groups joins what it shares with either")
    func overlappingGroups() throws {
        let filter = try filter(.partition([["a", "b"], ["b", "c"]]))
        #expect(filter.separations == [.init(from: [3], to: [5]), .init(from: [5], to: [3])])
    }

    @Test("who is cut is not heard, and hears; another cut takes its place, beside a partition")
    func cut() throws {
        let cut = Fault.cut(from: ["b"], to: ["c", "a"])
        #expect(try filter(cut).separations == [.init(from: [4], to: [3, 5])])
        #expect(try filter(cut, .cut(from: [], to: [])).isEmpty)
        #expect(try filter(cut, .heal(try endpoint("b:eth0"))).isEmpty)
        var network = NetworkFaults([.partition([["a"], ["b"]]), cut])
        #expect(
            network.faults == [.partition([["a"], ["b"]]), .cut(from: ["b"], to: ["a", "c"])])
        #expect(network.holds(cut))
        network.apply(try #require(cut.ending))
        #expect(network.faults == [.partition([["a"], ["b"]])])
        #expect(!network.holds(cut))
    }

    @Test(
        "a cable that is plugged in elsewhere is of that bridge; pulled as well, it passes nothing")
    func places() throws {
        let (a, b) = (try endpoint("a:eth0"), try endpoint("b:eth0"))
        let dmz = try #require(InterfaceName("dmz"))
        var lab = try lab()
        lab.networks.append(Network(name: dmz))
        let plan = try DeploymentPlan(lab)
        var network = NetworkFaults([.plug(a, dmz), .linkDown(a), .unplug(b)])
        #expect(network.cabled(plan).ports.map(\.bridge.text) == ["dmz", "lan", "lan", "lan"])
        #expect(network.attachment(of: a, in: lab) == .network(dmz))
        #expect(network.attachment(of: b, in: lab) == nil)
        #expect(network.fault(at: a) == "down; plugged into dmz")
        #expect(network.fault(at: b) == "unplugged")
        #expect(network.isPulled(a) && network.isPulled(b))
        #expect(NetworkFaults(network.faults) == network)
        network.apply(.linkUp(a))
        #expect(!network.isPulled(a))
        network.apply(.linkUp(b))
        #expect(network.isPulled(b), "who is not plugged in cannot be up")
        network.apply(.plug(b, dmz))
        #expect(network.passes(from: a, to: b))
        network.apply(.plug(a, nil))
        network.apply(.heal(b))
        #expect(network.isSound)
        #expect(network.cabled(plan) == plan)
    }

    @Test("a cable that is plugged into its own network is where it belongs")
    func home() throws {
        let (lab, port) = (try lab(), try endpoint("a:eth0"))
        let lan = try #require(InterfaceName("lan"))
        #expect(lab.normalized(.plug(port, lan)) == .plug(port, nil))
        #expect(lab.normalized(.unplug(port)) == .unplug(port))
        let dmz = try #require(InterfaceName("dmz"))
        #expect(
            Fault.plug(port, dmz).problem(in: lab)
                == "lab l has no network dmz; its networks are lan")
    }

    @Test("healing an endpoint mends its cable and lets it through the partition; healing all, all")
    func healing() throws {
        let port = try endpoint("a:eth0")
        let cut: [Fault] = [.partition([["a"], ["b", "c"]]), .linkDown(port)]
        var network = NetworkFaults()
        for fault in cut { network.apply(fault) }
        #expect(network.faults == [.linkDown(port), .partition([["a"], ["b", "c"]])])
        network.apply(.heal(port))
        #expect(network.cables.isEmpty)
        #expect(network.filter(of: try DeploymentPlan(try lab())).isEmpty)
        network.apply(.partition([["a"], ["b"]]))
        #expect(
            !network.filter(of: try DeploymentPlan(try lab())).isEmpty,
            "another partition cuts it off again")
        network.apply(.heal(nil))
        #expect(network == NetworkFaults())
    }

    @Test("what a lab does not have is named, with what was probably meant")
    func problems() throws {
        let lab = try lab()
        #expect(Fault.linkDown(try endpoint("a:eth0")).problem(in: lab) == nil)
        #expect(
            Fault.linkDown(try endpoint("a:eth1")).problem(in: lab)
                == "node a has no interface eth1; did you mean 'eth0'?")
        #expect(
            Fault.heal(try endpoint("master:eth0")).problem(in: lab)
                == "lab l has no node master; its nodes are a, b, c, d")
        #expect(
            Fault.partition([["b"], ["a", "a"]]).problem(in: lab)
                == "node a is twice in a group")
        #expect(
            Fault.partition([["a", "b"], ["b", "c"], ["c", "a"]]).problem(in: lab) == nil,
            "a node between others is in several")
        #expect(
            Fault.partition([["a", "b"]]).problem(in: lab)
                == "a partition has at least two groups, as in `partition a b / c`")
        #expect(Fault.partition([["a"], ["b", "c", "d"]]).problem(in: lab) == nil)
        #expect(
            Fault.cut(from: ["a"], to: ["b", "a"]).problem(in: lab)
                == "node a is on both sides of the cut")
        #expect(
            Fault.cut(from: ["a"], to: []).problem(in: lab)
                == "a cut is between nodes that send and nodes that do not hear it, as in "
                + "`cut a to b`")
        #expect(Fault.cut(from: [], to: []).problem(in: lab) == nil)
        #expect(Fault.flap(try endpoint("a:eth0"), Flap(count: 0)).problem(in: lab) != nil)
    }
}
