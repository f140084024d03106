import NetworkTypes
import TestSupport
import Testing

@testable import KeepalivedConf

/// A file of Fixtures and what keepalived 2.2.7 did with it (see the README there).
struct RecordedCase: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    /// keepalived's exit status: 2 where it refused to run.
    var exitStatus: Int
    /// That of its `--config-test`, `none` where that did not end; nil: not recorded.
    var testExitStatus: String?
    /// What it said of lines of the file, by line.
    var lineMessages: [(line: Int, message: String)] {
        complaints.filter { $0.file == nil }.map { ($0.line, $0.message) }
    }
    /// What it said of lines, included files' too; `file` is nil for the file itself.
    var complaints: [(file: String?, line: Int, message: String)] = []
    /// What else it said.
    var messages: [String] = []
    /// Its instances, each a JSON object on one line.
    var instances: [RecordedInstance] = []

    var testDescription: String { name }

    /// Reads the case of that name.
    init(_ name: String) {
        self.name = name
        text = Self.read("\(name).conf")
        exitStatus = -1
        var section = ""
        for line in Self.read("\(name).expected").split(separator: "\n") {
            guard line.hasPrefix("  ") else {
                let parts = line.split(separator: " ")
                if parts[0] == "exit-status:" { exitStatus = Int(parts[1]) ?? -1 }
                if parts[0] == "test-exit-status:" { testExitStatus = String(parts[1]) }
                section = String(parts[0])
                continue
            }
            let content = String(line.dropFirst(2))
            switch section {
            case "messages:": readMessage(content)
            case "instances:": instances.append(RecordedInstance(json: content))
            // What it did with the machine; the tests that run the agent compare that.
            case "addresses:", "log:": break
            default: preconditionFailure("\(name).expected: '\(line)' stands in no section")
            }
        }
    }

    /// Reads `(Line N) MESSAGE` or `(FILE: Line N) MESSAGE`; anything else is about no line.
    private mutating func readMessage(_ text: String) {
        let parts = text.split(separator: "Line ", maxSplits: 1, omittingEmptySubsequences: false)
        guard text.hasPrefix("("), parts.count == 2, let end = parts[1].firstIndex(of: ")"),
            let line = Int(parts[1][..<end])
        else {
            messages.append(text)
            return
        }
        let file = parts[0].dropFirst().dropLast(2)
        complaints.append(
            (
                file.isEmpty ? nil : String(file), line,
                String(parts[1][end...].dropFirst(2))
            ))
    }

    /// The folder of the files.
    static let folder =
        "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Fixtures"

    /// The names of the cases with a number in that range, sorted.
    static func names(in numbers: Range<Int>) -> [String] {
        let all = ConfigurationFiles.onDisk(at: folder).names("") ?? []
        return all.filter { $0.hasSuffix(".conf") }.map { String($0.dropLast(5)) }.filter {
            $0.split(separator: "-").first.flatMap { Int($0) }.map(numbers.contains) ?? false
        }.sorted()
    }

    /// The context of the recording: its host is called `vm`, unless NAME.args says `-i ID`.
    var context: ConfigurationContext {
        let arguments = (fileContents("\(Self.folder)/\(name).args") ?? []).split(separator: 0x20)
            .map { trimmed(String(decoding: $0, as: UTF8.self)) }
        return ConfigurationContext(
            configID: arguments.count == 2 && arguments[0] == "-i" ? arguments[1] : "vm",
            workingDirectory: Self.folder,
            hasUser: { user, group in
                [user, group].allSatisfy { $0 != "nosuch" && $0.flatMap { Int($0) } == nil }
            }, hasHost: { !$0.hasSuffix(".invalid") }, processors: 2)
    }

    /// Its file as it is read on the machine of the recording.
    func parsed() -> ParsedConfiguration {
        var parsed = Configuration.parse(
            text, file: "\(name).conf", context: context, files: .onDisk(at: Self.folder))
        parsed.diagnostics += parsed.configuration.renameVirtualInterfaces {
            ["lo", "eth0", "eth1"].contains($0.text)
        }
        parsed.diagnostics += parsed.diagnosticsForMissingInterfaces {
            ["eth0", "eth1"].contains($0.text)
        }
        return parsed
    }

    /// Reads a file of the folder.
    private static func read(_ name: String) -> String {
        guard let bytes = fileContents("\(folder)/\(name)") else {
            preconditionFailure("cannot read \(folder)/\(name)")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// An instance in keepalived's dump, which writes each key once and no nested objects.
struct RecordedInstance: Sendable {
    var json: String

    /// The value of a key as it is written, a string without its quotes; nil when it is not there.
    func value(_ key: String) -> String? {
        guard let start = rest(after: key) else { return nil }
        if start.hasPrefix("\"") { return String(start.dropFirst().prefix { $0 != "\"" }) }
        return String(start.prefix { $0 != "," && $0 != "}" })
    }

    /// The strings of a list; empty when it is not there.
    func list(_ key: String) -> [String] {
        guard let start = rest(after: key) else { return [] }
        return start.dropFirst().prefix { $0 != "]" }.split(separator: "\"")
            .map(String.init).filter { $0 != ", " }
    }

    private func rest(after key: String) -> Substring? {
        let pattern = Array("\"\(key)\": ")
        var rest = Substring(json)
        while let quote = rest.firstIndex(of: "\"") {
            rest = rest[quote...]
            if rest.starts(with: pattern) { return rest.dropFirst(pattern.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}
