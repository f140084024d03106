/// What `global_defs` says of virtual servers and their checkers.
public struct LVSDefinitions: Hashable, Sendable {
    /// `lvs_flush_on_stop`.
    public enum Flush: Hashable, Sendable {
        /// Everything is taken out of the table piece by piece.
        case none
        /// Each service goes with what is behind it (`VS`).
        case services
        /// The whole table is emptied.
        case all
    }

    /// `lvs_flush`: the table is emptied at the start.
    public var flushesAtStart = false
    /// What happens to the table at the end.
    public var flushAtStop = Flush.none
    /// `notify_fifo` without its script, which is not the checkers', and `lvs_notify_fifo`.
    public var notifyFIFOs: [NotifyFIFO] = []
    /// `checker_log_all_failures`.
    public var logsAllFailures = false
    /// `no_checker_emails`: mail only when a machine's state changes with a checker's.
    public var suppressesCheckerMail = false
    /// `rs_init_notifies`: machines that live at the start are told of.
    public var notifiesInitialServers = false

    /// The defaults.
    public init() {}
}
