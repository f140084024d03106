import Glibc
import Testing

/// A file of Fixtures and what keepalived 2.2.7 did with it (see the README there).
struct RecordedCase: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    /// keepalived's exit status: 2 where it refused to run.
    var exitStatus: Int
    /// What it said of lines, by line.
    var lineMessages: [(line: Int, message: String)] = []
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
                section = String(parts[0])
                continue
            }
            let content = String(line.dropFirst(2))
            switch section {
            case "messages:": readMessage(content)
            case "instances:": instances.append(RecordedInstance(json: content))
            default: preconditionFailure("\(name).expected: '\(line)' stands in no section")
            }
        }
    }

    private mutating func readMessage(_ text: String) {
        let prefix = "(Line "
        guard text.hasPrefix(prefix), let end = text.firstIndex(of: ")"),
            let line = Int(text[text.index(text.startIndex, offsetBy: prefix.count)..<end])
        else {
            messages.append(text)
            return
        }
        lineMessages.append((line, String(text[end...].dropFirst(2))))
    }

    /// Reads a file beside this one.
    private static func read(_ name: String) -> String {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let path = "/\(folder)/Fixtures/\(name)"
        guard let file = fopen(path, "r") else { preconditionFailure("cannot read \(path)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
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
