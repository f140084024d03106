import Glibc
import LinuxSystem
import Testing

/// Every file that was given to keepalived 2.2.7, given to `vrrp-agent` in the same machine.
@Suite(
    "Files given to keepalived 2.2.7, run by vrrp-agent",
    .enabled(if: geteuid() == 0, "needs root"))
struct ConfCaseTests {
    private static func runs() throws -> [RecordedRun] { try RecordedRun.all.get() }

    /// Reports what differs in every case that `exceptions` does not name, and an exception that is
    /// none any more.
    private func expectNone(
        _ exceptions: [Int: String], _ difference: (RecordedRun) throws -> [String]
    ) throws {
        for run in try Self.runs() {
            let found = try difference(run)
            if let reason = exceptions[run.number] {
                #expect(!found.isEmpty, "\(run.name) differs no more: \(reason)")
            } else {
                #expect(found.isEmpty, "\(run.name): \(found.joined(separator: "\n"))")
            }
        }
    }

    @Test("all of them are there")
    func count() throws { #expect(try Self.runs().count >= 203) }

    @Test("the same decision to run or to refuse")
    func status() throws {
        try expectNone([:]) { run in
            run.agent.status == run.keepalived.status
                ? [] : ["exit status \(run.agent.status), not \(run.keepalived.status)"]
        }
    }

    @Test("the same instances after 5.2 s, in the same state")
    func instances() throws {
        try expectNone(Self.otherInstances) { run in
            let (ours, theirs) = (run.instances, run.keepalived.instances)
            guard run.agent.status == run.keepalived.status else { return [] }
            guard ours.map(\.iname) == theirs.map(\.iname) else {
                return ["\(ours.map(\.iname)), not \(theirs.map(\.iname))"]
            }
            return zip(ours, theirs).flatMap { ours, theirs in
                zip(ours.parts, theirs.parts).filter { $0.value != $1.value }.map {
                    "\(ours.iname): \($0.key) is \($0.value), not \($1.value)"
                }
            }
        }
    }

    @Test("the same addresses on the same interfaces after 5.2 s")
    func addresses() throws {
        try expectNone([:]) { run in
            guard let theirs = run.keepalived.interfaces, !theirs.isEmpty,
                run.agent.status == run.keepalived.status
            else { return [] }
            let (ours, wanted) = (
                run.agent.interfaces.compactMap(Self.addresses),
                theirs.compactMap(Self.addresses)
            )
            return ours.filter { !wanted.contains($0) }.map { "has \($0)" }
                + wanted.filter { !ours.contains($0) }.map { "lacks \($0)" }
        }
    }

    /// A line of `ip -br address` with its addresses sorted: which of several masters' timers was
    /// first is chance. Nil for the far ends, whose link-local addresses are.
    private static func addresses(_ line: String) -> String? {
        guard !line.hasPrefix("peer"), !line.hasPrefix("lo ") else { return nil }
        let words = line.split(separator: " ").map(String.init)
        return (words.prefix(2) + words.dropFirst(2).sorted()).joined(separator: " ")
    }

    @Test("each instance goes through the same states, as the log tells them")
    func states() throws {
        try expectNone(Self.otherStates) { run in
            guard run.agent.status == run.keepalived.status else { return [] }
            let ours = Self.story(run.agent.log)
            let theirs = Self.story(run.keepalived.log)
            return Set(ours.keys).union(theirs.keys).sorted().compactMap { name in
                let (mine, wanted) = (ours[name] ?? [], theirs[name] ?? [])
                return mine == wanted ? nil : "(\(name)) \(mine), not \(wanted)"
            }
        }
    }

    /// What a log says of each instance's states, in order.
    private static func story(_ log: [String]) -> [String: [String]] {
        let words = [
            "Entering ", "entering FAULT", "setting VIPs", "sent 0 priority",
            "Receive advertisement timeout",
        ]
        var story: [String: [String]] = [:]
        var priorities: [String: Substring] = [:]
        for line in log where line.hasPrefix("(") {
            guard let end = line.firstIndex(of: ")") else { continue }
            let name = String(line[line.index(after: line.startIndex)..<end])
            let said = line[line.index(after: end)...].drop { $0 == ":" || $0 == " " }
            // keepalived tells of interfaces in the order of its list.
            if said.hasPrefix("entering FAULT state (interface ") { continue }
            // Which of several scripts answers first is chance; what comes of all of them is not.
            if said.hasPrefix("Changing effective priority") {
                priorities[name] = said.split(separator: " ").last
            }
            if words.contains(where: said.hasPrefix) { story[name, default: []].append("\(said)") }
        }
        for (name, priority) in priorities { story[name, default: []].append("to \(priority)") }
        return story
    }

    @Test("the log complains of each line that keepalived complained of")
    func complaints() throws {
        try expectNone(Self.otherComplaints) { run in
            let lines = run.keepalived.messages.compactMap(Self.line)
            let log = run.agent.log.joined(separator: "\n")
            return lines.filter { !log.contains("Line \($0))") }.map { "nothing on line \($0)" }
        }
    }

    @Test("-t complains of each line that keepalived -t complained of")
    func testComplaints() throws {
        try expectNone(Self.otherComplaints) { run in
            let lines = run.keepalived.messages.compactMap(Self.line)
            return lines.filter { !run.agent.testOutput.contains(":\($0):") }.map {
                "nothing on line \($0)"
            }
        }
    }

    /// The line that a message is about; nil for one about none.
    private static func line(_ message: String) -> Int? {
        guard message.hasPrefix("("), let place = message.split(separator: ")").first else {
            return nil
        }
        let words = place.split(separator: " ")
        guard words.count >= 2, words[words.count - 2].hasSuffix("Line") else { return nil }
        return Int(words[words.count - 1])
    }

    @Test("-t exits as keepalived -t does")
    func testStatus() throws {
        try expectNone(Self.otherTestStatus) { run in
            guard let theirs = run.keepalived.testStatus, run.agent.testStatus != theirs else {
                return []
            }
            return ["\(run.agent.testStatus), not \(theirs)"]
        }
    }
}

/// Where ours differs, by the number of the case, and why.
extension ConfCaseTests {
    fileprivate static let otherInstances: [Int: String] = [
        9: "an escaped comment character is that character, not the end of the password",
        244: "an IPv6 rule is set, and not lost",
    ]
    fileprivate static let otherStates: [Int: String] = [
        202:
            "an owner without `state MASTER` is master at once, not BACKUP before (RFC 9568 §6.4.1)"
    ]
    fileprivate static let otherComplaints: [Int: String] = [
        60: "the rest of a cut line is on the line that was cut",
        119: "an included folder is passed over, as is a program",
        180: "as 60",
    ]
    fileprivate static let otherTestStatus: [Int: String] = [
        84: "keepalived ends itself",
        124: "the include after a condition is understood",
        227: "keepalived does not end",
        268: "the keyword of a later version is known",
    ]
}
