/// What somebody types into the machines of a lab and what they show, as a README has it: the
/// blocks between "```console" and "```".
///
/// A line `[root@NODE DIR]# COMMAND` is typed; DIR is `~` or a folder of the root. The lines up to
/// the next one are what is shown, where `...` stands for anything: in a line for any text, as a
/// line for any lines. `vim FILE` means that FILE is written: with what `cat FILE`, which must
/// follow, shows.
struct Transcript {
    /// One command.
    struct Entry: CustomStringConvertible {
        var node: String
        var folder: String
        var command: String
        /// What is shown, line by line.
        var output: [Substring]
        /// Its line in the file, from 1.
        var line: Int

        var description: String { "line \(line): [\(node)] \(command)" }

        /// The file that an editor is opened on.
        var editedFile: String? {
            command.hasPrefix("vim ") ? String(command.dropFirst(4)) : nil
        }

        /// Whether it only looks, so that it can be typed again until it shows what is expected: a
        /// reader waits for the election as well.
        var onlyLooks: Bool {
            !command.contains(">")
                && [
                    "ip", "curl", "ss", "cat", "ll", "ls", "journalctl", "systemctl status",
                    "systemctl is-active",
                ]
                .contains { command == $0 || command.hasPrefix($0 + " ") }
        }

        /// Whether that is what is expected.
        func isShown(by text: String) -> Bool {
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            if lines.last == "" { lines.removeLast() }
            return Self.matches(lines[...], output[...], isAny: { $0 == "..." }) { line, pattern in
                Self.matches(line, pattern)
            }
        }

        /// A line and a pattern with `...` in it.
        private static func matches(_ line: Substring, _ pattern: Substring) -> Bool {
            let parts = pattern.split(separator: "...", omittingEmptySubsequences: false)
            guard let first = parts.first, line.hasPrefix(first) else { return false }
            guard parts.count > 1 else { return line == pattern }
            var rest = line.dropFirst(first.count)
            for part in parts.dropFirst().dropLast() where !part.isEmpty {
                guard let found = rest.firstRange(of: part) else { return false }
                rest = rest[found.upperBound...]
            }
            return rest.hasSuffix(parts.last ?? "")
        }

        /// Elements and patterns, of which some stand for any number of elements.
        private static func matches<Element>(
            _ elements: ArraySlice<Element>, _ patterns: ArraySlice<Element>,
            isAny: (Element) -> Bool, _ areEqual: (Element, Element) -> Bool
        ) -> Bool {
            guard let pattern = patterns.first else { return elements.isEmpty }
            if isAny(pattern) {
                return (elements.startIndex...elements.endIndex).contains {
                    matches(elements[$0...], patterns.dropFirst(), isAny: isAny, areEqual)
                }
            }
            guard let element = elements.first, areEqual(element, pattern) else { return false }
            return matches(elements.dropFirst(), patterns.dropFirst(), isAny: isAny, areEqual)
        }
    }

    private(set) var entries: [Entry] = []

    /// The transcript in a README.
    init(_ readme: String) {
        var isInside = false
        for (index, line) in readme.split(
            separator: "\n", omittingEmptySubsequences: false
        ).enumerated() {
            if line.hasPrefix("```") {
                isInside = line == "```console"
            } else if isInside, let entry = Self.command(in: line, at: index + 1) {
                entries.append(entry)
            } else if isInside, !entries.isEmpty {
                entries[entries.count - 1].output.append(line)
            }
        }
    }

    private static func command(in line: Substring, at number: Int) -> Entry? {
        guard line.hasPrefix("[root@"), let end = line.firstRange(of: "]# ") else { return nil }
        let prompt = line[..<end.lowerBound].dropFirst("[root@".count).split(separator: " ")
        guard prompt.count == 2 else { return nil }
        return Entry(
            node: String(prompt[0]), folder: prompt[1] == "~" ? "/root" : "/\(prompt[1])",
            command: String(line[end.upperBound...]), output: [], line: number)
    }
}
