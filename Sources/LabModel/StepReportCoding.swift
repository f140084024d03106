import NetworkTypes

// Scenario steps in JSON, as part of the timeline.

extension StepReport: Decodable {
    private enum Name: String, Codable {
        case began, passed, failed, inconclusive
        case notRun = "not-run"
    }

    private enum Key: String, CodingKey { case scenario, index, summary, phase, message, result }

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

extension StepResult: Decodable {
    private enum Key: String, CodingKey { case cause, after, bound, outage, measured }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        self.init(
            cause: try fields.decodeIfPresent(String.self, forKey: .cause),
            after: try fields.decodeIfPresent(Nanoseconds.self, forKey: .after)?.wrappedValue,
            bound: try fields.decodeIfPresent(TimeBound.self, forKey: .bound),
            outage: try fields.decodeIfPresent(Outage.self, forKey: .outage),
            measured: try fields.decodeIfPresent(String.self, forKey: .measured))
    }
}
