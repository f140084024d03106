import LabModel
import LinuxSystem
import NetworkTypes
import Testing

@testable import LabKit

@Suite("Recorded runs")
final class RunArchiveTests {
    private let folder: String
    private let archive: RunArchive

    init() throws {
        folder = "/tmp/labctl-archive-\(UInt64.random(in: 0...UInt64.max))"
        archive = RunArchive(folder: folder + "/runs")
        try FileSystem.makeFolders(folder + "/output/master")
        try FileSystem.write(Array("httpd: ready\n".utf8), to: folder + "/output/master/httpd")
        try FileSystem.write(
            Array(#"{"event":"stall","duration":5,"stamp":"origin","time":17}"#.utf8)
                + [UInt8(ascii: "\n")], to: folder + "/events.jsonl")
    }

    deinit { try? FileSystem.removeTree(folder) }

    private func record(_ scenario: String = "failover", second: Int = 5) -> RunRecord {
        RunRecord(
            lab: Lab(name: "two-node"), scenario: scenario, virtualRouters: [],
            began: MonotonicInstant(nanoseconds: 17), date: "2026-01-02T03:04:0\(second)Z",
            duration: .seconds(1), verdict: .failed(step: 2, message: "no"), machine: "Linux")
    }

    private func save(_ record: RunRecord) throws -> RecordedRun {
        try archive.save(record, outputPath: folder + "/output") { path throws(LabError) in
            do {
                try FileSystem.copy(self.folder + "/events.jsonl", to: path)
            } catch {
                throw .machine("\(error)")
            }
        }
    }

    @Test("a run is a folder with the record, the timeline and the output, read back as it was")
    func roundTrip() throws {
        let run = try save(record())
        #expect(run.name == "two-node/20260102T030405Z-failover")
        #expect(try run.record() == record())
        #expect(try run.events().map(\.kind) == [.stall(.nanoseconds(5))])
        #expect(try FileSystem.readText(run.path + "/output/master/httpd") == "httpd: ready\n")
    }

    @Test("two runs within one second both stay")
    func sameSecond() throws {
        let names = [try save(record()).name, try save(record()).name]
        #expect(names[1] == names[0] + "-2")
    }

    @Test("a run is found by folder, by LAB/NAME, as a lab's latest, as the latest of all")
    func references() throws {
        let first = try save(record(second: 1))
        let last = try save(record("nopreempt", second: 9))
        for reference in [first.path, first.name] {
            #expect(try archive.run(reference).path == first.path)
        }
        for reference in ["two-node", "latest"] {
            #expect(try archive.run(reference).path == last.path)
        }
        #expect(throws: LabError.self) { try archive.run("two-node/nothing") }
        #expect(archive.runs().map(\.name) == [first.name, last.name])
    }

    @Test("a run that cannot be recorded leaves nothing")
    func failure() throws {
        #expect(throws: LabError.self) {
            try archive.save(record(), outputPath: folder + "/output") { _ throws(LabError) in
                throw .machine("the disk is full")
            }
        }
        #expect(try FileSystem.list(archive.folder + "/two-node").isEmpty)
    }

    @Test("a broken timeline is told with its line")
    func brokenTimeline() throws {
        let run = try save(record())
        try FileSystem.write(Array("{}\n".utf8), to: run.path + "/events.jsonl")
        do {
            _ = try run.events()
            Issue.record("it was read")
        } catch {
            #expect("\(error)".contains("events.jsonl:1: "))
        }
    }
}
