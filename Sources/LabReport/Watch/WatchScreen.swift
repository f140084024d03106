import LabModel
public import NetworkTypes

extension WatchView {
    /// What the terminal is to show, a line for each of its rows and none longer than it is wide.
    ///
    /// From top to bottom: the lab, its nodes, the faults in force, the probes, the last events,
    /// what came of the last key, and the keys. Where there is little room, nodes are left out
    /// around the selected one, then events, then probes.
    public mutating func screen(now: MonotonicInstant) -> [WatchLine] {
        let room = Room(
            rows: size.rows, nodes: lab.nodes.count, faults: faultsLine == nil ? 0 : 1,
            probes: scene.probes.count)
        var lines = [title(now: now)]
        lines += nodeLines(rows: room.nodes)
        if room.faults > 0, let faultsLine { lines.append(faultsLine) }
        lines += scene.probes.prefix(room.probes).map { line(of: $0, now: now) }
        lines += eventLines(rows: room.events)
        lines += [messageLine, WatchLine(Self.keys, .dim)].suffix(room.footer)
        return lines.prefix(size.rows).map { $0.clipped(to: size.columns) }
    }

    /// How many rows each part gets.
    private struct Room {
        var nodes: Int
        var faults: Int
        var probes: Int
        var events: Int
        var footer: Int

        init(rows: Int, nodes: Int, faults: Int, probes: Int) {
            // The title, the table's head and one node come before everything else.
            footer = max(0, min(2, rows - 3))
            var rest = max(0, rows - 2 - footer)
            self.nodes = min(nodes, max(1, rest / 2))
            rest = max(0, rest - self.nodes)
            self.faults = min(faults, rest)
            rest -= self.faults
            self.probes = min(probes, (rest + 1) / 2)
            events = rest - self.probes
        }
    }

    private static let keys =
        " k kill  s start  f freeze  t thaw  c cut  h heal  up/down select  q quit"

    private func title(now: MonotonicInstant) -> WatchLine {
        var line = WatchLine(" \(lab.name)", .bold)
        if let origin = scene.origin {
            let seconds = max(0, (now - origin).wholeNanoseconds / 1_000_000_000)
            line.add("  \(seconds) s", .dim)
        }
        if let step = scene.step {
            line.add("  \(step.scenario) \(step.index): ")
            switch step.phase {
            case .began: line.add(step.summary)
            case .passed: line.add(step.summary, .green)
            case .failed(let message): line.add(message, .red)
            case .inconclusive(let message): line.add(message, .yellow)
            case .notRun: line.add(step.summary, .dim)
            }
        }
        return line
    }

    // MARK: Nodes

    private var nameWidth: Int {
        min(20, max(4, lab.nodes.map(\.name.unicodeScalars.count).max() ?? 0))
    }

    private mutating func nodeLines(rows: Int) -> [WatchLine] {
        let first = scrollNodes(toFit: rows)
        let shown = first..<min(lab.nodes.count, first + rows)
        var head = WatchLine("   NODE", .dim)
        head.pad(to: nameWidth + 5)
        head.append("STATE     ROLE", .dim)
        if shown.count < lab.nodes.count {
            head.append("  (\(first + 1) to \(shown.upperBound) of \(lab.nodes.count))", .dim)
        }
        return [head] + shown.map { line(ofNode: $0) }
    }

    private func line(ofNode index: Int) -> WatchLine {
        let node = lab.nodes[index]
        var line = WatchLine(index == selection ? " > " : "   ")
        line.add(String(node.name.prefix(nameWidth)), .bold)
        line.pad(to: nameWidth + 5)
        let state = scene.nodes[node.name]
        let isFrozen = scene.frozen.contains(Target(node: node.name))
        switch state {
        case .running where isFrozen: line.add("frozen", .yellow)
        case .running, .starting: line.add(state?.rawValue ?? "")
        case .stopped, .killed, .failed: line.add(state?.rawValue ?? "", .red)
        case nil: line.add("-", .dim)
        }
        line.pad(to: nameWidth + 15)
        addRoles(of: node, to: &line)
        if state == .running { addServices(of: node, to: &line) }
        return index == selection ? line.restyled(.selected) : line
    }

    private func addRoles(of node: Node, to line: inout WatchLine) {
        let own = routers.filter { $0.node == node.name }
        for (index, router) in own.enumerated() {
            if index > 0 { line.add(", ") }
            // Of a single one the name says nothing.
            if own.count > 1 { line.add("\(router.instance) ") }
            switch scene.states.state(of: router) {
            case .master?: line.add("MASTER", .green)
            case .backup?: line.add("BACKUP")
            case .fault?: line.add("FAULT", .red)
            case .initialize?, nil: line.add("-", .dim)
            }
            let held = router.addresses.filter { scene.ownership.isHeld($0, by: node.name) }
            for address in held { line.add(" \(address)", .green) }
        }
    }

    /// The services that are not what they should be, or that are all there is to say of a node.
    private func addServices(of node: Node, to line: inout WatchLine) {
        for service in node.services {
            let target = Target(node: node.name, service: service.name)
            let (word, style): (String, WatchLine.Style)
            switch scene.services[target] {
            case .ready? where scene.frozen.contains(target): (word, style) = ("frozen", .yellow)
            case .ready?: continue
            case .starting?, .running?: (word, style) = ("starting", .yellow)
            case .stopping?: (word, style) = ("stopping", .yellow)
            case .exited(.status(0))?: (word, style) = ("stopped", .yellow)
            case .exited(let reason)?: (word, style) = ("ended with \(reason)", .red)
            case .failed?: (word, style) = ("failed", .red)
            case nil: continue
            }
            line.add("  \(service.name) \(word)", style)
        }
    }

    // MARK: Faults, probes, events

    private var faultsLine: WatchLine? {
        let faults =
            scene.network.faults.map(\.description) + scene.frozen.map { "freeze \($0)" }
        guard !faults.isEmpty else { return nil }
        return WatchLine(" in force: " + faults.joined(separator: "; "), .yellow)
    }

    private func line(of probe: WatchProbe, now: MonotonicInstant) -> WatchLine {
        var line = WatchLine(" \(probe.name.prefix(12)) ", .bold)
        line.pad(to: 14)
        // What is said in words has 36 cells; without room for both, the picture goes.
        let width = min(60, size.columns - line.count - 36)
        if width >= 5 {
            let cells = Sparkline.line(probe.columns(now: now, count: width), glyphs)
            for _ in 0..<(width - cells.count) { line.append(" ") }
            for cell in cells { line.append(String(cell.glyph), cell.failed ? .red : .green) }
        }
        line.append(" " + (probe.latency?.text ?? "no answer"))
        if let outage = probe.longestOutage(now: now) {
            let text = " outage \(outage.length.text), \(outage.lost) lost"
            line.append(text, outage.isOpen ? .red : .yellow)
        }
        return line
    }

    private func eventLines(rows: Int) -> [WatchLine] {
        guard rows > 0 else { return [] }
        let text = EventText(origin: scene.origin ?? .zero, nodeWidth: nameWidth)
        // A blank line sets them off, where that does not cost an event much wanted.
        let events = scene.tail.suffix(rows > 3 ? rows - 1 : rows).map { event in
            WatchLine(text.line(for: event), Self.style(of: event.kind))
        }
        let blanks = [WatchLine](repeating: WatchLine(), count: rows - events.count)
        // The oldest stands below what is above it, so that the newest is always in one place.
        return blanks + events
    }

    private static func style(of kind: TimelineEvent.Kind) -> WatchLine.Style {
        switch kind {
        case .control, .fault: .bold
        case .addressAdded, .addressRemoved: .green
        case .violation, .node(_, .killed), .node(_, .failed), .service(_, _, .failed): .red
        case .stall, .lost: .yellow
        case .claim: .dim
        default: .plain
        }
    }

    private var messageLine: WatchLine {
        switch message {
        case nil: WatchLine()
        case .doing(let text): WatchLine(" \(text) ...")
        case .done(let text): WatchLine(" \(text): done", .green)
        case .failed(let text): WatchLine(" \(text)", .red)
        }
    }
}
