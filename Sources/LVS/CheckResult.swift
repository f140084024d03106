/// What has come of a check.
public enum CheckResult: Hashable, Sendable {
    /// It has succeeded; a page was right by this: `HTTP status code`, `MD5 digest`.
    case success(basis: String = "")
    /// It has failed: the words that keepalived's line about it has for the reason.
    case failure(String)
    /// Nothing could be tried here: the line to log. It changes nothing.
    case notTried(String)
    /// The command of a `MISC_CHECK` has ended with that status.
    case exited(Int32)
    /// A signal has ended it, be it that it took too long.
    case signalled(Int32, isTimeout: Bool)
}
