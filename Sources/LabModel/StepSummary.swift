import NetworkTypes

extension Step {
    /// The step in words: `kill master`, `expect VIP 10.10.10.10 on backup`.
    public var summary: String {
        switch action {
        case .control(let verb, let target): "\(verb.rawValue) \(target)"
        case .execute(let node, let command, _): "exec \(node): \(command.joined(separator: " "))"
        case .wait(let duration): "wait \(duration.text)"
        case .expect(let expectation): "expect \(expectation.summary)"
        }
    }
}

extension Expectation {
    /// What is expected, in words: `VIP 10.10.10.10 on backup for 10 s`.
    public var summary: String {
        var text = condition.summary
        if let within { text += " within \(within.text)" }
        if let holding { text += " for \(holding.text)" }
        return text
    }
}

extension Expectation.Condition {
    /// The condition in words, without its times.
    var summary: String {
        switch self {
        case .address(let address, let nodes): "VIP \(address) on \(Words.nodes(nodes))"
        case .http(let url, let node, nil): "an answer of \(url) to \(node)"
        case .http(let url, let node, let body?): "'\(body)' from \(url) to \(node)"
        case .outage(let probe, let limit): "outage of \(probe) of at most \(limit.text)"
        }
    }
}

/// Phrases that messages have in common.
enum Words {
    /// `no node`, `a`, `a and b`, `a, b and c`.
    static func nodes(_ nodes: [String]) -> String {
        guard let last = nodes.last else { return "no node" }
        let others = nodes.dropLast().joined(separator: ", ")
        return others.isEmpty ? last : "\(others) and \(last)"
    }

    /// A moment as seen from a cause: `613 ms after kill master`.
    static func moment(_ time: MonotonicInstant, from cause: Act) -> String {
        let distance = time - cause.time
        return distance < .zero
            ? "\((.zero - distance).text) before \(cause.summary)"
            : "\(distance.text) after \(cause.summary)"
    }

    /// How many requests were lost: `1 request lost`, `61 requests lost`.
    static func lost(_ count: Int) -> String {
        "\(count) request\(count == 1 ? "" : "s") lost"
    }

    /// What became of a request.
    static func outcome(_ outcome: ProbeResult.Outcome) -> String {
        switch outcome {
        case .answered(200, let body): "the answer '\(ExpectedBody.text(of: body))'"
        case .answered(let status, _): "status \(status)"
        case .failed(let reason): reason
        }
    }
}

/// How bodies are compared.
enum ExpectedBody {
    /// A body less one trailing newline, be it LF or CRLF.
    static func text(of body: String) -> String {
        // By bytes: for Swift, CRLF is one character.
        var bytes = Array(body.utf8)
        if bytes.last == UInt8(ascii: "\n") {
            bytes.removeLast()
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether an outcome is the answer an expectation asks for: status 200 and, if given, exactly
    /// that body.
    static func isMet(by outcome: ProbeResult.Outcome, body: String?) -> Bool {
        guard case .answered(200, let answer) = outcome else { return false }
        guard let body else { return true }
        // Byte for byte: for Swift, canonically equivalent texts are equal.
        return text(of: answer).utf8.elementsEqual(body.utf8)
    }
}
