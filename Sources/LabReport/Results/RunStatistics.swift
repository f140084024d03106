import LabModel
import NetworkTypes

/// What repetitions of a scenario measured: every reaction, every outage and the parts of the last
/// failover, with their least, median, 99th percentile and greatest value.
public struct RunStatistics: Equatable, Sendable {
    /// One for each step that measured something in at least one run, and then for each duration of
    /// the whole run, in the order of labs, scenarios and steps.
    public private(set) var measures: [Measure] = []

    /// What one step measured in all runs.
    public struct Measure: Encodable, Equatable, Sendable {
        public var lab: String
        public var scenario: String
        /// The step's place in the scenario, from 1; nil for what is of the whole run.
        public var step: Int?
        /// The step in words, or what was measured.
        public var summary: String
        /// The figure of theory, where the bound has one.
        public var theoretical: Duration?
        /// What was measured, from least to greatest, in nanoseconds.
        public var samples: [Int64]

        /// The least.
        public var minimum: Duration { .nanoseconds(samples.first ?? 0) }
        /// The one in the middle, or half-way between the two there.
        public var median: Duration {
            let middle = samples.count / 2
            if samples.isEmpty { return .zero }
            if samples.count % 2 == 1 { return .nanoseconds(samples[middle]) }
            return .nanoseconds((samples[middle - 1] + samples[middle]) / 2)
        }
        /// The least value that 99 in 100 do not exceed (nearest rank).
        public var p99: Duration {
            guard !samples.isEmpty else { return .zero }
            let rank = LatencyHistogram.rank(ofPercentile: 99, count: samples.count)
            return .nanoseconds(samples[rank - 1])
        }
        /// The greatest.
        public var maximum: Duration { .nanoseconds(samples.last ?? 0) }

        private enum Key: String, CodingKey {
            case lab, scenario, step, summary, theoretical, minimum, median, p99, maximum, samples
        }

        /// Durations are whole nanoseconds, as in the timeline.
        public func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: Key.self)
            try fields.encode(lab, forKey: .lab)
            try fields.encode(scenario, forKey: .scenario)
            try fields.encodeIfPresent(step, forKey: .step)
            try fields.encode(summary, forKey: .summary)
            try fields.encodeIfPresent(theoretical?.wholeNanoseconds, forKey: .theoretical)
            try fields.encode(minimum.wholeNanoseconds, forKey: .minimum)
            try fields.encode(median.wholeNanoseconds, forKey: .median)
            try fields.encode(p99.wholeNanoseconds, forKey: .p99)
            try fields.encode(maximum.wholeNanoseconds, forKey: .maximum)
            try fields.encode(samples, forKey: .samples)
        }
    }

    /// The statistics of those runs.
    public init(_ results: [TestResult]) {
        for result in results {
            for step in result.steps {
                guard case .passed(let measured) = step.phase, let value = measured.measurement
                else { continue }
                add(
                    value, result, step.index, step.summary,
                    theoretical: measured.bound?.theoretical)
            }
            for figure in result.figures {
                guard case .duration(let value) = figure.value else { continue }
                add(value, result, nil, figure.name, theoretical: figure.theory)
            }
        }
        for index in measures.indices { measures[index].samples.sort() }
        let order = results.map { "\($0.lab)/\($0.scenario)" }
        let places = measures.enumerated().map { index, measure in
            (
                order.firstIndex(of: "\(measure.lab)/\(measure.scenario)") ?? 0,
                measure.step ?? .max, index
            )
        }
        measures = places.sorted { $0 < $1 }.map { measures[$0.2] }
    }

    private mutating func add(
        _ value: Duration, _ result: TestResult, _ step: Int?, _ summary: String,
        theoretical: Duration?
    ) {
        let sample = value.wholeNanoseconds
        let known = measures.firstIndex {
            $0.lab == result.lab && $0.scenario == result.scenario && $0.step == step
                && (step != nil || $0.summary == summary)
        }
        if let known {
            measures[known].samples.append(sample)
        } else {
            measures.append(
                Measure(
                    lab: result.lab, scenario: result.scenario, step: step, summary: summary,
                    theoretical: theoretical, samples: [sample]))
        }
    }

    /// Rows for a table, the header first.
    public var rows: [[String]] {
        let header = ["SCENARIO", "STEP", "RUNS", "THEORY", "MIN", "MEDIAN", "P99", "MAX"]
        return [header]
            + measures.map { measure in
                [
                    "\(measure.lab) / \(measure.scenario)",
                    (measure.step.map { "\($0). " } ?? "") + measure.summary,
                    "\(measure.samples.count)", measure.theoretical?.text ?? "-",
                    measure.minimum.text, measure.median.text, measure.p99.text,
                    measure.maximum.text,
                ]
            }
    }
}

extension StepResult {
    /// What the step measured: an outage's length, or the time from its cause; nil where nothing
    /// was timed. No outage is an outage of nothing.
    var measurement: Duration? {
        if let outage { return outage.duration(now: outage.end ?? outage.begin) }
        if let after { return after }
        return bound == nil && cause != nil ? .zero : nil
    }
}
