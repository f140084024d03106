import ArgumentParser
import Glibc
import LabKit
import LabModel

struct CompletionVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print what has a shell complete labctl's verbs, options, labs and nodes.",
        discussion: """
            For a shell that is running: `source <(labctl completion bash)`, the same with zsh, or \
            `labctl completion fish | source`. scripts/install puts it where new shells look.
            """)

    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    @Argument(help: "The shell.") var shell: Shell

    func run() {
        let kind: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        printLine(Labctl.completionScript(for: kind))
    }
}

// What shells offer where a lab or something of it is meant. What cannot be found out is not
// offered, and nobody is told why.
extension CompletionKind {
    /// Lab files, and the folders they may be in.
    static var labFiles: CompletionKind { .file(extensions: ["yaml"]) }

    /// The labs that are up.
    static var runningLabs: CompletionKind {
        .custom { _, _, _ in LabDirectory.running().map(\.name) }
    }

    /// The nodes of the lab that is meant.
    static var nodes: CompletionKind {
        .custom { words, _, _ in status(for: words)?.nodes.map(\.name) ?? [] }
    }

    /// Those and their services: `master`, `master/httpd`.
    static var targets: CompletionKind {
        .custom { words, _, _ in
            (status(for: words)?.nodes ?? []).flatMap { node in
                [node.name] + node.services.map { "\(node.name)/\($0.name)" }
            }
        }
    }

    /// Their interfaces: `master:eth0`.
    static var endpoints: CompletionKind {
        .custom { words, _, _ in
            (status(for: words)?.nodes ?? []).flatMap { node in
                node.interfaces.map { "\(node.name):\($0.name)" }
            }
        }
    }

    /// The lab that a command line is about, as the verbs find it.
    private static func status(for words: [String]) -> LabStatus? {
        let option = words.lastIndex { $0 == "-l" || $0 == "--lab" }
        let named = option.flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
        let lab = named ?? getenv("LABCTL_LAB").map { String(cString: $0) }
        return try? LabReference.running(lab).status()
    }
}
