import NetworkTypes

// The timeline in JSON, as `events.jsonl` and `labctl events --format json` have it: one flat
// object an event, which says in `event` what kind it is; times and durations in nanoseconds.
//
//     {"time":6211325740930,"stamp":"origin","event":"node","node":"master","state":"killed"}
//
// `uncertainty` is left out where it is zero; `frame` is in hexadecimal digits.

extension TimelineEvent.Kind {
    /// The kind's name: `event` in JSON.
    public enum Name: String, Codable, CaseIterable, Sendable {
        case addressAdded = "address-added"
        case addressRemoved = "address-removed"
        case link
        case routeAdded = "route-added"
        case routeRemoved = "route-removed"
        case neighbour
        case neighbourRemoved = "neighbour-removed"
        case advertisement
        case gratuitousARP = "gratuitous-arp"
        case arp
        case unsolicitedNA = "unsolicited-na"
        case packet, probe, control, fault, node, service, step, claim, violation, stall, lost
        case scenario
    }

    /// The kind without what it says.
    public var name: Name {
        switch self {
        case .addressAdded: .addressAdded
        case .addressRemoved: .addressRemoved
        case .link: .link
        case .routeAdded: .routeAdded
        case .routeRemoved: .routeRemoved
        case .neighbour: .neighbour
        case .neighbourRemoved: .neighbourRemoved
        case .advertisement: .advertisement
        case .gratuitousARP: .gratuitousARP
        case .arp: .arp
        case .unsolicitedNA: .unsolicitedNA
        case .packet: .packet
        case .probe: .probe
        case .control: .control
        case .fault: .fault
        case .node: .node
        case .service: .service
        case .step: .step
        case .claim: .claim
        case .violation: .violation
        case .stall: .stall
        case .lost: .lost
        case .scenario: .scenario
        }
    }
}

extension TimelineEvent: Decodable {
    private enum Key: String, CodingKey {
        case time, stamp, uncertainty, order, event, frame
        case node, interface, service, state, address, mac, verb, target, duration, length
        case isUp = "up"
        case hasCarrier = "carrier"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let name = try fields.decode(Kind.Name.self, forKey: .event)
        self.init(
            time: try fields.decode(MonotonicInstant.self, forKey: .time),
            stamp: try fields.decode(Stamp.self, forKey: .stamp),
            uncertainty: try fields.decodeIfPresent(Nanoseconds.self, forKey: .uncertainty)?
                .wrappedValue ?? .zero,
            kind: try Self.kind(name, fields, decoder),
            frame: try fields.decodeIfPresent(String.self, forKey: .frame).map {
                guard let bytes = Hexadecimal.bytes(of: $0) else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .frame, in: fields, debugDescription: "'\($0)' is no octets")
                }
                return bytes
            })
        order = try fields.decodeIfPresent(Int.self, forKey: .order) ?? 0
    }

    private static func kind(
        _ name: Kind.Name, _ fields: KeyedDecodingContainer<Key>, _ decoder: any Decoder
    ) throws -> Kind {
        func node() throws -> String { try fields.decode(String.self, forKey: .node) }
        func interface() throws -> String { try fields.decode(String.self, forKey: .interface) }
        func value<Value: Decodable>(_ key: Key) throws -> Value {
            try fields.decode(Value.self, forKey: key)
        }
        return switch name {
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
        case .routeAdded: .routeAdded(node: try node(), try Route(from: decoder))
        case .routeRemoved: .routeRemoved(node: try node(), try Route(from: decoder))
        case .neighbour: .neighbour(try Neighbour(from: decoder))
        case .neighbourRemoved:
            .neighbourRemoved(
                node: try node(), interface: try interface(), address: try value(.address))
        case .advertisement: .advertisement(try Advertisement(from: decoder))
        case .gratuitousARP:
            .gratuitousARP(
                node: try node(), interface: try interface(), address: try value(.address),
                mac: try value(.mac))
        case .arp: .arp(try ARP(from: decoder))
        case .unsolicitedNA:
            .unsolicitedNA(
                node: try node(), interface: try interface(), address: try value(.address),
                mac: try value(.mac))
        case .packet:
            .packet(node: try node(), interface: try interface(), lengthBytes: try value(.length))
        case .probe: .probe(try ProbeResult(from: decoder))
        case .control: .control(try value(.verb), try value(.target))
        case .fault: .fault(try Fault(from: decoder))
        case .node: .node(try node(), try value(.state))
        case .service:
            .service(
                node: try node(), service: try value(.service), try ServiceState(from: decoder))
        case .step: .step(try StepReport(from: decoder))
        case .claim: .claim(try Claim(from: decoder))
        case .violation: .violation(try Violation(from: decoder))
        case .stall: .stall(try fields.decode(Nanoseconds.self, forKey: .duration).wrappedValue)
        case .lost: .lost(try Loss(from: decoder))
        case .scenario: .scenario(try ScenarioEvent(from: decoder))
        }
    }
}

extension TimelineEvent.ServiceState: Decodable {
    private enum Name: String, Codable {
        case starting, running, ready, stopping, exited, failed
    }

    private enum Key: String, CodingKey { case state, pid, status, signal, error }

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

extension ProbeResult: Decodable {
    private enum Key: String, CodingKey { case probe, due, replied, status, body, error }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let outcome: Outcome
        if let reason = try fields.decodeIfPresent(String.self, forKey: .error) {
            outcome = .failed(reason)
        } else if fields.contains(.replied) {
            outcome = .replied
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
