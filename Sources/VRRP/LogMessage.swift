public import NetworkTypes

/// What a virtual router has to say; the description is keepalived 2.2.7's log line without the
/// instance's name in front.
public enum LogMessage: Hashable, Sendable {
    case enteredBackup(isInitial: Bool)
    case enteredMaster
    case enteredFault
    /// It was in FAULT from the start.
    case startedInFault
    /// The Master_Down timer fired.
    case receivedAdvertisementTimeout
    /// A backup heard the master resign.
    case backupReceivedResignation
    /// A master heard another one resign.
    case masterReceivedResignation
    /// A farewell went out.
    case sentResignation
    /// A backup that will preempt heard the master.
    case discardedLowerPriority(UInt8, from: IPAddress)
    /// A backup heard a master that it may preempt, but not yet.
    case startedPreemptionDelay(Duration)
    /// It heard a better one before the delay had passed, or after.
    case stoppedPreemptionDelay
    /// A master heard one that must give way.
    case receivedLowerPriority(UInt8, ours: UInt8, from: IPAddress, answers: Bool = true)
    /// A master heard its better.
    case receivedHigherPriority(UInt8, ours: UInt8, from: IPAddress)
    /// A master heard its equal, whose address is higher.
    case receivedSamePriority(UInt8, from: IPAddress)
    /// A master heard its equal, whose address is its own.
    case receivedEqualFromOwnAddress
    /// Two routers claim to own the addresses. keepalived has both of them yield, which leaves the
    /// addresses without an owner.
    case duplicateOwner(yields: Bool)
    /// The weights of what is tracked, or a reload, have changed the priority.
    case changedPriority(from: UInt8, to: UInt8)
    /// A version 3 backup has taken the master's interval over.
    case learnedInterval(from: Duration, to: Duration)
    /// A new master goes by its own interval again.
    case returnedToOwnInterval(from: Duration, to: Duration)
    /// Virtual addresses were removed by hand and are put back. Not a line of keepalived's, which
    /// steps down.
    case restoredAddresses

    /// Whether keepalived prints it only with `--log-detail`.
    public var isDetail: Bool {
        switch self {
        case .receivedAdvertisementTimeout, .backupReceivedResignation, .masterReceivedResignation,
            .sentResignation, .startedPreemptionDelay, .stoppedPreemptionDelay,
            .learnedInterval, .returnedToOwnInterval:
            true
        case .enteredBackup, .enteredMaster, .enteredFault, .startedInFault,
            .discardedLowerPriority, .receivedLowerPriority, .receivedHigherPriority,
            .receivedSamePriority, .receivedEqualFromOwnAddress, .duplicateOwner, .changedPriority,
            .restoredAddresses:
            false
        }
    }
}

extension LogMessage: CustomStringConvertible {
    public var description: String {
        switch self {
        case .enteredBackup(let isInitial):
            "Entering BACKUP STATE" + (isInitial ? " (init)" : "")
        case .enteredMaster:
            "Entering MASTER STATE"
        case .enteredFault:
            "Entering FAULT STATE"
        case .startedInFault:
            "entering FAULT state"
        case .receivedAdvertisementTimeout:
            "Receive advertisement timeout"
        case .backupReceivedResignation:
            "Backup received priority 0 advertisement"
        case .masterReceivedResignation:
            "Master received priority 0 message"
        case .sentResignation:
            "sent 0 priority"
        case .discardedLowerPriority(let priority, let sender):
            "received lower priority (\(priority)) advert from \(sender) - discarding"
        case .startedPreemptionDelay(let delay):
            "start preempt delay (\(seconds(delay)))"
        case .stoppedPreemptionDelay:
            "stop preempt delay"
        case .receivedLowerPriority(let priority, let ours, let sender, let answers):
            "Received advert from \(sender) with lower priority \(priority), ours \(ours)"
                + (answers ? ", forcing new election" : "")
        case .receivedHigherPriority(let priority, let ours, let sender):
            "Master received advert from \(sender) with higher priority \(priority), ours \(ours)"
        case .receivedSamePriority(let priority, let sender):
            "Master received advert from \(sender) with same priority \(priority) "
                + "but higher IP address than ours"
        case .receivedEqualFromOwnAddress:
            "WARNING - equal priority advert received from remote host with our IP address."
        case .duplicateOwner(let yields):
            "CONFIGURATION ERROR: local instance and a remote instance are both configured as "
                + "address owner, please fix" + (yields ? " - reducing local priority" : "")
        case .changedPriority(let before, let after):
            "Changing effective priority from \(before) to \(after)"
        case .learnedInterval(let before, let after):
            "advertisement interval updated from \(milliseconds(before))ms "
                + "to \(milliseconds(after))ms by master"
        case .returnedToOwnInterval(let before, let after):
            "changing advert interval from \(milliseconds(before))ms "
                + "to locally configured \(milliseconds(after))ms"
        case .restoredAddresses:
            "a VIP was removed by hand - putting it back"
        }
    }

    private func milliseconds(_ duration: Duration) -> Int64 {
        duration.wholeNanoseconds / 1_000_000
    }

    /// Seconds with six decimals, as keepalived prints them.
    private func seconds(_ duration: Duration) -> String {
        let microseconds = String(duration.wholeNanoseconds / 1000 % 1_000_000)
        return "\(duration.components.seconds)."
            + String(repeating: "0", count: 6 - microseconds.count) + microseconds
    }
}
