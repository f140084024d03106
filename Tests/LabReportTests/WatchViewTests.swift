import LabModel
import NetworkTypes
import Testing

@testable import LabReport

@Suite("labctl watch: the live picture of a lab")
struct WatchViewTests {
    private let routers = Fixture.record().virtualRouters

    /// A picture of the first events, up to a moment, and of others.
    private func view(
        _ lab: Lab = Fixture.lab, rows: Int = 14, columns: Int = 76,
        through milliseconds: Int = 100_000, and more: [TimelineEvent.Kind] = []
    ) -> WatchView {
        var view = WatchView(
            lab: lab, routers: routers, size: WatchSize(rows: rows, columns: columns))
        for event in Fixture.events where event.time <= Fixture.at(milliseconds) {
            view.fold(event)
        }
        for (index, kind) in more.enumerated() {
            view.fold(Fixture.event(milliseconds + index, kind))
        }
        return view
    }

    private func lines(_ view: WatchView, at milliseconds: Int = 9000) -> [String] {
        var view = view
        return view.screen(now: Fixture.at(milliseconds)).map { line in
            String(line.text.reversed().drop { $0 == " " }.reversed())
        }
    }

    @Test("nodes with their states, roles and addresses, and what happened last")
    func running() {
        #expect(
            lines(view(through: 4000), at: 4000) == [
                " two-node  4 s",
                "   NODE    STATE     ROLE",
                " > master  running   MASTER 10.10.10.10",
                "   backup  running   BACKUP",
                "   client  -",
                "",
                "    0.010000  master  node running",
                "    0.010000  backup  node running",
                "    0.050000  master  keepalived ready",
                "    0.050000  backup  keepalived ready",
                "    3.600000  master  VRRPv2 advertisement on eth0: vrid 51, priority 100, i",
                "    3.601000  master  10.10.10.10/32 added to eth0",
                "",
                " k kill  s start  f freeze  t thaw  c cut  h heal  up/down select  q quit",
            ])
    }

    @Test("after a failover: who is gone, who has the address, what the probe saw, the step")
    func failover() {
        let lines = lines(view(rows: 20, columns: 100, through: 9000))
        #expect(lines[0] == " two-node  9 s  failover 1: kill master")
        #expect(lines[2] == " > master  killed    -")
        #expect(lines[3] == "   backup  running   MASTER 10.10.10.10")
        #expect(lines.contains { $0.hasPrefix(" web ") && $0.hasSuffix(" 3.61 s") }, "\(lines)")
        #expect(lines.contains("    5.000000  master  kill master"))
    }

    @Test("a probe of the running scenario: latencies as heights, failures as crosses, its outage")
    func probe() {
        func answer(_ due: Int, took: Int) -> TimelineEvent {
            Fixture.event(
                due + took,
                .probe(ProbeResult(probe: "web", due: Fixture.at(due), outcome: .replied)))
        }
        var view = WatchView(
            lab: Fixture.lab, routers: routers, size: WatchSize(rows: 12, columns: 60))
        view.fold(Fixture.event(0, .scenario(.begin("failover"))))
        // Five seconds, a request of the 10 ms grid in each; every second one is lost at 3 s.
        for step in 0..<300 {
            let due = step * 10
            if due >= 2000, due < 2500 {
                view.fold(
                    Fixture.event(
                        due + 500,
                        .probe(
                            ProbeResult(
                                probe: "web", due: Fixture.at(due), outcome: .failed("timed out"))))
                )
            } else {
                view.fold(answer(due, took: due < 1000 ? 1 : 8))
            }
        }
        let line = lines(view, at: 2990).first { $0.hasPrefix(" web") }
        #expect(line == " web              __##x# 8 ms outage 510 ms, 50 lost")
    }

    @Test("faults in force, until they are mended, and who is frozen")
    func faults() {
        let eth0 = Endpoint.parse("master:eth0")!
        let other = Endpoint.parse("backup:eth0")!
        func inForce(_ more: [TimelineEvent.Kind]) -> String? {
            lines(view(through: 4000, and: more)).first { $0.hasPrefix(" in force") }
        }
        let master = Target(node: "master")
        #expect(inForce([]) == nil)
        #expect(inForce([.fault(.linkDown(eth0))]) == " in force: link master:eth0 down")
        #expect(inForce([.fault(.linkDown(eth0)), .fault(.linkUp(eth0))]) == nil)
        #expect(
            inForce([.fault(.blackhole(eth0, .in)), .fault(.linkDown(other)), .fault(.heal(eth0))])
                == " in force: link backup:eth0 down")
        #expect(
            inForce([.fault(.partition([["master"], ["backup", "client"]]))])
                == " in force: partition master | backup client")
        #expect(inForce([.fault(.linkDown(eth0)), .fault(.heal(nil))]) == nil)
        #expect(inForce([.control(.freeze, master)]) == " in force: freeze master")
        #expect(inForce([.control(.freeze, master), .control(.thaw, master)]) == nil)
        #expect(inForce([.control(.freeze, master), .node("master", .killed)]) == nil)
        let frozen = lines(view(through: 4000, and: [.control(.freeze, master)]))
        #expect(frozen[2].hasPrefix(" > master  frozen"))
    }

    @Test("a router without carrier is in FAULT; a service that is not ready is named")
    func troubles() {
        let view = view(
            through: 3000,
            and: [
                .link(node: "master", interface: "eth0", isUp: true, hasCarrier: false),
                .service(node: "backup", service: "keepalived", .exited(.signal(9))),
            ])
        let lines = lines(view)
        #expect(lines[2] == " > master  running   FAULT")
        #expect(lines[3] == "   backup  running   -  keepalived ended with signal 9")
    }

    // MARK: Keys

    @Test("keys ask for what they say, of the selected node and all its interfaces")
    func keys() {
        var view = view()
        let eth0 = Endpoint.parse("backup:eth0")!
        let backup = Target(node: "backup")
        #expect(view.press(.down) == nil)
        #expect(view.selectedNode == "backup")
        #expect(view.press(.character("k")) == .control(.kill, backup))
        #expect(view.press(.character("s")) == .control(.start, backup))
        #expect(view.press(.character("f")) == .control(.freeze, backup))
        #expect(view.press(.character("t")) == .control(.thaw, backup))
        #expect(view.press(.character("c")) == .faults([.linkDown(eth0)]))
        #expect(view.press(.character("h")) == .faults([.heal(eth0)]))
        #expect(view.press(.character("x")) == nil)
        #expect(view.press(.character("q")) == .quit)
        #expect(view.press(.interrupt) == .quit)
        for _ in 0..<5 { #expect(view.press(.down) == nil) }
        #expect(view.selectedNode == "client")
        #expect(view.press(.first) == nil)
        #expect(view.press(.up) == nil)
        #expect(view.selectedNode == "master")
    }

    @Test("what was asked for is said, and what came of it")
    func messages() throws {
        var view = view()
        let pressed = view.press(.character("f"))
        let request = try #require(pressed)
        #expect(lines(view).contains(" freeze master ..."))
        view.note(request, problem: "cgroups are not delegated")
        #expect(lines(view).contains(" freeze master: cgroups are not delegated"))
        view.note(request)
        #expect(lines(view).contains(" freeze master: done"))
    }

    // MARK: Room

    @Test("no line is wider and no screen higher than the terminal, however small it is")
    func narrow() {
        for rows in 1...30 {
            for columns in [1, 2, 10, 20, 40, 79, 200] {
                var view = view(rows: rows, columns: columns)
                let lines = view.screen(now: Fixture.at(9000))
                #expect(lines.count <= rows)
                #expect(lines.allSatisfy { $0.count <= columns })
                #expect(lines.allSatisfy { $0.count == $0.text.count })
            }
        }
    }

    @Test("a resize is no more than another size")
    func resize() {
        var view = view(rows: 8, columns: 30)
        #expect(
            lines(view) == [
                " two-node  9 s  failover 1: ki", "   NODE    STATE     ROLE  (1",
                " > master  killed    -", "   backup  running   MASTER 10", " web           3.61 s",
                "    8.601000  backup  10.10.10", "", " k kill  s start  f freeze  t",
            ])
        view.size = WatchSize(rows: 3, columns: 40)
        #expect(
            lines(view) == [
                " two-node  9 s  failover 1: kill master",
                "   NODE    STATE     ROLE  (1 to 1 of 3)", " > master  killed    -",
            ])
    }

    @Test("of many nodes those around the selected one are shown, moving as little as can be")
    func manyNodes() {
        let nodes = (1...200).map { Node(name: "n\($0)", interfaces: []) }
        var view = WatchView(
            lab: Lab(name: "large", networks: [], nodes: nodes), routers: [],
            size: WatchSize(rows: 10, columns: 60))
        func drawn(after key: WatchKey? = nil) -> [String] {
            if let key { _ = view.press(key) }
            let screen = view.screen(now: Fixture.at(0)).map(\.text)
            return [screen[1].split(separator: "  ").last.map(String.init) ?? ""]
                + screen[2...4].map { $0.filter { $0 != " " && $0 != "-" } }
        }
        #expect(drawn() == ["(1 to 3 of 200)", ">n1", "n2", "n3"])
        #expect(drawn(after: .last) == ["(198 to 200 of 200)", "n198", "n199", ">n200"])
        #expect(drawn(after: .up) == ["(198 to 200 of 200)", "n198", ">n199", "n200"])
        #expect(drawn(after: .up) == ["(198 to 200 of 200)", ">n198", "n199", "n200"])
        #expect(drawn(after: .up) == ["(197 to 199 of 200)", ">n197", "n198", "n199"])
    }

    @Test("what services say can neither move the cursor nor shift what stands beside it")
    func hostileText() {
        let claim = TimelineEvent.Claim(
            node: "master", service: "keepalived", instance: "\u{1b}[2J電\n", state: .master,
            source: .log)
        let last = lines(view(rows: 14, columns: 100, and: [.claim(claim)])).dropLast(2).last
        #expect(
            last?.hasSuffix(#"keepalived says that \u{1B}[2J?\n is MASTER"#) == true,
            "\(last ?? "")")
    }
}

@Suite("labctl watch: the terminal")
struct WatchTerminalTests {
    private let size = WatchSize(rows: 3, columns: 10)

    private func line(_ text: String, _ style: WatchLine.Style = .plain) -> WatchLine {
        WatchLine(text, style)
    }

    @Test("only lines that have changed are sent, and nothing where nothing has")
    func changes() {
        var canvas = WatchCanvas(isColoured: true)
        let first = [line("one"), line("two", .green)]
        #expect(
            canvas.update(to: first, size: size)
                == "\u{1b}[2J\u{1b}[1;1Hone\u{1b}[K\u{1b}[2;1H\u{1b}[32mtwo\u{1b}[0m\u{1b}[K")
        #expect(canvas.update(to: first, size: size) == "")
        #expect(
            canvas.update(to: [line("one"), line("2")], size: size) == "\u{1b}[2;1H2\u{1b}[K")
        #expect(canvas.update(to: [line("one")], size: size) == "\u{1b}[2;1H\u{1b}[K")
    }

    @Test("a line of full width is not cleared behind, which would take its last cell")
    func fullWidth() {
        var canvas = WatchCanvas(isColoured: true)
        #expect(
            canvas.update(to: [line("0123456789")], size: size) == "\u{1b}[2J\u{1b}[1;1H0123456789")
    }

    @Test("after a resize everything is sent again")
    func resize() {
        var canvas = WatchCanvas(isColoured: false)
        _ = canvas.update(to: [line("one", .red)], size: size)
        #expect(
            canvas.update(to: [line("one", .red)], size: WatchSize(rows: 1, columns: 9))
                == "\u{1b}[2J\u{1b}[1;1Hone\u{1b}[K")
    }

    @Test(
        "keys of several bytes, of every kind of terminal",
        arguments: [
            ("\u{1b}[A", [.up]), ("\u{1b}OB", [.down]), ("\u{1b}[H\u{1b}[4~", [.first, .last]),
            ("\t\u{1b}[Z", [.down, .up]), ("k\u{3}", [.character("k"), .interrupt]),
            ("\u{1b}[1;5C\u{1b}[20~q", [.character("q")]), ("\u{1b}q", [.character("q")]),
            ("\u{1b}", []), ("\u{1b}[", []), ("電q", [.character("q")]),
        ] as [(String, [WatchKey])])
    func keys(_ bytes: String, _ expected: [WatchKey]) {
        var reader = WatchKeyReader()
        #expect(reader.take(Array(bytes.utf8)) == expected)
    }

    @Test("a key whose bytes come one at a time is one key")
    func pieces() {
        var reader = WatchKeyReader()
        let keys = Array("\u{1b}[Aq\u{1b}OA".utf8).flatMap { reader.take([$0]) }
        #expect(keys == [.up, .character("q"), .up])
        #expect(reader.take([0x1b] + [UInt8](repeating: 0x5b, count: 1)) == [])
        #expect(reader.take([UInt8](repeating: 0x30, count: 40)) == [])
        #expect(reader.take(Array("k".utf8)) == [.character("k")])
    }

    @Test("heights are shares of the slowest answer")
    func sparkline() {
        let columns = [1, 2, 4, 8, nil].map { milliseconds -> Sparkline.Column in
            var column = Sparkline.Column()
            if let milliseconds { column.add(.milliseconds(milliseconds)) }
            return column
        }
        var lost = Sparkline.Column()
        lost.add(.milliseconds(1))
        lost.add(nil)
        #expect(
            String(Sparkline.line(columns + [lost], .ascii).map(\.glyph)) == "_.=# x")
        #expect(
            String(Sparkline.line(columns + [lost], .blocks).map(\.glyph)) == "▂▃▅█ x")
        #expect(Sparkline.line([lost], .ascii).map(\.failed) == [true])
    }
}
