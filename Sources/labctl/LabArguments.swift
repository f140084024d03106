import ArgumentParser
import Glibc
import LabKit
import LabModel
import LinuxSystem

/// Where `--format` is understood.
enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

/// `-l LAB`, for the verbs whose arguments are nodes.
struct LabOption: ParsableArguments {
    @Option(
        name: [.short, .customLong("lab")],
        help: "The lab: its name, folder or file (default: $LABCTL_LAB, or the only one).",
        completion: .runningLabs)
    var lab: String?

    /// The running lab that is meant.
    func client() throws -> LabClient {
        try LabReference.running(lab ?? getenv("LABCTL_LAB").map { String(cString: $0) })
    }
}

/// `--name` and `--vrrp`, for the verbs that build labs.
struct BuildOptions: ParsableArguments {
    @Option(help: "A name in place of the lab file's, to have the same lab twice.")
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Which VRRP daemon to run in place of the file's: vrrp-agent, keepalived or frr.",
            valueName: "[node=]kind"))
    var vrrp: [String] = []

    /// Reads the lab at `path`.
    func load(_ path: String) throws -> LoadedLab {
        let choices = try vrrp.map { text in
            guard let choice = VRRPDaemonChoice(text) else {
                throw ValidationError(
                    "'\(text)' is no [NODE=]KIND with vrrp-agent, keepalived or frr as the kind")
            }
            return choice
        }
        return try LabLoader.load(path, name: name, vrrp: choices)
    }

    /// Reads the labs at `paths`, or the one in the working directory.
    ///
    /// - Throws: ``LabError/invalid(_:)`` with the mistakes of all of them.
    func load(_ paths: [String]) throws -> [LoadedLab] {
        var labs: [LoadedLab] = []
        var mistakes: [Diagnostic] = []
        for path in paths.isEmpty ? ["."] : paths {
            do {
                labs.append(try load(path))
            } catch LabError.invalid(let found) {
                mistakes += found
            }
        }
        guard mistakes.isEmpty else { throw LabError.invalid(mistakes) }
        return labs
    }
}

/// `--publish`, for the verbs that build labs for people.
struct PublishOption: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Lead a port of this machine to an address in the lab, beside those of the lab file.",
            valueName: "[host:]port:address:port"))
    var publish: [String] = []

    /// The lab with those ports published.
    ///
    /// - Throws: ``LabError/invalid(_:)``.
    func apply(to loaded: LoadedLab) throws(LabError) -> LoadedLab {
        var loaded = loaded
        do {
            loaded.lab = try loaded.lab.publishing(publish)
        } catch {
            throw .invalid([error])
        }
        return loaded
    }
}

/// How labs are named on the command line.
enum LabReference {
    /// The lab file or folder that is meant: the argument, or the working directory.
    static func source(_ argument: String?) -> String { argument ?? "." }

    /// The running lab that is meant: by name, by folder or file, by the working directory, or as
    /// the only one there is. What labs that were killed have left behind is swept on the way.
    static func running(_ argument: String?) throws(LabError) -> LabClient {
        LabDirectory.sweep()
        if let argument {
            if Lab.isValidName(argument), LabDirectory(argument).isUp {
                return LabClient(LabDirectory(argument))
            }
            return LabClient(try directory(nameInFile(argument) ?? argument))
        }
        // In a lab's folder it is that lab, up or not: a second `down` must not end another one.
        if let name = nameInFile(".") { return LabClient(try directory(name)) }
        let running = LabDirectory.running()
        switch running.count {
        case 0: throw .state("no lab is up: `labctl up LAB` builds one")
        case 1: return LabClient(running[0])
        default:
            let names = running.map(\.name).joined(separator: ", ")
            throw .state("several labs are up (\(names)): say which")
        }
    }

    /// The run directory of a lab of that name: what can be no lab's name leads into none.
    private static func directory(_ name: String) throws(LabError) -> LabDirectory {
        guard Lab.isValidName(name) else {
            let shown = String(name.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f })
            throw .state("there is no lab \(shown): `labctl list` shows those there are")
        }
        return LabDirectory(name)
    }

    /// A lab that is up, with what it is doing; or, where none is meant that is up, the lab of a
    /// file.
    static func described(_ argument: String?) throws(LabError) -> (lab: Lab, status: LabStatus?) {
        if let client = try? running(argument), client.directory.isUp {
            return (try client.description().lab, try client.status())
        }
        return (try LabLoader.load(source(argument)).lab, nil)
    }

    // The name alone is needed, so a file with a mistake in it still names the lab that was built
    // from it.
    private static func nameInFile(_ path: String) -> String? {
        let file = FileSystem.isFolder(path) ? "\(path)/\(LabLoader.fileName)" : path
        guard let text = try? FileSystem.readText(file) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("name:") }
        let value = line?.dropFirst("name:".count).prefix { $0 != "#" }
        return value.map { $0.filter { !" \"'\t\r".contains($0) } }
    }
}
