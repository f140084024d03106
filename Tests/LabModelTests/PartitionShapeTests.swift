import NetworkTypes
import Testing

@testable import LabModel

@Suite("Shapes of partitions")
struct PartitionShapeTests {
    private func nodes(_ count: Int) -> [String] { (0..<count).map { "n\($0)" } }

    /// Whom each node reaches, itself included, where frames pass within groups.
    private func reached(_ groups: [[String]], by node: String) -> Set<String> {
        Set(groups.filter { $0.contains(node) }.flatMap(\.self))
    }

    @Test(
        "the groups of few nodes",
        arguments: [
            (["halves"], 2, [["n0"], ["n1"]]),
            (["halves"], 5, [["n0", "n1", "n2"], ["n3", "n4"]]),
            (["isolate", "n1"], 3, [["n1"], ["n0", "n2"]]),
            (["isolate", "n2", "n0"], 4, [["n0", "n2"], ["n1", "n3"]]),
            (["isolate", "n2,n0"], 4, [["n0", "n2"], ["n1", "n3"]]),
            (["bridge", "n1"], 3, [["n0", "n1"], ["n2", "n1"]]),
            (["bridge", "n0"], 5, [["n1", "n2", "n0"], ["n3", "n4", "n0"]]),
            (
                ["ring"], 5,
                [["n0", "n1"], ["n1", "n2"], ["n2", "n3"], ["n3", "n4"], ["n4", "n0"]]
            ),
        ] as [([String], Int, [[String]])])
    func groups(words: [String], count: Int, groups: [[String]]) throws {
        let shape = try #require(try PartitionShape(words: words))
        #expect(try shape.groups(of: nodes(count)) == groups)
    }

    @Test("in a ring each reaches more than half, not all, and no two the same", arguments: 4...25)
    func ring(count: Int) throws {
        let nodes = nodes(count)
        let groups = try PartitionShape.ring.groups(of: nodes)
        let reached = nodes.map { self.reached(groups, by: $0) }
        #expect(reached.allSatisfy { $0.count > count / 2 && $0.count < count })
        #expect(Set(reached).count == count)
        #expect(zip(nodes, reached).allSatisfy { $1.contains($0) })
    }

    @Test("only the bridge reaches both halves, of any number of nodes", arguments: 3...9)
    func bridge(count: Int) throws {
        let nodes = nodes(count)
        let groups = try PartitionShape.bridge("n2").groups(of: nodes)
        for node in nodes {
            #expect((reached(groups, by: node).count == count) == (node == "n2"))
        }
        #expect(reached(groups, by: "n0").isDisjoint(with: [nodes[count - 1]]) || count == 3)
    }

    @Test("words that name no shape, and shapes that nodes cannot have")
    func mistakes() throws {
        #expect(try PartitionShape(words: ["a", "b"]) == nil)
        #expect(try PartitionShape(words: []) == nil)
        func message(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "nothing"
            } catch {
                return "\(error)"
            }
        }
        #expect(message { _ = try PartitionShape(words: ["halves", "a"]) }.contains("names none"))
        #expect(message { _ = try PartitionShape(words: ["isolate"]) }.contains("`isolate a`"))
        #expect(message { _ = try PartitionShape(words: ["bridge"]) }.contains("`bridge a`"))
        #expect(
            message { _ = try PartitionShape.ring.groups(of: nodes(3)) }
                == "a ring of majorities takes at least 4 nodes, not n0, n1, n2")
        #expect(message { _ = try PartitionShape.halves.groups(of: []) }.contains("not none"))
        #expect(
            message { _ = try PartitionShape.bridge("n9").groups(of: nodes(3)) }
                == "node n9 is none of those that are to be parted; did you mean 'n0'?")
        #expect(
            message { _ = try PartitionShape.isolate(nodes(2)).groups(of: nodes(2)) }
                .contains("names every node"))
    }

    @Test("of one network, those with an interface on it; of none, all")
    func network() throws {
        let lab = try #require(
            decode(
                """
                name: test
                networks: { lan: { subnet: 10.0.0.0/24 }, dmz: { subnet: 10.0.1.0/24 } }
                nodes:
                  a: { interfaces: { eth0: { network: lan }, eth1: { network: dmz } } }
                  b: { interfaces: { eth0: { network: lan } } }
                  c: { interfaces: { eth0: { network: dmz } } }
                """, file: "test/lab.yaml"
            ).lab)
        #expect(try lab.partition(.halves) == .partition([["a", "b"], ["c"]]))
        #expect(try lab.partition(.halves, of: "dmz") == .partition([["a"], ["c"]]))
        #expect(throws: PartitionShapeError.self) { try lab.partition(.halves, of: "dnz") }
        #expect(throws: PartitionShapeError.self) { try lab.partition(.isolate(["b"]), of: "dmz") }
    }
}
