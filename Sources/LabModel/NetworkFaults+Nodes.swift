// What nodes lack, among what is broken in a lab.

extension NetworkFaults {
    /// The faults of nodes and services, in the order of their names.
    var faultsOfNodes: [Fault] {
        limits.sorted { $0.key < $1.key }.map { Fault.limit($0.key, $0.value) }
            + clocks.sorted { $0.key.description < $1.key.description }
            .map { Fault.clock($0.key, $0.value) }
    }

    /// What a node lacks, and which of its services have a clock that is off, in a few words; nil
    /// when that is nothing.
    public func fault(of node: String) -> String? {
        var words = limits[node].map { [$0.description] } ?? []
        for (target, offset) in clocks.sorted(by: { $0.key.description < $1.key.description })
        where target.node == node {
            words.append("\(target.service ?? "") clock \(offset)")
        }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }
}
