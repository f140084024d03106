public import NetworkTypes

/// Finds the states of virtual routers in what daemons print.
public enum ClaimParser {
    /// A state that was said.
    public struct Finding: Equatable, Sendable {
        /// The virtual router, as the daemon calls it.
        public var instance: String
        public var state: TimelineEvent.Claim.RouterState
        public var source: TimelineEvent.Claim.Source
        /// When it came into it, where the daemon says that on CLOCK_MONOTONIC.
        public var time: MonotonicInstant?

        public init(
            instance: String, state: TimelineEvent.Claim.RouterState,
            source: TimelineEvent.Claim.Source, time: MonotonicInstant? = nil
        ) {
            self.instance = instance
            self.state = state
            self.source = source
            self.time = time
        }
    }

    /// What a line of a daemon's log says about the state of one of its virtual routers; nil for
    /// every other line.
    ///
    /// - Parameter kind: whose log it is.
    public static func claim(
        in line: String, of kind: Service.Kind
    ) -> Finding? {
        switch kind {
        case .vrrpAgent: return line.hasPrefix("{") ? agent(line) : keepalived(line)
        case .keepalived: return keepalived(line)
        case .frr: return frr(line)
        case .http, .echo, .smtp, .command: return nil
        }
    }

    /// What a message of our agent to its service manager says about the state of one of its
    /// virtual routers: `X_VRRP=12000000345 MASTER VI_1`, with when it was so; nil for every other.
    public static func claim(inAssignment text: String) -> Finding? {
        guard text.hasPrefix("X_VRRP=") else { return nil }
        let words = text.dropFirst("X_VRRP=".count).split(
            separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, let nanoseconds = Int64(words[0]), !words[2].isEmpty else {
            return nil
        }
        let state: TimelineEvent.Claim.RouterState
        switch words[1] {
        case "STOP", "DELETED": state = .initialize
        case let word:
            guard let known = TimelineEvent.Claim.RouterState(rawValue: String(word)) else {
                return nil
            }
            state = known
        }
        return Finding(
            instance: String(words[2]), state: state, source: .message,
            time: MonotonicInstant(nanoseconds: nanoseconds))
    }

    /// `(VI_1) Entering MASTER STATE`, behind whatever stamp; our agent words it alike.
    private static func keepalived(
        _ line: String
    ) -> Finding? {
        let words: [(text: String, state: TimelineEvent.Claim.RouterState)] = [
            (") Entering MASTER STATE", .master), (") Entering BACKUP STATE", .backup),
            (") Entering FAULT STATE", .fault), (") entering FAULT state", .fault),
        ]
        for (text, state) in words {
            guard let end = line.firstRange(of: text)?.lowerBound,
                let start = line[..<end].lastIndex(of: "(")
            else { continue }
            let instance = line[line.index(after: start)..<end]
            if !instance.isEmpty {
                return Finding(instance: String(instance), state: state, source: .log)
            }
        }
        return nil
    }

    /// A line of our agent's `--log-format json`, which says when it was so:
    /// `{...,"monotonic":12.000000345,...,"instance":"VI_1","message":"Entering MASTER STATE"}`.
    private static func agent(_ line: String) -> Finding? {
        guard let instance = value(of: "instance", in: line),
            let message = value(of: "message", in: line),
            var finding = keepalived("(\(instance)) \(message)")
        else { return nil }
        finding.source = .message
        if let start = line.firstRange(of: #""monotonic":"#)?.upperBound {
            let number = line[start...].prefix { $0.isNumber || $0 == "." }.split(separator: ".")
            if number.count == 2, number[1].count == 9, let seconds = Int64(number[0]),
                let rest = Int64(number[1])
            {
                finding.time = MonotonicInstant(nanoseconds: seconds * 1_000_000_000 + rest)
            }
        }
        return finding
    }

    /// A text of a JSON line, of one that needs no escapes.
    private static func value(of key: String, in line: String) -> Substring? {
        guard let start = line.firstRange(of: "\"\(key)\":\"")?.upperBound else { return nil }
        let value = line[start...].prefix { $0 != "\"" }
        return value.contains("\\") || value.endIndex == line.endIndex ? nil : value
    }

    /// `[CORE] [VRID 51] [IPv4] Backup -> Master`: vrrpd has one router for each family.
    private static func frr(
        _ line: String
    ) -> Finding? {
        let states: [Substring: TimelineEvent.Claim.RouterState] = [
            "Initialize": .initialize, "Backup": .backup, "Master": .master,
        ]
        let words = line.split(separator: " ")
        guard let arrow = words.firstIndex(of: "->"), arrow >= 4, arrow + 1 < words.count,
            states[words[arrow - 1]] != nil, let state = states[words[arrow + 1]],
            words[arrow - 4] == "[VRID", words[arrow - 3].hasSuffix("]"),
            words[arrow - 2].hasPrefix("["), words[arrow - 2].hasSuffix("]")
        else { return nil }
        let vrid = words[arrow - 3].dropLast()
        let family = words[arrow - 2].dropFirst().dropLast()
        return Finding(instance: "VRID \(vrid) \(family)", state: state, source: .log)
    }
}

extension StringProtocol {
    /// Where a text occurs first.
    fileprivate func firstRange(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
