public import LabModel
import LinuxSystem
import SystemPackage

/// Why something about a lab could not be done. Each kind has an exit status of its own in the CLI.
public enum LabError: Error, CustomStringConvertible, Sendable {
    /// Files that the user wrote are wrong.
    case invalid([Diagnostic])
    /// This machine cannot do it: what is missing, and how to get it.
    case machine(String)
    /// The lab, node or service is in the wrong state for it.
    case state(String)
    /// It was tried and went wrong.
    case failed(String)

    public var description: String {
        switch self {
        case .invalid(let diagnostics): diagnostics.map(\.description).joined(separator: "\n")
        case .machine(let message), .state(let message), .failed(let message): message
        }
    }
}

extension LabError {
    /// What a refusal by the kernel comes to, with the remedy where there is a usual one; an error
    /// that is one of these already stays what it is.
    init(refusal error: any Error) {
        if let error = error as? LabError {
            self = error
            return
        }
        let remedy: String? =
            switch (error as? SystemError)?.code {
            case .tooManyOpenFiles: "raise the limit with `ulimit -n`"
            case .noSpace: "make room, or look for labs that fill it with `labctl list`"
            default: nil
            }
        self = .machine("\(error)" + (remedy.map { ": \($0)" } ?? ""))
    }
}
