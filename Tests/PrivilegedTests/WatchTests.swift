import Glibc
import LinuxSystem
import Testing

@Suite(
    "watch: a lab on the whole terminal", .serialized, .enabled(if: buildsLabs, "needs root"))
struct WatchTests {
    private let lab: LabUnderTest
    private static let enter = "\u{1b}[?1049h"
    private static let leave = "\u{1b}[?25h\u{1b}[?1049l"

    init() throws {
        lab = try LabUnderTest(
            "wt-watch",
            """
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes:
              box: { interfaces: { eth0: { network: lan } } }
              other: { interfaces: { eth0: { network: lan } } }
            """)
        try lab.up()
    }

    private func session() throws -> TerminalSession {
        let session = try TerminalSession(["watch", lab.name], rows: 12, columns: 80)
        // What it looks like is drawn at once, from the lab's whole timeline.
        try session.read(until: " > box    running")
        return session
    }

    @Test("keys kill and start the selected node; q leaves the terminal as it was")
    func keys() throws {
        let session = try session()
        #expect(!session.isCooked)
        try session.type("\u{1b}[Bk")
        try session.read(until: "kill other: done")
        try session.read(until: " > other  killed")
        try session.type("s")
        try session.read(until: "start other: done")
        try session.type("c")
        try session.read(until: "in force: link other:eth0 down")
        try session.type("h")
        try session.read(until: "heal other:eth0: done")
        session.forget()
        try session.resize(rows: 8, columns: 40)
        let small = try session.read(until: "\u{1b}[8;1H")
        #expect(small.contains("\u{1b}[2J"), "after a resize all is drawn again")
        try session.type("q")
        let (status, text) = try session.end()
        #expect(status == 0)
        #expect(text.hasSuffix(Self.leave))
        #expect(session.isCooked)
    }

    @Test("a signal ends it with the terminal as it was, and its own exit status")
    func signals() throws {
        for number in [SIGTERM, SIGINT, SIGHUP] {
            let session = try session()
            session.signal(number)
            let (status, text) = try session.end()
            #expect(status == 128 + number)
            #expect(text.contains(Self.enter) && text.hasSuffix(Self.leave))
            #expect(session.isCooked)
        }
    }

    @Test("when the lab is taken down it says so and ends")
    func labEnds() throws {
        let session = try session()
        try lab.down()
        let (status, text) = try session.end()
        #expect(status == 0)
        #expect(text.hasSuffix("\(Self.leave)lab \(lab.name) was taken down meanwhile\r\n"))
        #expect(session.isCooked)
    }

    @Test("without a terminal it says what to use instead")
    func noTerminal() throws {
        let run = try Labctl.run("watch", lab.name)
        #expect(run.status == 2)
        #expect(run.errors.contains("watch needs a terminal"))
        #expect(run.output.isEmpty)
    }
}
