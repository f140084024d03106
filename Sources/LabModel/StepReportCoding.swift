import NetworkTypes

// Scenario steps in JSON, as part of the timeline.

extension StepReport: Codable {
    private enum Name: String, Codable {
        case began, passed, failed, inconclusive
        case notRun = "not-run"
    }

    private enum Key: String, CodingKey { case scenario, index, summary, phase, message, result }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(scenario, forKey: .scenario)
        try fields.encode(index, forKey: .index)
        try fields.encode(summary, forKey: .summary)
        switch phase {
        case .began: try fields.encode(Name.began, forKey: .phase)
        case .passed(let result):
            try fields.encode(Name.passed, forKey: .phase)
            try fields.encode(result, forKey: .result)
        case .failed(let message):
            try fields.encode(Name.failed, forKey: .phase)
            try fields.encode(message, forKey: .message)
        case .inconclusive(let message):
            try fields.encode(Name.inconclusive, forKey: .phase)
            try fields.encode(message, forKey: .message)
        case .notRun: try fields.encode(Name.notRun, forKey: .phase)
        }
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func message() throws -> String { try fields.decode(String.self, forKey: .message) }
        let phase: Phase =
            switch try fields.decode(Name.self, forKey: .phase) {
            case .began: .began
            case .passed: .passed(try fields.decode(StepResult.self, forKey: .result))
            case .failed: .failed(try message())
            case .inconclusive: .inconclusive(try message())
            case .notRun: .notRun
            }
        self.init(
            scenario: try fields.decode(String.self, forKey: .scenario),
            index: try fields.decode(Int.self, forKey: .index),
            summary: try fields.decode(String.self, forKey: .summary), phase: phase)
    }
}

extension StepResult: Codable {
    private enum Key: String, CodingKey { case cause, after, bound, outage }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encodeIfPresent(cause, forKey: .cause)
        try fields.encodeIfPresent(after.map(Nanoseconds.init(wrappedValue:)), forKey: .after)
        try fields.encodeIfPresent(bound, forKey: .bound)
        try fields.encodeIfPresent(outage, forKey: .outage)
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        self.init(
            cause: try fields.decodeIfPresent(String.self, forKey: .cause),
            after: try fields.decodeIfPresent(Nanoseconds.self, forKey: .after)?.wrappedValue,
            bound: try fields.decodeIfPresent(TimeBound.self, forKey: .bound),
            outage: try fields.decodeIfPresent(Outage.self, forKey: .outage))
    }
}
