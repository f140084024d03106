import Glibc
import LabModel
import NetworkTypes
import Testing

@testable import LabKit
@testable import LinuxSystem

@Suite("the timeline is kept and read in order, however events arrive")
struct TimelineRecorderTests {
    /// A timeline in a file of its own, which goes with it.
    private final class Recording {
        private let folder: TemporaryFolder
        let path: String
        let recorder: TimelineRecorder

        init() throws {
            folder = try TemporaryFolder()
            path = folder.path + "/events.jsonl"
            recorder = TimelineRecorder(loop: try EventLoop(), path: path)
            try #require(recorder.fileError == nil)
        }

        func record(_ node: String, at nanoseconds: Int64) {
            recorder.record(
                .node(node, .running), at: MonotonicInstant(nanoseconds: nanoseconds),
                stamp: .kernel)
        }

        /// The nodes of the events in the file, in its order, up to `end`.
        func written(to end: Int) throws -> [String?] {
            var nodes: [String?] = []
            var file = try TimelineFile(path)
            try file.read(to: end) { event, _ in nodes.append(event.kind.node) }
            return nodes
        }
    }

    @Test("a frame that is read late stands where it belongs, as long as it is not settled")
    func order() throws {
        let recording = try Recording()
        recording.record("b", at: 20)
        recording.record("d", at: 40)
        recording.record("a", at: 10)
        recording.record("c", at: 30)
        recording.recorder.flush(before: MonotonicInstant(nanoseconds: 25))
        let settled = recording.recorder.fileBytes
        #expect(try recording.written(to: settled) == ["a", "b"])
        #expect(recording.recorder.unwritten.map(\.kind.node) == ["c", "d"])
        // Too late for its place: it comes first of what is left, and nothing is rewritten.
        recording.record("e", at: 5)
        recording.recorder.flush()
        #expect(
            try recording.written(to: recording.recorder.fileBytes) == ["a", "b", "e", "c", "d"])
        #expect(recording.recorder.unwritten.isEmpty)
    }

    @Test("listeners hear events as they come, and the file's length as it grows")
    func listeners() throws {
        let recording = try Recording()
        var nodes: [String?] = []
        var lengths: [Int] = []
        let listener = recording.recorder.addListener { nodes.append($0.kind.node) }
        let growth = recording.recorder.addGrowthListener { lengths.append($0) }
        recording.record("b", at: 20)
        recording.record("a", at: 10)
        #expect(nodes == ["b", "a"] && lengths.isEmpty)
        recording.recorder.flush()
        recording.recorder.flush()
        #expect(lengths == [recording.recorder.fileBytes])
        recording.recorder.removeListener(listener)
        recording.recorder.removeListener(growth)
        recording.record("c", at: 30)
        recording.recorder.flush()
        #expect(nodes.count == 2 && lengths.count == 1)
    }

    @Test("a file is read on from where the last reading ended")
    func reading() throws {
        let recording = try Recording()
        var file = try TimelineFile(recording.path)
        var nodes: [String?] = []
        for number in 0..<3 {
            recording.record("n\(number)", at: Int64(number))
            recording.recorder.flush()
            try file.read(to: recording.recorder.fileBytes) { event, line in
                nodes.append(event.kind.node)
                #expect(line.first == UInt8(ascii: "{") && line.last == UInt8(ascii: "}"))
            }
        }
        #expect(nodes == ["n0", "n1", "n2"])
    }
}
