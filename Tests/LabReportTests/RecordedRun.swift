import Foundation
import LabModel

/// A run of Labs/httpd-ha as `labctl test` recorded it.
struct RecordedRun {
    let record: RunRecord
    let events: [TimelineEvent]

    init() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Recorded/httpd-ha")
        let decoder = JSONDecoder()
        record = try decoder.decode(
            RunRecord.self, from: Data(contentsOf: folder.appendingPathComponent("run.json")))
        let lines = try Data(contentsOf: folder.appendingPathComponent("events.jsonl"))
            .split(separator: UInt8(ascii: "\n"))
        events = try lines.map { try decoder.decode(TimelineEvent.self, from: $0) }
    }
}
