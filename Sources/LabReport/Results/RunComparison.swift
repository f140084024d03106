import LabModel
import NetworkTypes

/// The same scenario run on two sides, with two daemons or at two commits: every figure side by
/// side, and which differences matter.
public struct RunComparison: Equatable, Encodable, Sendable {
    /// A figure of the one side and of the other.
    public struct Row: Equatable, Encodable, Sendable {
        /// Of which scenario: `two-node / failover`.
        public var title: String
        public var name: String
        /// The figures of all runs of a side, in words; empty where it has none.
        public var left: String
        public var right: String
        /// By how much the median of the right side is more, in words; empty where that is nothing.
        public var difference: String
        /// Whether it is more than runs of the same differ by.
        public var matters: Bool
    }

    public private(set) var rows: [Row] = []
    /// Scenarios that only one side has run.
    public private(set) var unmatched: [String] = []

    /// - Parameters:
    ///   - left: the runs of the one side.
    ///   - right: those of the other.
    public init(_ left: [RunFacts], _ right: [RunFacts]) {
        let titles = (left + right).map(\.title).reduce(into: [String]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        for title in titles {
            let sides = [left, right].map { $0.filter { $0.title == title } }
            guard !sides[0].isEmpty, !sides[1].isEmpty else {
                unmatched.append(title)
                continue
            }
            let names = sides.joined().flatMap { $0.facts.map(\.name) }
                .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            for name in names {
                let samples = sides.map { runs in
                    Samples(runs.flatMap(\.facts).filter { $0.name == name }.map(\.value))
                }
                rows.append(
                    Row(
                        title: title, name: name, left: samples[0].text, right: samples[1].text,
                        difference: samples[0].difference(to: samples[1]),
                        matters: samples[0].differs(from: samples[1])))
            }
        }
    }
}

/// One figure in all runs of a side.
private struct Samples {
    private var durations: [Duration] = []
    private var counts: [Int] = []
    private var texts: [String] = []

    /// Less than that is nobody's doing.
    private static let leastDuration = Duration.milliseconds(5)

    init(_ values: [RunFacts.Value]) {
        for value in values {
            switch value {
            case .duration(let duration): durations.append(duration)
            case .count(let count): counts.append(count)
            case .text(let text): texts.append(text)
            }
        }
        durations.sort()
        counts.sort()
    }

    private var isEmpty: Bool { durations.isEmpty && counts.isEmpty && texts.isEmpty }

    private static func middle<Value>(_ sorted: [Value]) -> Value? {
        sorted.isEmpty ? nil : sorted[(sorted.count - 1) / 2]
    }

    /// The median, with least and greatest where they differ from it.
    var text: String {
        if let median = Self.middle(durations), let least = durations.first,
            let most = durations.last
        {
            return median.text + (least == most ? "" : " (\(least.text) to \(most.text))")
        }
        if let median = Self.middle(counts), let least = counts.first, let most = counts.last {
            return "\(median)" + (least == most ? "" : " (\(least) to \(most))")
        }
        return Set(texts).sorted().map { text in
            let count = texts.count { $0 == text }
            return count == texts.count ? text : "\(count) \(text)"
        }.joined(separator: ", ")
    }

    func difference(to other: Samples) -> String {
        if let mine = Self.middle(durations), let theirs = Self.middle(other.durations) {
            let more = theirs - mine
            return more == .zero ? "" : (more > .zero ? "+" : "") + more.text
        }
        if let mine = Self.middle(counts), let theirs = Self.middle(other.counts) {
            return mine == theirs ? "" : (theirs > mine ? "+" : "") + "\(theirs - mine)"
        }
        return ""
    }

    /// Whether the two are apart: no run of the one within the range of the other, and by a tenth
    /// of the greater (a fifth and more than one, of counts), or something where there was nothing.
    func differs(from other: Samples) -> Bool {
        if isEmpty || other.isEmpty { return isEmpty != other.isEmpty }
        if let least = durations.first, let most = durations.last,
            let otherLeast = other.durations.first, let otherMost = other.durations.last
        {
            let gap = max(otherLeast - most, least - otherMost)
            return gap > max(Self.leastDuration, max(most, otherMost) / 10)
        }
        if let least = counts.first, let most = counts.last, let otherLeast = other.counts.first,
            let otherMost = other.counts.last
        {
            let gap = max(otherLeast - most, least - otherMost)
            if (most == 0) != (otherMost == 0), gap > 0 { return true }
            return gap > max(1, max(most, otherMost) / 5)
        }
        return Set(texts) != Set(other.texts)
    }
}
