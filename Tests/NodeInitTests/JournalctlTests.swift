import NodeProtocol
import Testing

@testable import NodeInit

@Suite("journalctl's arguments, and moments")
struct JournalctlTests {
    @Test("joined letters, the last of which has the rest for its value")
    func joined() throws {
        let read = try JournalctlArguments(["-fn1", "-ukeepalived"])
        #expect(read.units == ["keepalived"])
        #expect(read.follows)
        #expect(read.lineCount == 1)
        #expect(try JournalctlArguments(["-rn", "5", "-qS-1h"]).lineCount == 5)
        #expect(try JournalctlArguments(["-en", "-uhttpd"]).lineCount == 10)
        #expect(throws: UsageError(message: "Failed to parse lines 'f'")) {
            try JournalctlArguments(["-nf"])
        }
    }

    @Test("newest first, and only of a time")
    func selection() throws {
        let read = try JournalctlArguments(["-r", "--since=02:30", "-U", "-10min"])
        #expect(read.isReversed)
        #expect(read.since == .daysAgo(0, time: [2, 30, 0]))
        #expect(read.until == .ago(nanoseconds: 600_000_000_000))
        let minute: Int64 = 60_000_000_000
        let clock = Terminal().console.clock
        #expect(!read.covers(Terminal.now - 31 * minute, clock))
        #expect(read.covers(Terminal.now - 30 * minute, clock))
        #expect(!read.covers(Terminal.now - 10 * minute, clock))
        #expect(try JournalctlArguments(["-f", "--since", "today"]).lineCount == nil)
        #expect(throws: UsageError.self) { try JournalctlArguments(["-fr"]) }
        #expect(throws: UsageError(message: "Failed to parse timestamp: some day")) {
            try JournalctlArguments(["--since", "some day"])
        }
    }

    @Test(
        "moments, as systemd.time(7) has them",
        arguments: [
            ("now", .ago(nanoseconds: 0)), ("-90", .ago(nanoseconds: 90_000_000_000)),
            ("-1h30min", .ago(nanoseconds: 5_400_000_000_000)),
            ("1 hour 30 min ago", .ago(nanoseconds: 5_400_000_000_000)),
            ("500ms ago", .ago(nanoseconds: 500_000_000)),
            ("today", .daysAgo(0, time: [0, 0, 0])),
            ("yesterday", .daysAgo(1, time: [0, 0, 0])),
            ("10:30:05", .daysAgo(0, time: [10, 30, 5])),
            ("2026-11-22", .date([2026, 11, 22, 0, 0, 0])),
            ("2026-11-22 10:30", .date([2026, 11, 22, 10, 30, 0])), ("", nil), ("-", nil),
            ("-5 apples", nil), ("24:00", nil), ("2026-13-01", nil), ("5min", nil),
            ("-99999999999w", nil),
        ] as [(String, JournalMoment?)])
    func moment(text: String, moment: JournalMoment?) {
        #expect(JournalMoment(text) == moment)
    }

    @Test("a date is compared by the machine's calendar, which begins a day at midnight")
    func dates() {
        let clock = Terminal().console.clock
        #expect(JournalMoment.date([2026, 11, 22, 2, 59, 55]).isReached(by: Terminal.now, clock))
        #expect(!JournalMoment.date([2026, 11, 22, 3, 0, 1]).isReached(by: Terminal.now, clock))
        #expect(JournalMoment.daysAgo(0, time: [0, 0, 0]).isReached(by: 0, clock))
    }
}
