import FuzzTargets
import Glibc
import TestSupport

/// The inputs that are kept of a decoder.
struct Corpus {
    /// By the names of their files.
    private(set) var inputs: [(name: String, bytes: [UInt8])] = []
    /// The words of its language (llvm.org/docs/LibFuzzer.html#dictionaries).
    private(set) var words: [[UInt8]] = []

    /// The folder of this package's tests.
    private static let tests: String = {
        let parts = #filePath.split(separator: "/").dropLast(2)
        return "/" + parts.joined(separator: "/")
    }()

    /// Where the inputs of all decoders are.
    static let folder = "\(tests)/Fuzzing/Corpus"

    /// Reads the inputs of a decoder, and its dictionary where there is one.
    init(of target: FuzzTarget) {
        for folder in ["\(Self.folder)/\(target.name)"] + Self.otherFolders(of: target) {
            for name in Self.names(in: folder) {
                inputs.append((name, fileContents("\(folder)/\(name)") ?? []))
            }
        }
        let dictionary = fileContents("\(Self.tests)/Fuzzing/Dictionaries/\(target.name).dict")
        for line in (dictionary ?? []).split(separator: UInt8(ascii: "\n")) {
            guard let open = line.firstIndex(of: UInt8(ascii: "\"")),
                let close = line.lastIndex(of: UInt8(ascii: "\"")), open < close
            else { continue }
            words.append(Array(line[(open + 1)..<close]))
        }
    }

    /// What other tests have of the same language.
    private static func otherFolders(of target: FuzzTarget) -> [String] {
        switch target.name {
        case "keepalived-conf": ["\(tests)/KeepalivedConfTests/Fixtures"]
        case "lab-file":
            names(in: "\(tests)/../Labs", folders: true).map { "\(tests)/../Labs/\($0)" }
        default: []
        }
    }

    /// The names of the files in a folder, or of its folders, in order.
    static func names(in folder: String, folders: Bool = false) -> [String] {
        (folderContents(folder) ?? []).filter { name in
            var status = stat()
            guard !name.hasPrefix("."), stat("\(folder)/\(name)", &status) == 0 else {
                return false
            }
            return (status.st_mode & S_IFMT == S_IFDIR) == folders
        }
    }
}
