import NetworkTypes

extension Step {
    /// The step in words: `kill master`, `expect VIP 10.10.10.10 on backup`.
    public var summary: String {
        switch action {
        case .expect(let expectation): "expect \(expectation.summary)"
        case .control, .fault, .execute, .edit, .parallel, .wait:
            deed + (lasting.map { " for \($0.text)" } ?? "") + (trigger.map { " at \($0)" } ?? "")
        }
    }

    /// The same without the event it waits for: what has been done is called so.
    var deed: String {
        switch action {
        case .control(let verb, let target):
            "\(verb.rawValue) \(target)" + (clock.map { " clock \($0)" } ?? "")
        case .fault(let fault): fault.description
        case .execute(let node, let command, _, _):
            "exec \(node): \(command.joined(separator: " "))"
        case .edit(let files):
            "edit " + files.map { "\($0.node):\($0.file.path)" }.joined(separator: ", ")
        case .parallel(let parts): parts.map(\.summary).joined(separator: " & ")
        case .wait(let duration): "wait \(duration.text)"
        case .expect: summary
        }
    }
}

extension Expectation {
    /// What is expected, in words: `VIP 10.10.10.10 on backup for 10 s`.
    public var summary: String {
        var text = condition.summary
        if let within {
            if case .sequence = condition {
                text += ", each within \(within.text) of the one before"
            } else {
                text += " within \(within.text)"
            }
        }
        if let holding { text += " for \(holding.text)" }
        if let settling { text += " settled for \(settling.text)" }
        return text
    }
}

extension Expectation.Condition {
    /// The condition in words, without its times.
    var summary: String {
        switch self {
        case .address(let address, let nodes): "VIP \(address) on \(Words.nodes(nodes))"
        case .addressOnOne(let address, let nodes):
            "VIP \(address) on one of \(Words.nodes(nodes))"
        case .state(let state, let router, let nodes):
            "\(router.map { "\($0) " } ?? "")\(state.rawValue) on \(Words.nodes(nodes))"
        case .answer(let request, let node, .ok): "an answer of \(request) to \(node)"
        case .answer(let request, let node, .body(let body)): "'\(body)' from \(request) to \(node)"
        case .answer(let request, let node, .status(let status)):
            "status \(status) from \(request) to \(node)"
        case .answer(let request, let node, .refused): "\(request) refused to \(node)"
        case .answer(let request, let node, .timedOut): "no answer of \(request) to \(node)"
        case .answer(let request, let node, .unreachable): "\(request) unreachable from \(node)"
        case .log(let target, let match): "a line \(match) of \(target)"
        case .mail(let target, let pattern): "\(pattern) at \(target)"
        case .sequence(let patterns):
            "the sequence " + patterns.map(\.description).joined(separator: ", ")
        case .outage(let probe, let least, let most):
            "outage of \(probe) of "
                + (least.map { "\($0.text) to " } ?? "at most ") + most.text
        case .latency(let probe, let limits):
            "answers to \(probe) within "
                + limits.map { "\($0.word) \($0.atMost.text)" }.joined(separator: ", ")
        case .neighbour(let address, let client, let node):
            "neighbour \(address) of \(client) at \(node)"
        case .adverts(let pattern, let range): "\(range) of \(pattern.words)"
        case .inspect(let node, let arguments, let path, let text):
            "'\(text)' at \(path) of ip \(arguments.joined(separator: " ")) on \(node)"
        }
    }
}

extension AdvertPattern {
    /// `advertisements of master with priority 0`.
    fileprivate var words: String {
        "advertisements" + (node.map { " of \($0)" } ?? "")
            + (priority.map { " with priority \($0)" } ?? "")
    }
}

extension Check {
    /// What must hold, in words: `at most one owner of 10.10.10.10`.
    public var summary: String {
        switch rule {
        case .oneOwner(let address, _): "at most one owner of \(address)"
        case .owned(let address, let gap): "an owner of \(address), but for \(gap.text)"
        case .advertised(let router, let gap):
            "an advertisement\(router.map { " of \($0)" } ?? "") every \(gap.text)"
        case .deadAreSilent: "no frame of a dead node"
        case .priority(let node, let range):
            "priority\(node.map { " of \($0)" } ?? "") from \(range.lowerBound) to "
                + "\(range.upperBound)"
        case .noDuplicateAddress: "no duplicate address"
        case .survives(let probe): "\(probe) survives"
        case .ownersAgree: "owners that hear each other agree"
        case .ableTakeOver: "an able router takes over"
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

    /// The last line of what a command printed, as it follows a message: `: no such file`.
    static func lastLine(of output: String) -> String {
        output.split(whereSeparator: \.isNewline).last.map { ": \($0)" } ?? ""
    }

    /// What became of a request.
    static func outcome(_ outcome: ProbeResult.Outcome) -> String {
        switch outcome {
        case .replied: "an answer"
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
}
