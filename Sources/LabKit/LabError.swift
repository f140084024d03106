public import LabModel

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
