import KeepalivedConf

/// How the program ends, in keepalived's numbers.
enum ExitStatus: Int32 {
    case success = 0
    /// Wrong usage, or a kernel that does not play along.
    case failure = 1
    /// A configuration that cannot be run.
    case configuration = 2
    /// CAP_NET_ADMIN or CAP_NET_RAW is missing.
    case permission = 4
    /// `--config-test` found something to complain about.
    case configurationTest = 5
    /// There is no configuration file, or the test found scripts or includes that are not safe.
    case noConfiguration = 6

    /// The end of `--config-test`. keepalived's 6 for what is unsafe is its 6 for no file.
    init(_ status: ConfigurationTestStatus) {
        switch status {
        case .accepted: self = .success
        case .missingParameter: self = .configuration
        case .cannotRun: self = .permission
        case .complaints: self = .configurationTest
        case .unsafe: self = .noConfiguration
        }
    }
}
