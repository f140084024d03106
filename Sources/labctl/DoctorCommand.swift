import ArgumentParser
import LabKit
import LabModel

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what this machine can and cannot do for labs, and why.",
        discussion: """
            Exits with 3 when something is missing without which no lab can be built, or which one \
            of the labs named needs.
            """)

    @Argument(help: "Lab folders or files whose needs count, too.") var labs: [String] = []
    @OptionGroup var build: BuildOptions
    @Option(help: "How to print it.") var format = Format.text

    func run() throws {
        let needs = labs.isEmpty ? [] : try build.load(labs).flatMap(\.lab.needs)
        let findings = LabKit.Doctor.examine(for: needs)
        if format == .json {
            try printJSON(findings)
        } else {
            var table = TextTable(["", "CAPABILITY", "DETAIL"])
            for finding in findings {
                let mark = finding.isPresent ? "ok" : finding.isRequired ? "MISSING" : "no"
                table.add([mark, finding.capability, finding.detail])
            }
            printLine(table.text)
        }
        if findings.contains(where: { $0.isRequired && !$0.isPresent }) { throw ExitStatus.machine }
    }
}
