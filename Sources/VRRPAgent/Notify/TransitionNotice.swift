import KeepalivedConf
import VRRP

/// Who is told of the transitions of an instance or a group.
struct NotifyTarget: Equatable {
    /// Whose transitions they are.
    enum Subject: Hashable {
        case instance(String)
        case group(String)

        /// keepalived's words for it, as scripts get them.
        var words: [String] {
            switch self {
            case .instance(let name): ["INSTANCE", name]
            case .group(let name): ["GROUP", name]
            }
        }
    }

    var subject: Subject
    var commands: VRRPInstance.NotifyCommands
    /// `smtp_alert`.
    var sendsMail: Bool
    /// `notify_priority_changes`.
    var notifiesPriorityChanges: Bool

    init(_ instance: VRRPInstance) {
        subject = .instance(instance.name)
        commands = instance.notify
        sendsMail = instance.smtpAlert
        notifiesPriorityChanges = instance.notifiesPriorityChanges
    }

    init(_ group: SyncGroupDefinition) {
        subject = .group(group.name)
        commands = group.notify
        sendsMail = group.smtpAlert
        notifiesPriorityChanges = group.notifiesPriorityChanges
    }
}

/// What the outside is told of one transition: keepalived 2.2.7's words and order, as recorded.
struct TransitionNotice: Equatable {
    /// What is run: a command of the configuration, and words after its own.
    struct Script: Equatable {
        var command: Command
        var additionalArguments: [String] = []
    }

    /// What a mail says.
    struct Mail: Equatable {
        var subject: String
        var body: String
    }

    var subject: NotifyTarget.Subject
    var transition: VirtualRouter.Transition
    /// The effective priority; 0 for a group.
    var priority: UInt8

    /// A line of a `notify_fifo`, its line feed included.
    var fifoLine: String {
        let words = subject.words
        return "\(words[0]) \"\(words[1])\" \(transition.rawValue) \(priority)\n"
    }

    /// What is run, in the order in which it is started; the second does not wait for the first.
    ///
    /// `notify_master` and its kin get no arguments, `notify` gets `INSTANCE VI_1 MASTER 100`.
    func scripts(_ commands: VRRPInstance.NotifyCommands) -> [Script] {
        let particular: Command? =
            switch transition {
            case .master: commands.master
            case .backup: commands.backup
            case .fault: commands.fault
            case .stop: commands.stop
            case .deleted: commands.deleted
            case .masterHeardLowerPriority: commands.masterReceivedLowerPriority
            case .masterPriority, .backupPriority: nil
            }
        return [
            particular.map { Script(command: $0) },
            isChangeOfState
                ? commands.any.map {
                    Script(
                        command: $0,
                        additionalArguments: subject.words + [transition.rawValue, "\(priority)"])
                } : nil,
        ].compactMap(\.self)
    }

    /// Whether the state has changed: the other transitions are for FIFOs, and one script.
    var isChangeOfState: Bool {
        switch transition {
        case .master, .backup, .fault, .stop, .deleted: true
        case .masterHeardLowerPriority, .masterPriority, .backupPriority: false
        }
    }

    /// Whether it tells of a priority only.
    var isPriorityChange: Bool {
        switch transition {
        case .masterPriority, .backupPriority: true
        case .master, .backup, .fault, .stop, .deleted, .masterHeardLowerPriority: false
        }
    }

    /// The mail about it, if there is one.
    ///
    /// - Parameter routerID: `router_id`.
    func mail(routerID: String) -> Mail? {
        let (event, states): (String, String)
        switch transition {
        case .master: (event, states) = ("Entering MASTER state", "now in MASTER state")
        case .backup: (event, states) = ("Entering BACKUP state", "now in BACKUP state")
        case .fault: (event, states) = ("Entering FAULT state", "now in FAULT state")
        case .stop: (event, states) = ("Stopping", "now stopping")
        case .deleted: (event, states) = ("Deleted", "")
        case .masterHeardLowerPriority, .masterPriority, .backupPriority: return nil
        }
        switch subject {
        case .group(let name):
            guard transition != .deleted else { return nil }
            return Mail(
                subject: "[\(routerID)] VRRP Group \(name) - \(event)",
                body: "=> All VRRP group instances are \(states) <=")
        case .instance(let name):
            let body =
                switch transition {
                case .master: "VRRP Instance is now owning VRRP VIPs"
                case .stop: "VRRP Instance stopping"
                case .deleted: "VRRP Deleted at reload"
                case .backup, .fault, .masterHeardLowerPriority, .masterPriority,
                    .backupPriority:
                    "VRRP Instance is no longer owning VRRP VIPs"
                }
            return Mail(
                subject: "[\(routerID)] VRRP Instance \(name) - \(event)", body: "=> \(body) <=")
        }
    }
}

/// How many of something run at a time and how many may wait: what comes beyond pushes the oldest
/// out that waits, since the latest news matter most.
struct BoundedQueue<Item> {
    private(set) var running = 0
    private var waiting: [Item] = []
    private let runningLimit: Int
    private let waitingLimit: Int

    init(running: Int, waiting: Int) {
        runningLimit = running
        waitingLimit = waiting
    }

    var isIdle: Bool { running == 0 && waiting.isEmpty }

    /// - Returns: what to start now, and what will never be.
    mutating func submit(_ item: Item) -> (start: Item?, dropped: Item?) {
        if running < runningLimit {
            running += 1
            return (item, nil)
        }
        waiting.append(item)
        return (nil, waiting.count > waitingLimit ? waiting.removeFirst() : nil)
    }

    /// One of those that ran has ended.
    ///
    /// - Returns: what to start in its place.
    mutating func ended() -> Item? {
        running -= 1
        guard !waiting.isEmpty else { return nil }
        running += 1
        return waiting.removeFirst()
    }
}
