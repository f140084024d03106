import NetworkTypes

// The timeline in JSON, as `events.jsonl` and `labctl events --format json` have it: one flat
// object an event, which says in `event` what kind it is; times and durations in nanoseconds.
//
//     {"time":6211325740930,"stamp":"origin","event":"node","node":"master","state":"killed"}

extension TimelineEvent: Codable {
    private enum Name: String, Codable {
        case addressAdded = "address-added"
        case addressRemoved = "address-removed"
        case link, advertisement
        case gratuitousARP = "gratuitous-arp"
        case probe, control, node, service, step, stall
    }

    private enum Key: String, CodingKey {
        case time, stamp, event
        case node, interface, service, state, address, mac, verb, target, duration
        case isUp = "up"
        case hasCarrier = "carrier"
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(time, forKey: .time)
        try fields.encode(stamp, forKey: .stamp)
        func begin(_ name: Name, node: String? = nil, interface: String? = nil) throws {
            try fields.encode(name, forKey: .event)
            try fields.encodeIfPresent(node, forKey: .node)
            try fields.encodeIfPresent(interface, forKey: .interface)
        }
        switch kind {
        case .addressAdded(let node, let interface, let address):
            try begin(.addressAdded, node: node, interface: interface)
            try fields.encode(address, forKey: .address)
        case .addressRemoved(let node, let interface, let address):
            try begin(.addressRemoved, node: node, interface: interface)
            try fields.encode(address, forKey: .address)
        case .link(let node, let interface, let isUp, let hasCarrier):
            try begin(.link, node: node, interface: interface)
            try fields.encode(isUp, forKey: .isUp)
            try fields.encode(hasCarrier, forKey: .hasCarrier)
        case .advertisement(let seen):
            try begin(.advertisement)
            try seen.encode(to: encoder)
        case .gratuitousARP(let node, let interface, let address, let mac):
            try begin(.gratuitousARP, node: node, interface: interface)
            try fields.encode(address, forKey: .address)
            try fields.encode(mac, forKey: .mac)
        case .probe(let result):
            try begin(.probe)
            try result.encode(to: encoder)
        case .control(let verb, let target):
            try begin(.control)
            try fields.encode(verb, forKey: .verb)
            try fields.encode(target, forKey: .target)
        case .node(let node, let state):
            try begin(.node, node: node)
            try fields.encode(state, forKey: .state)
        case .service(let node, let service, let state):
            try begin(.service, node: node)
            try fields.encode(service, forKey: .service)
            try state.encode(to: encoder)
        case .step(let report):
            try begin(.step)
            try report.encode(to: encoder)
        case .stall(let duration):
            try begin(.stall)
            try fields.encode(Nanoseconds(wrappedValue: duration), forKey: .duration)
        }
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func node() throws -> String { try fields.decode(String.self, forKey: .node) }
        func interface() throws -> String { try fields.decode(String.self, forKey: .interface) }
        func value<Value: Decodable>(_ key: Key) throws -> Value {
            try fields.decode(Value.self, forKey: key)
        }
        let kind: Kind =
            switch try fields.decode(Name.self, forKey: .event) {
            case .addressAdded:
                .addressAdded(
                    node: try node(), interface: try interface(), address: try value(.address))
            case .addressRemoved:
                .addressRemoved(
                    node: try node(), interface: try interface(), address: try value(.address))
            case .link:
                .link(
                    node: try node(), interface: try interface(), isUp: try value(.isUp),
                    hasCarrier: try value(.hasCarrier))
            case .advertisement: .advertisement(try Advertisement(from: decoder))
            case .gratuitousARP:
                .gratuitousARP(
                    node: try node(), interface: try interface(), address: try value(.address),
                    mac: try value(.mac))
            case .probe: .probe(try ProbeResult(from: decoder))
            case .control: .control(try value(.verb), try value(.target))
            case .node: .node(try node(), try value(.state))
            case .service:
                .service(
                    node: try node(), service: try value(.service),
                    try ServiceState(from: decoder))
            case .step: .step(try StepReport(from: decoder))
            case .stall:
                .stall(try fields.decode(Nanoseconds.self, forKey: .duration).wrappedValue)
            }
        self.init(
            time: try fields.decode(MonotonicInstant.self, forKey: .time),
            stamp: try fields.decode(Stamp.self, forKey: .stamp), kind: kind)
    }
}

extension TimelineEvent.ServiceState: Codable {
    private enum Name: String, Codable {
        case starting, running, ready, stopping, exited, failed
    }

    private enum Key: String, CodingKey { case state, pid, status, signal, error }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch self {
        case .starting: try fields.encode(Name.starting, forKey: .state)
        case .running(let pid):
            try fields.encode(Name.running, forKey: .state)
            try fields.encode(pid, forKey: .pid)
        case .ready: try fields.encode(Name.ready, forKey: .state)
        case .stopping: try fields.encode(Name.stopping, forKey: .state)
        case .exited(.status(let status)):
            try fields.encode(Name.exited, forKey: .state)
            try fields.encode(status, forKey: .status)
        case .exited(.signal(let signal)):
            try fields.encode(Name.exited, forKey: .state)
            try fields.encode(signal, forKey: .signal)
        case .failed(let reason):
            try fields.encode(Name.failed, forKey: .state)
            try fields.encode(reason, forKey: .error)
        }
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(Name.self, forKey: .state) {
        case .starting: self = .starting
        case .running: self = .running(pid: try fields.decode(Int32.self, forKey: .pid))
        case .ready: self = .ready
        case .stopping: self = .stopping
        case .exited:
            if let signal = try fields.decodeIfPresent(Int32.self, forKey: .signal) {
                self = .exited(.signal(signal))
            } else {
                self = .exited(.status(try fields.decode(Int32.self, forKey: .status)))
            }
        case .failed: self = .failed(try fields.decode(String.self, forKey: .error))
        }
    }
}

extension ProbeResult: Codable {
    private enum Key: String, CodingKey { case probe, due, status, body, error }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encodeIfPresent(probe, forKey: .probe)
        try fields.encode(due, forKey: .due)
        switch outcome {
        case .answered(let status, let body):
            try fields.encode(status, forKey: .status)
            try fields.encode(body, forKey: .body)
        case .failed(let reason): try fields.encode(reason, forKey: .error)
        }
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let outcome: Outcome
        if let reason = try fields.decodeIfPresent(String.self, forKey: .error) {
            outcome = .failed(reason)
        } else {
            outcome = .answered(
                status: try fields.decode(Int.self, forKey: .status),
                body: try fields.decode(String.self, forKey: .body))
        }
        self.init(
            probe: try fields.decodeIfPresent(String.self, forKey: .probe),
            due: try fields.decode(MonotonicInstant.self, forKey: .due), outcome: outcome)
    }
}

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
