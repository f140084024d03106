import Glibc

/// The signals that end a verb which goes on until it is told to: SIGHUP among them, unless whoever
/// started it has it ignored, as nohup(1) does. To be asked for before signals are blocked, after
/// which an ignored one is reported like any other.
var endingSignals: [Int32] {
    var action = sigaction()
    sigaction(SIGHUP, nil, &action)
    let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    let isIgnored = handler == 1  // SIG_IGN, which is a macro.
    return isIgnored ? [SIGINT, SIGTERM] : [SIGINT, SIGTERM, SIGHUP]
}
