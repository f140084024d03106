import LabModel
import NetworkTypes

extension Topology {
    /// The topology as indented text: every segment with what is plugged into it.
    ///
    ///     lan  10.10.10.0/24
    ///      |-- master  eth0 10.10.10.1/24  VI_1 MASTER  10.10.10.10
    ///      `-- backup  eth0 10.10.10.2/24  VI_1 BACKUP
    public var text: String {
        var lines: [String] = []
        for (index, segment) in segments.enumerated() {
            lines.append(segment.words.joined(separator: "  "))
            let members = nodes.flatMap { node in
                node.ports.filter { $0.segment == index }.map { (node, $0) }
            }
            for (place, member) in members.enumerated() {
                let branch = place == members.count - 1 ? "`--" : "|--"
                lines.append(" \(branch) \(Self.words(member.0, member.1))")
            }
        }
        let alone = nodes.filter(\.ports.isEmpty)
        lines += alone.map { ([$0.name, "(no interface)"] + $0.words).joined(separator: "  ") }
        return lines.joined(separator: "\n")
    }

    private static func words(_ node: Node, _ port: Port) -> String {
        var parts = [node.name, port.label]
        parts += node.words
        parts += (node.activity?.held ?? []).map(\.description)
        return parts.joined(separator: "  ")
    }

    /// The topology for Graphviz: `labctl graph --format dot | dot -Tsvg`.
    public var dot: String {
        var lines = ["graph \(Markup.quoted(lab)) {", "  node [fontname=\"sans-serif\"];"]
        for (index, segment) in segments.enumerated() where !isEdge(index) {
            let label = segment.words.joined(separator: "\n")
            lines.append("  segment\(index) [shape=ellipse, label=\(Markup.quoted(label))];")
        }
        for (index, node) in nodes.enumerated() {
            let style = node.activity?.commonRole == "MASTER" ? ", style=bold" : ""
            lines.append("  node\(index) [shape=box, label=\(Markup.quoted(node.label))\(style)];")
        }
        lines += edges.map { edge in
            "  \(edge.from) -- \(edge.to) [label=\(Markup.quoted(edge.label))];"
        }
        return (lines + ["}"]).joined(separator: "\n")
    }

    /// The topology for Mermaid, as GitHub and GitLab draw it in Markdown.
    public var mermaid: String {
        var lines = ["graph TB"]
        for (index, segment) in segments.enumerated() where !isEdge(index) {
            let label = segment.words.map { Markup.entities($0) }.joined(separator: "<br/>")
            lines.append("  segment\(index)([\"\(label)\"])")
        }
        for (index, node) in nodes.enumerated() {
            let label = Markup.entities(node.label).split(separator: "\n").joined(
                separator: "<br/>")
            lines.append("  node\(index)[\"\(label)\"]")
        }
        lines += edges.map { "  \($0.from) ---|\"\(Markup.entities($0.label))\"| \($0.to)" }
        return lines.joined(separator: "\n")
    }

    /// Whether a segment is drawn as a line between two nodes: a link, but for one whose end is
    /// plugged in elsewhere.
    private func isEdge(_ index: Int) -> Bool {
        segments[index].isLink
            && nodes.reduce(0) { $0 + $1.ports.count { $0.segment == index } } == 2
    }

    private struct Edge {
        var from: String
        var to: String
        var label: String
    }

    /// One for every interface on a network, one for every link.
    private var edges: [Edge] {
        var ends: [[(node: Int, port: Port)]] = segments.map { _ in [] }
        for (index, node) in nodes.enumerated() {
            for port in node.ports { ends[port.segment].append((index, port)) }
        }
        return segments.indices.flatMap { index -> [Edge] in
            let members = ends[index]
            if isEdge(index) {
                let label = members.map(\.port.label).joined(separator: " -- ")
                return [
                    Edge(from: "node\(members[0].node)", to: "node\(members[1].node)", label: label)
                ]
            }
            return members.map {
                Edge(from: "segment\(index)", to: "node\($0.node)", label: $0.port.label)
            }
        }
    }
}

extension Topology.Node {
    /// Its name, what it does, and what it holds, in lines.
    var label: String {
        let held = (activity?.held ?? []).map(\.description)
        return ([name] + words + held).joined(separator: "\n")
    }
}

extension Topology.Port {
    /// `eth0 10.10.10.1/24 (down)`.
    var label: String {
        ([interface.text] + addresses.map(\.description) + (fault.map { ["(\($0))"] } ?? []))
            .joined(separator: " ")
    }
}
