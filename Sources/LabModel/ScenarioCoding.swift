import NetworkTypes

// What the run of a scenario adds to the timeline, in JSON: flat as every event is.
//
//     {"time":...,"event":"scenario","what":"done","action":"2","result":"exited","status":0}

extension ScenarioEvent: JSONWritable, Decodable {
    private enum Name: String, Codable { case begin, done, answered, inspected, line, timer }

    private enum Key: String, CodingKey { case what, scenario, action, request, target, text }

    public func write(to fields: inout some JSONFields) {
        func begin(_ name: Name) { fields.field("what", name) }
        switch self {
        case .begin(let scenario):
            begin(.begin)
            fields.field("scenario", scenario)
        case .done(let action, let result):
            begin(.done)
            fields.field("action", action)
            result.write(to: &fields)
        case .answered(let id, let result):
            begin(.answered)
            fields.field("request", id)
            result.write(to: &fields)
        case .inspected(let id, let result):
            begin(.inspected)
            fields.field("request", id)
            result.write(to: &fields)
        case .line(let target, let text):
            begin(.line)
            fields.field("target", target)
            fields.field("text", text)
        case .timer: begin(.timer)
        }
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func value<Value: Decodable>(_ key: Key) throws -> Value {
            try fields.decode(Value.self, forKey: key)
        }
        self =
            switch try fields.decode(Name.self, forKey: .what) {
            case .begin: .begin(try value(.scenario))
            case .done: .done(try value(.action), try ActionResult(from: decoder))
            case .answered:
                .answered(id: try value(.request), try ProbeResult(from: decoder))
            case .inspected:
                .inspected(id: try value(.request), try ActionResult(from: decoder))
            case .line: .line(try value(.target), try value(.text))
            case .timer: .timer
            }
    }
}

extension ActionResult: JSONWritable, Decodable {
    private enum Name: String, Codable { case done, exited, failed }

    private enum Key: String, CodingKey { case result, status, signal, output, error }

    public func write(to fields: inout some JSONFields) {
        switch self {
        case .done: fields.field("result", Name.done)
        case .exited(let reason, let output):
            fields.field("result", Name.exited)
            switch reason {
            case .status(let status): fields.field("status", status)
            case .signal(let signal): fields.field("signal", signal)
            }
            fields.field("output", output)
        case .failed(let reason):
            fields.field("result", Name.failed)
            fields.field("error", reason)
        }
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(Name.self, forKey: .result) {
        case .done: self = .done
        case .exited:
            let reason: TimelineEvent.ExitReason
            if let signal = try fields.decodeIfPresent(Int32.self, forKey: .signal) {
                reason = .signal(signal)
            } else {
                reason = .status(try fields.decode(Int32.self, forKey: .status))
            }
            self = .exited(reason, output: try fields.decode(String.self, forKey: .output))
        case .failed: self = .failed(try fields.decode(String.self, forKey: .error))
        }
    }
}

extension ScenarioEvent {
    /// What happened, in words.
    var words: String {
        switch self {
        case .begin(let scenario): "scenario \(scenario) begins"
        case .done(let action, .done): "action \(action) is done"
        case .done(let action, .exited(let reason, _)): "action \(action) ended with \(reason)"
        case .done(let action, .failed(let reason)): "action \(action) failed: \(reason)"
        case .answered(let id, let result): "request \(id): \(Words.outcome(result.outcome))"
        case .inspected(let id, .exited(let reason, _)): "command \(id): \(reason)"
        case .inspected(let id, .failed(let reason)): "command \(id): \(reason)"
        case .inspected(let id, .done): "command \(id) is done"
        case .line(let target, let text): "\(target.service ?? target.node): \(text)"
        case .timer: "a deadline of the scenario"
        }
    }
}
