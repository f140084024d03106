import LabModel
import NetworkTypes
import Testing

@testable import LabReport

@Suite("A run in small")
struct RunPictureTests {
    @Test("a row a node and a probe: who had the address, what was lost, what was done")
    func picture() {
        let lines = RunPicture(Fixture.record(), events: Fixture.events, columns: 56).lines
        #expect(
            lines == [
                "        0 s        2 s        4 s        6 s        8 s",
                "master  BBBBBBBBBBBBBBBBBBBB=======x",
                "backup  BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB=",
                "client",
                "web                                x",
                "                                   ^ kill master, 5 s",
            ])
    }

    @Test("a frozen node stands still, whatever it has; a frozen service is not its node")
    func frozen() {
        let events =
            Array(Fixture.events.prefix(8)) + [
                Fixture.event(4500, .control(.freeze, Target(node: "master"))),
                Fixture.event(
                    5000, .control(.freeze, Target(node: "backup", service: "keepalived"))),
                Fixture.event(7000, .control(.thaw, Target(node: "master"))),
                Fixture.event(8610, Fixture.held("backup", true)),
            ]
        let lines = RunPicture(Fixture.record(), events: events, columns: 56).lines
        #expect(lines[1] == "master  BBBBBBBBBBBBBBBBBBBB=====x#############x========")
        #expect(lines[2].contains("BxB") && !lines[2].contains("#"), "\(lines[2])")
    }

    @Test("each piece is painted by what it is")
    func painted() {
        let lines = RunPicture(
            Fixture.record(), events: Fixture.events, columns: 56,
            paint: { tone, text in tone == .master ? "<\(text)>" : text }
        ).lines
        #expect(lines[1].contains("<=======>"))
        #expect(lines[2].hasSuffix("B<=>"))
    }

    @Test("what came before the scenario began is not drawn")
    func beginning() {
        var record = Fixture.record()
        record.began = Fixture.at(4_000)
        let lines = RunPicture(record, events: Fixture.events, columns: 56).lines
        #expect(lines[1] == "master  ==========x")
    }

    @Test("a real run: the address moves, the probe loses, nothing is drawn of bringing it up")
    func real() throws {
        let run = try RecordedRun()
        let lines = RunPicture(run.record, events: run.events, columns: 60).lines
        #expect(lines.count == 9)
        let held = lines[2].split(separator: "=", omittingEmptySubsequences: false).count - 1
        #expect(lines[2].hasPrefix("slave   BBBB") && (26...32).contains(held), "\(lines[2])")
        #expect(lines[4].hasPrefix("web     xxxx") && lines[4].hasSuffix("........"))
        #expect(lines[5].contains("^ stop master/keepalived, 3."))
    }

    @Test("an empty timeline has a picture, too")
    func empty() {
        #expect(RunPicture(Fixture.record(), events: []).lines.count == 5)
    }
}
