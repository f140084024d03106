import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

/// Whether the real daemons are installed.
let hasFRR = FileSystem.exists("/usr/lib/frr/vrrpd")

/// How far a frame's stamp can be off, see InteropTimingTests.
private let clockUncertainty = Duration.microseconds(500)

/// What a loaded machine may take to let a daemon run when its timer has fired. Pairs by the dozen
/// are struck at once here, on few processors.
private let schedulingMargin = Duration.milliseconds(500)

/// The pairs of daemons for each form of VRRP, and the lives of all of them.
private enum Interop {
    static let cells: [InteropCell] = {
        let ours: [(InteropDaemon, InteropDaemon)] = [
            (.ours, .keepalived), (.keepalived, .ours), (.ours, .ours),
        ]
        let withFRR: [(InteropDaemon, InteropDaemon)] =
            hasFRR ? [(.ours, .frr), (.frr, .ours)] : []
        var cells: [InteropCell] = []
        for form in InteropForm.allCases {
            let pairs =
                switch form {
                // Version 2 with a password is Labs/two-node, in InteropTimingTests.
                case .version2: withFRR
                case .version3, .version3IPv6, .everyTenMilliseconds, .noPreempt: ours + withFRR
                case .authenticationHeader, .unicast, .unicastIPv6, .syncGroup, .virtualMAC,
                    .virtualMACIPv6:
                    ours
                }
            for (master, backup) in pairs {
                cells.append(
                    InteropCell(
                        form: form, master: master, backup: backup, number: cells.count + 1))
            }
        }
        return cells
    }()

    /// Every 10 ms a takeover is a matter of 31 ms, which nobody gets while dozens of nodes start.
    private static let fastRun = Result {
        try InteropRun.record(
            "interop-fast", cells.filter { $0.form == .everyTenMilliseconds })
    }
    private static let otherRun = Result {
        try InteropRun.record("interop-run", cells.filter { $0.form != .everyTenMilliseconds })
    }

    static func run(of cell: InteropCell) throws -> InteropRun {
        try (cell.form == .everyTenMilliseconds ? fastRun : otherRun).get()
    }
}

@Suite(
    "Two routers of different makes, in every form of VRRP",
    .enabled(if: buildsLabs, "needs root"),
    .enabled(if: hasKeepalived && hasTcpdump, "needs keepalived and tcpdump"))
struct InteropRunTests {
    /// A change of masters: the old one's last advertisement and the new one's first.
    private struct Handover {
        var last: InteropRun.Advertisement
        var first: InteropRun.Advertisement
        var between: Duration { first.time - last.time }
    }

    /// The handover from a node that was struck at a time.
    private static func handover(
        _ run: InteropRun, _ cell: InteropCell, _ family: IPAddress.Family, from node: String,
        at time: MonotonicInstant
    ) throws -> Handover {
        let seen = run.advertisements(of: cell, family)
        let first = try #require(
            seen.first { $0.time > time && $0.node == cell.other(node) && $0.priority > 0 })
        let last = try #require(seen.last { $0.time < first.time && $0.node == node })
        return Handover(last: last, first: first)
    }

    /// Whether the handover must not be early. Of a sync group, the first that times out takes the
    /// others along; the other daemons, kept off the CPU, look at their timers before they read
    /// what has arrived; and two that were masters at once, as a stalled machine can make them,
    /// hand nothing over.
    private static func isExact(
        _ run: InteropRun, _ cell: InteropCell, _ family: IPAddress.Family, to node: String,
        at time: MonotonicInstant
    ) -> Bool {
        cell.form != .syncGroup && cell.daemon(of: node) == .ours
            && !run.advertisements(of: cell, family).contains {
                $0.node == node && time - cell.form.interval * 3 < $0.time && $0.time < time
            }
    }

    /// The advertisements of the other while a node was master, without excuse: none where the
    /// master itself was kept from advertising for as long as the other waits.
    private static func interruptions(
        _ run: InteropRun, _ cell: InteropCell, _ family: IPAddress.Family, of master: String,
        from start: MonotonicInstant, to end: MonotonicInstant
    ) -> [InteropRun.Advertisement] {
        let seen = run.advertisements(of: cell, family).filter { start < $0.time && $0.time < end }
        let times = [start] + seen.filter { $0.node == master }.map(\.time) + [end]
        let silence = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .zero
        let patience = cell.masterDownInterval(of: cell.other(master))
        return silence >= patience ? [] : seen.filter { $0.node != master }
    }

    // RFC-CHECKLIST: 42, 51
    @Test(
        "a backup takes over three intervals and its skew after the last word (§6.1)",
        arguments: Interop.cells)
    func powerCut(_ cell: InteropCell) throws {
        let run = try Interop.run(of: cell)
        let cut = try #require(run.time(of: .kill, cell.masterNode))
        for family in cell.form.families {
            let change = try Self.handover(run, cell, family, from: cell.masterNode, at: cut)
            #expect(change.last.priority == InteropCell.masterPriority)
            #expect(change.first.priority == InteropCell.backupPriority)
            let bound = cell.masterDownInterval(of: cell.backupNode)
            print("\(cell.testDescription): + \((change.between - bound).milliseconds) ms")
            if Self.isExact(run, cell, family, to: cell.backupNode, at: cut) {
                // What the master says between the cut and its end is captured at its port, and
                // heard by nobody.
                let heard = try #require(
                    run.advertisements(of: cell, family).last {
                        $0.node == cell.masterNode && $0.time < cut
                    })
                #expect(change.first.time - heard.time >= bound - clockUncertainty)
            }
            // FRR says no word when it is ready: on a loaded machine the cut can come before that,
            // and it waits anew. That it takes over has been awaited.
            if cell.backup != .frr { #expect(change.between <= bound + schedulingMargin) }
        }
    }

    // RFC-CHECKLIST: 52, 59
    @Test(
        "one that is stopped says priority 0, and the other waits for its skew only (§6.4.2)",
        arguments: Interop.cells)
    func resignation(_ cell: InteropCell) throws {
        let run = try Interop.run(of: cell)
        let old = InteropRun.holderAfterReturn(cell)
        let stop = try #require(run.time(of: .stop, "\(old)/vrrp"))
        for family in cell.form.families {
            let change = try Self.handover(run, cell, family, from: old, at: stop)
            #expect(change.last.priority == 0)
            let bound = cell.skewTime(of: cell.other(old))
            print("\(cell.testDescription): + \((change.between - bound).milliseconds) ms")
            if Self.isExact(run, cell, family, to: cell.other(old), at: stop) {
                #expect(change.between >= bound - clockUncertainty)
            }
            #expect(change.between <= bound + schedulingMargin)
        }
    }

    // RFC-CHECKLIST: 54, 62
    @Test(
        "a better one that comes back takes over, and the other falls silent (§6.4.3)",
        arguments: Interop.cells.filter { $0.form.preempts })
    func preemption(_ cell: InteropCell) throws {
        let run = try Interop.run(of: cell)
        let start = try #require(run.time(of: .start, cell.masterNode))
        let stop = try #require(run.time(of: .stop, "\(cell.masterNode)/vrrp"))
        for family in cell.form.families {
            let seen = run.advertisements(of: cell, family)
            let first = try #require(seen.first { $0.time > start && $0.node == cell.masterNode })
            #expect(first.time - start >= cell.masterDownInterval(of: cell.masterNode))
            let others = Self.interruptions(
                run, cell, family, of: cell.masterNode, from: first.time + schedulingMargin,
                to: stop)
            #expect(others.isEmpty)
        }
    }

    // RFC-CHECKLIST: 43, 53
    @Test(
        "with nopreempt one that comes back waits, and says nothing",
        arguments: Interop.cells.filter { !$0.form.preempts })
    func noPreemption(_ cell: InteropCell) throws {
        let run = try Interop.run(of: cell)
        let start = try #require(run.time(of: .start, cell.masterNode))
        let stop = try #require(run.time(of: .stop, "\(cell.backupNode)/vrrp"))
        // Long enough for it to have taken over more than once: others come back in that time.
        #expect(stop - start > cell.masterDownInterval(of: cell.masterNode) * 3)
        let others = Self.interruptions(
            run, cell, .v4, of: cell.backupNode, from: start, to: stop)
        #expect(others.isEmpty)
    }

    @Test(
        "a backup that hears its master says nothing", arguments: Interop.cells)
    func silence(_ cell: InteropCell) throws {
        let run = try Interop.run(of: cell)
        let cut = try #require(run.time(of: .kill, cell.masterNode))
        for family in cell.form.families {
            let first = try #require(
                run.advertisements(of: cell, family).first { $0.node == cell.masterNode })
            let others = Self.interruptions(
                run, cell, family, of: cell.masterNode, from: first.time + schedulingMargin,
                to: cut)
            #expect(others.isEmpty)
        }
    }

    @Test(
        "no address is on two nodes for longer than the lesser needs to hear the better",
        arguments: Interop.cells)
    func oneHolder(_ cell: InteropCell) throws {
        let run = try Interop.run(of: cell)
        var ownership = Ownership()
        for event in run.events { ownership.fold(event) }
        let start = run.elected
        for address in cell.virtualAddresses {
            let spans = ownership.spans(of: address)
            #expect(spans.contains { $0.node == cell.backupNode && $0.since > start })
            for (index, span) in spans.enumerated() {
                let last = run.events[run.events.count - 1].time
                for other in spans[(index + 1)...]
                where other.node != span.node && other.since > start {
                    let end = min(span.until ?? last, other.until ?? last)
                    #expect(
                        end - other.since <= schedulingMargin,
                        "\(address) on both: \(span) and \(other)")
                }
            }
        }
    }

    @Test(
        "neither finds fault with what the other sends",
        arguments: Interop.cells.filter { $0.master != .frr && $0.backup != .frr })
    func noComplaints(_ cell: InteropCell) throws {
        let run = try Interop.run(of: cell)
        let complaints = [
            "invalid", "Invalid", "expect", "mismatch", "not present", "too short", "too long",
            "wrong", "unknown", "Unknown",
        ]
        for node in [cell.masterNode, cell.backupNode] {
            let lines = try #require(run.logs[node])
            #expect(lines.contains { $0.contains("Entering MASTER STATE") })
            #expect(lines.filter { line in complaints.contains { line.contains($0) } } == [])
        }
    }

    // RFC-CHECKLIST: 22, 56, 57, 65
    @Test(
        "frames come from the virtual MAC, and it is what a client knows (§7.3)",
        arguments: Interop.cells.filter { $0.form.isVirtualMAC })
    func virtualMAC(_ cell: InteropCell) throws {
        let run = try Interop.run(of: cell)
        let family = try #require(cell.form.families.first)
        let mac = "00:00:5e:00:0\(family == .v4 ? 1 : 2):33"
        let neighbours = try #require(run.neighbours[cell.clientNode])
        // With the first master, and unchanged with the second.
        #expect(neighbours.count == 2)
        #expect(neighbours.allSatisfy { $0.contains("lladdr \(mac) ") }, "\(neighbours)")
        let adverts = try #require(run.captures[cell.clientNode]).split(separator: "\n").filter {
            $0.contains("VRRPv3, Advertisement")
        }
        for priority in [InteropCell.masterPriority, InteropCell.backupPriority] {
            let ones = adverts.filter { $0.contains("prio \(priority),") }
            #expect(!ones.isEmpty)
            #expect(ones.allSatisfy { $0.contains(" \(mac) > ") }, "\(ones.prefix(3))")
        }
    }
}
