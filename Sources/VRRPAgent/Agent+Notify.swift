import KeepalivedConf
import LinuxSystem
import VRRP

extension Agent {
    /// Tells whoever asked to be told about an instance or a group.
    func notify(
        _ target: NotifyTarget, _ transition: VirtualRouter.Transition, priority: UInt8
    ) {
        notifier.notify(target, transition, priority: priority)
    }

    /// Goes on with the scripts, FIFOs and mails of the configuration that is in force now.
    func reloadOutside() {
        for remark in book.remarks { log(remark) }
        notifier.reload(
            configuration.global, book: book, mail: MailSettings(configuration.global))
        trackers.set(configuration, book: book, isReload: true)
    }

    /// Something that is tracked is another way than before.
    func trackedChanged(
        _ tracked: EffectivePriority.Tracked, _ condition: EffectivePriority.Condition
    ) {
        for runner in runners { runner.update(tracked, condition) }
    }

    func log(_ remark: ScriptBook.Remark) {
        switch remark {
        case .line(let line): log.write(line)
        case .diagnostic(let diagnostic): diagnostic.logLines.forEach(log.line)
        }
    }

    /// The scripts of a configuration, checked against this machine.
    static func book(
        _ configuration: Configuration, environment: [String],
        leftOut: [VRRPInstance.NotifyCommands]? = nil, includesInstances: Bool = true,
        includesCheckers: Bool = false
    ) throws(SystemError) -> ScriptBook {
        ScriptBook(
            configuration, machine: try .this(environment: environment),
            leftOut: leftOut, includesInstances: includesInstances,
            includesCheckers: includesCheckers)
    }
}

extension MailSettings {
    /// The settings on this machine; nil when no mail is to be sent.
    init?(_ global: GlobalDefinitions) {
        let host = HostInformation.hostName
        self.init(
            global, localName: HostTable.ofMachine.canonicalName(of: host), hostName: host,
            userName: (try? UserDatabase.ofMachine())?.userName(UserDatabase.ownUserID) ?? "root")
    }
}
