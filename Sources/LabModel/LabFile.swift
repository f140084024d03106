/// What a path named in a lab file leads to.
public enum FileLookup: Equatable, Sendable {
    /// A file with that content.
    case contents([UInt8])
    /// Nothing of that name.
    case missing
    /// A folder.
    case directory
    /// Something that cannot be read: why, as `permission denied`.
    case unreadable(String)
}

/// What became of a lab file.
public struct LabDecoding: Equatable, Sendable {
    /// The lab; nil when the file has an error.
    public var lab: Lab?
    /// Everything that is wrong with the file, in the order of the file; without an error there
    /// may still be warnings.
    public var diagnostics: [Diagnostic]
    /// The configuration files of its VRRP daemons, for whoever knows how to check them: with and
    /// without the files of scenarios, and as far as they could be read where the lab has an error.
    public var vrrpConfigurations: [VRRPConfiguration]

    /// Whether there is an error among the diagnostics.
    public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    public init(
        lab: Lab?, diagnostics: [Diagnostic], vrrpConfigurations: [VRRPConfiguration] = []
    ) {
        self.lab = lab
        self.diagnostics = diagnostics
        self.vrrpConfigurations = vrrpConfigurations
    }
}

extension Lab {
    /// Reads a lab file: a complete lab, or every mistake in it at once.
    ///
    /// One mistake is one diagnostic: what a mistaken part would have defined counts as defined
    /// where it is referred to. A text that is no YAML has just that one error.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - file: The file's path as the user named it; diagnostics begin with it, and the paths in
    ///     the lab file are relative to its folder.
    ///   - readFile: Looks a file up whose content goes into a node, by a path relative to the
    ///     same place as `file`, or absolute. It is asked once for each path.
    public static func decode(
        yaml: String, file: String, readFile: (String) -> FileLookup
    ) -> LabDecoding {
        withoutActuallyEscaping(readFile) { readFile in
            var list = DiagnosticList(file: file)
            let document = YAMLDocument(parsing: yaml)
            for problem in document.problems { list.error(problem.message, at: problem.mark) }
            var lab: Lab?
            var configurations: [VRRPConfiguration] = []
            if let root = document.root {
                var decoder = LabFileDecoder(
                    diagnostics: list, sources: SourceFiles(labFile: file, readFile: readFile))
                if let draft = decoder.lab(root) {
                    (lab, configurations) = draft.assembled(reporting: &decoder.diagnostics)
                }
                list = decoder.diagnostics
            } else if document.problems.isEmpty {
                list.error(
                    "the file is empty; a lab has at least a name and nodes",
                    at: YAMLMark(line: 1, column: 1))
            }
            let hasErrors = list.errorCount > 0
            return LabDecoding(
                lab: hasErrors ? nil : lab, diagnostics: list.sorted,
                vrrpConfigurations: configurations)
        }
    }
}

/// The diagnostics of one lab file, as they are found.
struct DiagnosticList {
    /// The file they are about.
    let file: String
    private var all: [Diagnostic] = []
    /// How many of them are errors.
    private(set) var errorCount = 0

    init(file: String) { self.file = file }

    /// The diagnostics in the order of the file.
    var sorted: [Diagnostic] { all.sorted() }

    /// Notes a mistake that stops the lab.
    mutating func error(_ message: String, at mark: YAMLMark) {
        errorCount += 1
        all.append(
            Diagnostic(file: file, line: mark.line, column: mark.column, message: message))
    }

    /// Notes something that is probably not meant.
    mutating func warning(_ message: String, at mark: YAMLMark) {
        all.append(
            Diagnostic(
                file: file, line: mark.line, column: mark.column, severity: .warning,
                message: message))
    }
}

/// The files that a lab file refers to, each looked up once.
struct SourceFiles {
    /// The lab file's folder with its final slash; empty for the working directory.
    private let folder: String
    private let readFile: (String) -> FileLookup
    private var known: [String: FileLookup] = [:]

    init(labFile: String, readFile: @escaping (String) -> FileLookup) {
        folder = labFile.lastIndex(of: "/").map { String(labFile[...$0]) } ?? ""
        self.readFile = readFile
    }

    /// The path of `source` as messages name it, and what is there.
    mutating func look(for source: String) -> (path: String, found: FileLookup) {
        let relative = source.hasPrefix("./") ? String(source.dropFirst(2)) : source
        let path = relative.hasPrefix("/") ? relative : folder + relative
        if let found = known[path] { return (path, found) }
        let found = readFile(path)
        known[path] = found
        return (path, found)
    }
}
