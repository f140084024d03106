import KeepalivedConf
import LabModel

extension FuzzTarget {
    static let keepalivedConf = FuzzTarget(
        "keepalived-conf",
        "a keepalived.conf, and behind NULs the files 1.conf, 2.conf and so on that it may include"
    ) { bytes in
        let files = IncludedTexts(bytes)
        let parsed = Configuration.parse(
            files.main, file: files.name, context: ConfigurationContext(configID: "node"),
            files: files.view)
        for diagnostic in parsed.diagnostics { try files.check(diagnostic) }
        // What does not mean what it says has nothing that could be printed back: a group keeps the
        // name of an instance that came to nothing.
        guard !parsed.diagnostics.contains(where: { $0.severity == .error }) else { return }
        let text = parsed.configuration.canonicalText
        let again = Configuration.parse(text, file: "again.conf").configuration
        try requireEqual(again.canonicalText, text, "printing settles")
    }

    static let frrConf = FuzzTarget("frr-conf", "an frr.conf") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let configuration = FRRConfiguration(text, file: "frr.conf")
        let places = TextPlaces(endingWithLF: text)
        for diagnostic in configuration.diagnostics where diagnostic.line > 0 {
            try require(
                places.contain(line: diagnostic.line, column: max(diagnostic.column, 1)),
                "\(diagnostic) is in the file")
        }
        for router in configuration.routers {
            try require((1...255).contains(router.vrid), "a VRID is 1 to 255")
            _ = (router.mac, router.device)
        }
        _ = configuration.facts(node: "n1", service: "frr")
    }
}

/// The files of one input: the first is the one that is read.
private struct IncludedTexts {
    let name = "keepalived.conf"
    let main: String
    private let others: [String: String]
    private let places: [String: TextPlaces]

    init(_ bytes: [UInt8]) {
        let texts = bytes.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        main = texts[0]
        var others: [String: String] = [:]
        // More than that only take time.
        for (number, text) in texts.enumerated().dropFirst().prefix(4) {
            others["\(number).conf"] = text
        }
        self.others = others
        var places = others.mapValues { Self.places(in: $0) }
        places[name] = Self.places(in: texts[0])
        self.places = places
    }

    var view: ConfigurationFiles {
        ConfigurationFiles(
            content: { path in
                if path == name { return .text(main) }
                return others[path].map { .text($0) } ?? (path == "folder" ? .folder : nil)
            },
            names: { folder in
                switch folder {
                case "", "/", ".": [name, "folder"] + others.keys.sorted()
                case "folder": []
                default: nil
                }
            })
    }

    /// keepalived's lines end with LF, and all else in them takes a column.
    private static func places(in text: String) -> TextPlaces { TextPlaces(endingWithLF: text) }

    func check(_ diagnostic: ConfDiagnostic) throws {
        let position = diagnostic.position
        guard let places = places[position.file] else {
            throw Breach(description: "\(diagnostic) is about a file that there is not")
        }
        try require(
            places.contain(line: position.line, column: position.column),
            "\(diagnostic) is in the file")
    }
}
