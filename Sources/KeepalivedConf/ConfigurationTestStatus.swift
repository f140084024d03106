/// The exit status of `keepalived --config-test`.
public enum ConfigurationTestStatus: Int32, Hashable, Sendable {
    /// Nothing is wrong.
    case accepted = 0
    /// A keyword stands without the value it must have: the test ends there.
    case missingParameter = 2
    /// All that is wrong is what keepalived calls fatal, though it runs: delays for an interface
    /// that is not there.
    case cannotRun = 4
    /// Something is wrong, be it as small as a password that is cut.
    case complaints = 5
    /// A file is missing that must be there, or scripts are run without script security.
    case unsafe = 6

    /// The status for a file about which these things are said, whoever says them: keepalived's,
    /// but for what it loses without a word, which is an error here.
    ///
    /// - Parameter violatesScriptSecurity: whether scripts are run without
    ///   `enable_script_security`, or by whom they should not be.
    public init(of diagnostics: [ConfDiagnostic], violatesScriptSecurity: Bool = false) {
        if diagnostics.contains(where: \.lacksParameter) {
            self = .missingParameter
        } else if violatesScriptSecurity
            || diagnostics.contains(where: { $0.kind == .refusedInclude })
        {
            self = .unsafe
        } else {
            let complaints = diagnostics.filter(\.isComplaint)
            self =
                complaints.isEmpty
                ? .accepted : complaints.allSatisfy(\.isCalledFatal) ? .cannotRun : .complaints
        }
    }
}

extension ConfDiagnostic {
    /// Whether it is the end of keepalived, even where it only tests the file: a keyword stands
    /// without its value.
    public var lacksParameter: Bool {
        (kind == .refused || kind == .lossOfConfiguration)
            && message.hasPrefix("*** Configuration line starting `")
    }

    /// Whether keepalived calls it fatal, which counts for less than any other complaint.
    fileprivate var isCalledFatal: Bool { message.hasPrefix("unknown interface ") }

    /// Whether keepalived's test of the file would end with a status other than 0 for it, or does
    /// here since something that is written is lost.
    public var isComplaint: Bool {
        switch kind {
        case .refused, .lossOfConfiguration, .unbalancedBraces, .unknownKeyword, .consequence,
            .adjustedValue, .refusedInclude:
            severity != .note
        case .misreadLine:
            // Of an escaped comment character keepalived says nothing, and here it is understood.
            severity == .error
        case .notSupportedYet, .noEffect: false
        // keepalived says that a file is missing, and tests what there is.
        case .missingInclude: false
        }
    }
}

extension ParsedConfiguration {
    /// The exit status of `--config-test`, as far as the file alone says it: the machine may lack
    /// interfaces, or have scripts that are not safe.
    public var testStatus: ConfigurationTestStatus { ConfigurationTestStatus(of: diagnostics) }

    /// Whether the daemon would run: with fewer instances than are written, perhaps, which
    /// `--config-test` refuses.
    public var wouldRun: Bool { !isRefused }
}
