import ArgumentParser
import LabKit
import LabModel

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate labs and their files without touching anything.")

    @Argument(help: "Lab folders or files (default: the working directory).")
    var labs: [String] = []
    @OptionGroup var build: BuildOptions
    @Option(help: "How to print what is found.") var format = Format.text

    func run() throws {
        var found: [Diagnostic] = []
        for lab in labs.isEmpty ? ["."] : labs {
            do {
                let loaded = try build.load(lab)
                found += loaded.warnings
                if format == .text { printWarnings(loaded.warnings) }
                if format == .text { printLine("\(loaded.path): lab \(loaded.lab.name) is fine") }
            } catch LabError.invalid(let diagnostics) {
                found += diagnostics
                if format == .text { printWarnings(diagnostics) }
            }
        }
        if format == .json { try printJSON(found) }
        if found.contains(where: { $0.severity == .error }) { throw ExitStatus.wrongUsage }
    }
}
