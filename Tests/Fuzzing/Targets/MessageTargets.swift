import LabKit
import LabModel
import NetworkTypes
import NodeProtocol
import Spoofing
import Wire

import struct Foundation.Data
import class Foundation.JSONDecoder
import class Foundation.JSONEncoder

extension FuzzTarget {
    static let nodeMessages = FuzzTarget(
        "node-messages", "what supervisor, node-init and labctl say: an octet for what, the message"
    ) { bytes in
        guard let first = bytes.first else { return }
        let message = Array(bytes.dropFirst())
        let checks: [(_ bytes: [UInt8]) throws -> Void] = [
            { try checkMessage($0, NodeRequest.self) }, { try checkMessage($0, NodeReport.self) },
            { try checkMessage($0, ExecuteRequest.self) },
            { try checkMessage($0, ExecuteReport.self) },
            { try checkMessage($0, ExecuteInput.self) }, { try checkMessage($0, UnitRequest.self) },
            { try checkMessage($0, UnitReply.self) },
            { try checkMessage($0, NodeSpecification.self) },
        ]
        try checks[Int(first) % checks.count](message)
        if let line = StoredLine(message[...]) {
            let written = line.bytes.dropLast()
            // A line has no line feed in it, or it would be two.
            if !line.text.utf8.contains(0x0a) {
                try requireEqual(StoredLine(written), line, "a stored line there and back")
            }
        }
    }

    private static func checkMessage<Message: WireCodable & Equatable>(
        _ bytes: [UInt8], _ type: Message.Type
    ) throws {
        guard let message = try? Message(message: bytes) else { return }
        try requireEqual(
            try Message(message: message.message), message, "\(type) there and back")
    }

    static let controlMessages = FuzzTarget(
        "control-messages", "what labctl and a supervisor say to each other: JSON"
    ) { bytes in
        try checkJSON(bytes, ControlRequest.self)
        try checkJSON(bytes, ControlReply.self)
        try checkJSON(bytes, Lab.self)
    }

    /// What was decoded is encoded, and decoded it says the same.
    private static func checkJSON<Value: Codable>(_ bytes: [UInt8], _ type: Value.Type) throws {
        guard let value = try? JSONDecoder().decode(type, from: Data(bytes)) else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(value)
        let again = try encoder.encode(JSONDecoder().decode(type, from: data))
        try requireEqual(
            String(decoding: again, as: UTF8.self), String(decoding: data, as: UTF8.self),
            "\(type) there and back")
    }

    static let timeline = FuzzTarget("timeline", "a line of a timeline: JSON") { bytes in
        guard let event = try? JSONLineDecoder().decode(TimelineEvent.self, from: bytes) else {
            return
        }
        var line = JSONLine()
        line.append(event)
        try requireEqual(
            try JSONLineDecoder().decode(TimelineEvent.self, from: line.bytes), event,
            "an event there and back")
        try requireEqual(
            try JSONDecoder().decode(TimelineEvent.self, from: Data(line.bytes)), event,
            "an event as JSONDecoder reads it")
        _ = EventText(origin: MonotonicInstant(nanoseconds: 0)).line(for: event)
    }

    static let relayMessages = FuzzTarget(
        "relay-messages", "what a supervisor says to wire-relay and imposter: JSON"
    ) { bytes in
        if let value = try? JSONValue(parsing: bytes) {
            try requireEqual(
                try JSONValue(parsing: value.text), value, "a JSON value there and back")
        }
        if let request = try checkRelayed(bytes, WireRequest.self) {
            for link in request.set ?? [] where link.problems.isEmpty {
                pass(through: link)
            }
        }
        _ = try checkRelayed(bytes, WireReply.self)
        if let order = try checkRelayed(bytes, StationOrder.self) {
            var station = try? Station(order, begin: MonotonicInstant(nanoseconds: 0))
            for number in 0..<20 {
                _ = station?.next(at: MonotonicInstant(nanoseconds: Int64(number) * 1_000_000))
            }
            _ = station?.deadline
        }
    }

    private static func checkRelayed<Value: Codable & Equatable>(
        _ bytes: [UInt8], _ type: Value.Type
    ) throws -> Value? {
        guard let value = try? JSONValue.decode(type, from: bytes) else { return nil }
        try requireEqual(
            try JSONValue.decode(type, from: JSONValue.encode(value)), value,
            "\(type) there and back")
        return value
    }

    /// Frames by rules that have passed for right.
    private static func pass(through link: WireLink) {
        var lane = WireLane(link: link.name, direction: .inward, rules: link.inward)
        let frame = [UInt8](repeating: 0, count: 60)
        for number in 0..<20 {
            let now = MonotonicInstant(nanoseconds: Int64(number) * 1_000_000)
            let passage = lane.pass(
                frame.span, WireLane.Arrival(length: frame.count), at: now)
            for copy in passage.copies { if let ticket = copy.ticket { lane.depart(ticket) } }
        }
    }
}
