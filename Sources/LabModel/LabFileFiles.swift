// Files of nodes and of scenarios.
extension LabFileDecoder {
    /// What a node shares with the host read-only, or has from the kernel: nothing can be laid
    /// there.
    private static let closedFolders = [
        "/proc", "/sys", "/dev", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
        "/boot",
    ]

    /// A `files` section: absolute paths in the node and what is there.
    mutating func files(_ entry: YAMLEntry, of place: String) -> [NodeFile] {
        var files: [NodeFile] = []
        var marks: [String: YAMLMark] = [:]
        for entry in namedEntries(entry, what: "files of \(place)") ?? [] {
            let isPath = checkPath(entry)
            guard let file = file(entry, of: place), isPath else { continue }
            files.append(file)
            marks[file.path] = entry.keyMark
        }
        for file in files {
            let folder = files.first { file.path.hasPrefix($0.path + "/") }
            if let folder, let mark = marks[file.path] {
                diagnostics.error(
                    "'\(file.path)' lies in '\(folder.path)', which is a file as well", at: mark)
            }
        }
        return files
    }

    private mutating func checkPath(_ entry: YAMLEntry) -> Bool {
        let path = entry.key
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard path.hasPrefix("/"), !parts.isEmpty,
            parts.allSatisfy({ !["", ".", ".."].contains($0) }), !path.utf8.contains(0)
        else {
            diagnostics.error(
                "'\(path)' must be a whole path in the node, as '/etc/motd' is, without '..'",
                at: entry.keyMark)
            return false
        }
        if let closed = Self.closedFolders.first(where: { path == $0 || path.hasPrefix($0 + "/") })
        {
            diagnostics.error(
                "'\(path)' cannot be laid into a node; its \(closed) is the host's, read-only",
                at: entry.keyMark)
            return false
        }
        return true
    }

    /// One file: the path of its source, or a mapping.
    private mutating func file(_ entry: YAMLEntry, of node: String) -> NodeFile? {
        if case .scalar = entry.value.content {
            guard let source = text(entry, of: "files of \(node)"),
                let (path, contents) = contents(of: source)
            else { return nil }
            return NodeFile(path: entry.key, contents: contents, source: path)
        }
        let place = "file \(entry.key)"
        guard let fields = fields(entry.value, as: .file, place: place, mark: entry.keyMark) else {
            return nil
        }
        var file = NodeFile(path: entry.key, contents: [])
        switch (fields["from"], fields["text"]) {
        case (let from?, nil):
            guard let source = text(from, of: place),
                let (path, contents) = contents(of: source)
            else { return nil }
            file.contents = contents
            file.source = path
        case (nil, let text?):
            guard case .scalar(let written, _) = text.value.content, !text.value.isNull else {
                diagnostics.error(
                    "'text' of \(place) must be a text, not \(text.value.typeInWords)",
                    at: text.mark)
                return nil
            }
            file.contents = Array(written.utf8)
        case (_?, let text?):
            diagnostics.error("\(place) has both 'from' and 'text'; write one", at: text.keyMark)
            return nil
        case (nil, nil):
            if !fields.hasUnknownKeys {
                diagnostics.error("\(place) has neither 'from' nor 'text'", at: entry.keyMark)
            }
            return nil
        }
        if let mode = fields["mode"] { file.mode = self.mode(mode, of: place) ?? file.mode }
        file.owner = fields["owner"].flatMap { account($0, of: place) }
        file.group = fields["group"].flatMap { account($0, of: place) }
        return file
    }

    private mutating func contents(
        of source: Located<String>
    ) -> (path: String, contents: [UInt8])? {
        let (path, found) = sources.look(for: source.value)
        switch found {
        case .contents(let bytes): return (path, bytes)
        case .missing: diagnostics.error("there is no file '\(path)'", at: source.mark)
        case .directory:
            diagnostics.error("'\(path)' is a folder; name its files one by one", at: source.mark)
        case .unreadable(let reason):
            diagnostics.error("'\(path)' cannot be read: \(reason)", at: source.mark)
        }
        return nil
    }

    /// Permission bits in octal, quoted or not, as chmod(1) takes them.
    private mutating func mode(_ entry: YAMLEntry, of place: String) -> UInt16? {
        guard case .scalar(let text, _) = entry.value.content, (3...5).contains(text.utf8.count),
            !text.hasPrefix("+"), let mode = UInt16(text, radix: 8), mode <= 0o7777
        else {
            diagnostics.error(
                "'mode' of \(place) must be octal, as \"0644\" is, not \(entry.value.typeInWords)",
                at: entry.mark)
            return nil
        }
        return mode
    }

    /// A user's or group's name or number.
    private mutating func account(_ entry: YAMLEntry, of place: String) -> String? {
        guard let name = text(entry, of: place) else { return nil }
        let isName = name.value.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || (0x30...0x39).contains($0)
                || $0 == 0x5f || $0 == 0x2d || $0 == 0x2e
        }
        guard isName, !name.value.hasPrefix("-") else {
            diagnostics.error(
                "'\(entry.key)' of \(place) must be a name or number, not '\(name.value)'",
                at: name.mark)
            return nil
        }
        return name.value
    }
}
