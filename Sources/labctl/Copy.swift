import ArgumentParser
import LabKit
import LabModel

struct Copy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cp",
        abstract: "Copy files and folders into a node or out of one.",
        discussion: """
            As docker cp: into a folder that is there, or under the name that is given. Modes are \
            kept, owners are not. A folder with /. at its end means what is in it.
            """)

    @OptionGroup var lab: LabOption
    @Argument(help: ArgumentHelp("What to copy.", valueName: "source|node:path")) var source: String
    @Argument(help: ArgumentHelp("Where to.", valueName: "node:path|target")) var target: String

    func validate() throws { _ = try CopyDirection(source, target) }

    func run() throws {
        let client = try lab.client()
        switch try CopyDirection(source, target) {
        case .into(let node, let path): try client.copy(source, into: node, at: path)
        case .outOf(let node, let path): try client.copy(path, outOf: node, to: target)
        }
    }
}

/// Which of the two is the node's.
enum CopyDirection: Equatable {
    case into(node: String, path: String)
    case outOf(node: String, path: String)

    /// - Throws: `ValidationError` unless exactly one of both is `NODE:PATH`.
    init(_ source: String, _ target: String) throws {
        switch (Self.place(source), Self.place(target)) {
        case (nil, let place?): self = .into(node: place.node, path: place.path)
        case (let place?, nil): self = .outOf(node: place.node, path: place.path)
        case (nil, nil): throw ValidationError("one of both has to be NODE:PATH")
        case (_?, _?): throw ValidationError("one of both has to be on this machine")
        }
    }

    /// A path in a node; relative ones count from its root's home. A colon behind a slash is part
    /// of a file's name.
    private static func place(_ word: String) -> (node: String, path: String)? {
        guard let colon = word.firstIndex(of: ":"), colon != word.startIndex,
            !word[..<colon].contains("/")
        else { return nil }
        let path = word[word.index(after: colon)...]
        return (String(word[..<colon]), path.isEmpty ? "." : String(path))
    }
}
