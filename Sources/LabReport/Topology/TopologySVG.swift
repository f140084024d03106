import LabModel
import NetworkTypes

extension Topology {
    /// The topology as a picture: segments are lines, nodes stand below them, and every interface
    /// goes up to the line it is plugged into.
    ///
    /// A whole SVG document without scripts or fonts of its own. Colours follow the reader's scheme
    /// (light or dark); within a page they are those of the page's `--` variables where it has
    /// them.
    public var svg: String { SVGDrawing(self).text }
}

/// Places and prints one topology.
private struct SVGDrawing {
    private static let nodeGap = 24
    private static let segmentHeight = 40
    private static let characterWidth = 8
    private static let lineHeight = 18
    private static let margin = 16

    private let topology: Topology
    /// The left edge and width of each node's box.
    private var columns: [(x: Int, width: Int)] = []
    private let nodeTop: Int
    private let nodeHeight: Int
    private let width: Int

    init(_ topology: Topology) {
        self.topology = topology
        nodeTop =
            Self.margin + topology.segments.count * Self.segmentHeight + Self.lineHeight
        var x = Self.margin
        var lines = 1
        for node in topology.nodes {
            let words = Self.lines(of: node)
            let widest = words.map(\.count).max() ?? 0
            let width = max(
                max(120, node.ports.count * 90), widest * Self.characterWidth + Self.margin * 2)
            columns.append((x, width))
            x += width + Self.nodeGap
            lines = max(lines, words.count)
        }
        nodeHeight = lines * Self.lineHeight + Self.margin
        let titles = topology.segments.map { Self.title(of: $0).count }.max() ?? 0
        width = max(
            x - Self.nodeGap + Self.margin, titles * Self.characterWidth + Self.margin * 2)
    }

    var text: String {
        let height = nodeTop + nodeHeight + Self.margin
        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" \
            width="\(width)" height="\(height)" role="img" aria-label="\(Markup.escaped("topology of lab \(topology.lab)"))">
            """,
            Self.style,
        ]
        parts += topology.segments.indices.map(line)
        for (node, column) in zip(topology.nodes, columns) {
            parts += drops(of: node, column)
            parts.append(box(of: node, column))
        }
        parts.append("</svg>")
        return parts.joined(separator: "\n")
    }

    private func height(ofSegment index: Int) -> Int {
        Self.margin + Self.lineHeight + index * Self.segmentHeight
    }

    // A segment reaches from its first to its last interface, its title above its beginning.
    private func line(_ index: Int) -> String {
        let segment = topology.segments[index]
        let y = height(ofSegment: index)
        let ends = zip(topology.nodes, columns).flatMap { node, column in
            node.ports.indices.filter { node.ports[$0].segment == index }.map {
                Self.place(ofPort: $0, of: node, column)
            }
        }
        let left = segment.isLink ? ends.min() ?? Self.margin : Self.margin
        let right = segment.isLink ? ends.max() ?? Self.margin : width - Self.margin
        return """
            <path class="\(segment.isLink ? "link" : "network")" d="M\(left) \(y)H\(right)"/>
            <text class="faint" x="\(left)" y="\(y - 6)">\
            \(Markup.escaped(Self.title(of: segment)))</text>
            """
    }

    private func drops(of node: Topology.Node, _ column: (x: Int, width: Int)) -> [String] {
        node.ports.enumerated().map { index, port in
            let x = Self.place(ofPort: index, of: node, column)
            let y = height(ofSegment: port.segment)
            let kind = topology.segments[port.segment].isLink ? "link" : "network"
            return """
                <path class="\(kind)" d="M\(x) \(y)V\(nodeTop)"/>\
                <circle cx="\(x)" cy="\(y)" r="3"/>
                """
        }
    }

    private func box(of node: Topology.Node, _ column: (x: Int, width: Int)) -> String {
        let role = node.activity.map { activity in
            activity.state == .running ? activity.commonRole?.lowercased() ?? "up" : "down"
        }
        var text = """
            <rect class="node \(role ?? "up")" x="\(column.x)" y="\(nodeTop)" \
            width="\(column.width)" height="\(nodeHeight)" rx="6"/>
            """
        for (index, words) in Self.lines(of: node).enumerated() {
            let y = nodeTop + (index + 1) * Self.lineHeight + 2
            text += """
                \n<text class="\(index == 0 ? "name" : "faint")" x="\(column.x + Self.margin)" \
                y="\(y)">\(Markup.escaped(words))</text>
                """
        }
        return text
    }

    private static func place(
        ofPort index: Int, of node: Topology.Node, _ column: (x: Int, width: Int)
    ) -> Int {
        column.x + column.width * (index + 1) / (node.ports.count + 1)
    }

    private static func lines(of node: Topology.Node) -> [String] {
        node.label.split(separator: "\n").map(String.init) + node.ports.map(\.label)
            + (node.services.isEmpty ? [] : [node.services.joined(separator: ", ")])
    }

    private static func title(of segment: Topology.Segment) -> String {
        segment.words.joined(separator: "  ")
    }

    private static let style = """
        <style>
        svg { color: var(--text, #1c2330); font: 13px system-ui, sans-serif }
        @media (prefers-color-scheme: dark) { svg { color: var(--text, #e4e8ef) } }
        svg text { fill: currentColor } svg .name { font-weight: 600 } svg .faint { opacity: .75 }
        svg circle { fill: currentColor }
        svg path { stroke: currentColor; stroke-width: 2; opacity: .6 }
        svg path.link { stroke-width: 1.5; stroke-dasharray: 5 3 }
        svg .node { fill: none; stroke: currentColor; stroke-width: 1.5 }
        svg .node.master { stroke: var(--master, #0a7f4f); stroke-width: 3 }
        svg .node.backup { stroke: var(--backup, #4471c4) }
        svg .node.down { stroke-dasharray: 4 4; opacity: .6 }
        </style>
        """
}
