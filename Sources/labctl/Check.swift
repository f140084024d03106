import ArgumentParser
import LabKit
import LabModel

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate labs and their files without touching anything.",
        discussion: """
            Exits with 2 when one of them is wrong, and with 3 when they are right and this machine \
            lacks what one of them needs.
            """)

    @Argument(
        help: "Lab folders or files (default: the working directory).", completion: .labFiles)
    var labs: [String] = []
    @OptionGroup var build: BuildOptions
    @Option(help: "How to print what is found.") var format = Format.text

    func run() throws {
        var found: [Diagnostic] = []
        var (areRight, isMachineFit) = (true, true)
        for lab in labs.isEmpty ? ["."] : labs {
            do {
                let loaded = try build.load(lab)
                var diagnostics = loaded.warnings
                let lack = LabKit.Doctor.lack(of: loaded.lab.needs)
                if let lack {
                    isMachineFit = false
                    diagnostics.append(
                        Diagnostic(
                            file: loaded.path, line: 0, column: 0,
                            message: "lab \(loaded.lab.name) needs \(lack)"))
                }
                found += diagnostics
                if format == .text { printWarnings(diagnostics) }
                if format == .text, lack == nil {
                    printLine("\(loaded.path): lab \(loaded.lab.name) is fine")
                }
            } catch LabError.invalid(let diagnostics) {
                areRight = false
                found += diagnostics
                if format == .text { printWarnings(diagnostics) }
            }
        }
        if format == .json { try printJSON(found) }
        guard areRight else { throw ExitStatus.wrongUsage }
        guard isMachineFit else { throw ExitStatus.machine }
    }
}
