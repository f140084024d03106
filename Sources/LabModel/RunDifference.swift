import NetworkTypes

/// Two runs of a scenario laid side by side at the first thing that was done in each:
/// `labctl diff`.
///
/// What happened before that is compared without its times: how long a lab took to come up is no
/// difference.
public struct RunDifference: Equatable, Sendable {
    /// How far times may be apart that are taken for the same.
    public static let defaultTolerance = Duration.milliseconds(100)

    /// Something that happened in one run or in both.
    public struct Row: Equatable, Sendable {
        /// What, in words.
        public var text: String
        /// When in the one run and in the other, since the first thing done; nil for never.
        public var left: Duration?
        public var right: Duration?
        /// Whether the two runs differ in it.
        public var isDifference: Bool

        /// The earlier of the two times.
        public var time: Duration { min(left ?? right ?? .zero, right ?? left ?? .zero) }
    }

    /// Everything that happened in either, in order.
    public private(set) var rows: [Row] = []

    /// Where the runs first differ; nil where they never do.
    public var first: Row? { rows.first(where: \.isDifference) }

    /// - Parameters:
    ///   - left: the one run, with its timeline in order.
    ///   - right: the other.
    ///   - tolerance: how far times may be apart.
    public init(
        _ left: (record: RunRecord, events: [TimelineEvent]),
        _ right: (record: RunRecord, events: [TimelineEvent]),
        tolerance: Duration = defaultTolerance
    ) {
        let sides = [left, right].map { Self.places($0.record, $0.events) }
        for (key, time) in sides[0] {
            let other = sides[1][key]
            rows.append(Self.row(key, time, other, tolerance))
        }
        for (key, time) in sides[1] where sides[0][key] == nil {
            rows.append(Self.row(key, nil, time, tolerance))
        }
        rows.sort { ($0.time, $0.text) < ($1.time, $1.text) }
    }

    /// What happened, and the how manieth time.
    private struct Key: Hashable {
        var text: String
        var occurrence: Int
    }

    private static func places(
        _ record: RunRecord, _ events: [TimelineEvent]
    ) -> [Key: Duration] {
        let run = RunLandmarks(record, events: events)
        var counts: [String: Int] = [:]
        var places: [Key: Duration] = [:]
        for landmark in run.landmarks {
            counts[landmark.text, default: 0] += 1
            let key = Key(text: landmark.text, occurrence: counts[landmark.text] ?? 1)
            places[key] = landmark.time - run.origin
        }
        return places
    }

    private static func row(
        _ key: Key, _ left: Duration?, _ right: Duration?, _ tolerance: Duration
    ) -> Row {
        var isDifference = true
        if let left, let right {
            let isBefore = left < .zero && right < .zero
            isDifference = !isBefore && (max(left, right) - min(left, right)) > tolerance
        }
        let text = key.text + (key.occurrence > 1 ? " (\(key.occurrence))" : "")
        return Row(text: text, left: left, right: right, isDifference: isDifference)
    }
}

extension RunDifference.Row: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("what", text)
        if let left { fields.field("left", left) }
        if let right { fields.field("right", right) }
        fields.field("differs", isDifference)
    }
}
