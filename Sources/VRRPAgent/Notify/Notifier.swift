import KeepalivedConf
import LinuxSystem
import VRRP

/// Tells the outside of transitions: scripts, FIFOs and mail, without ever waiting for them.
///
/// The order is keepalived's: `notify_master` and its kin, `notify`, the FIFOs, the mail; each is
/// started and none is waited for, so only the FIFOs tell transitions in the order in which they
/// happened.
final class Notifier {
    /// Scripts that run at a time; more wait. keepalived has no bound.
    static let runningLimit = 32
    /// Scripts that wait at most.
    static let waitingLimit = 256
    /// How long the end waits for the readers of FIFOs and for mail: as long as keepalived takes to
    /// stop.
    static let readersGrace: Duration = .seconds(1)

    private let launcher: CommandLauncher
    private let loop: EventLoop
    private let log: (LogLine) -> Void
    private let mailer: Mailer
    private var global: GlobalDefinitions
    private var book: ScriptBook
    private var fifos: [FIFOWriter] = []
    private var queue = BoundedQueue<CommandLauncher.Invocation>(
        running: runningLimit, waiting: waitingLimit)
    private var children: [Int32: ChildProcess] = [:]
    /// The scripts that were told of the end.
    private var stopChildren: Set<Int32> = []
    private var lostScripts = 0
    private var lastMail: [NotifyTarget.Subject: VirtualRouter.Transition] = [:]
    private var onChange: () -> Void = {}

    /// Makes the FIFOs and starts their scripts.
    init(
        _ global: GlobalDefinitions, book: ScriptBook, mailer: Mailer, launcher: CommandLauncher,
        loop: EventLoop, log: @escaping (LogLine) -> Void
    ) {
        self.global = global
        self.book = book
        self.mailer = mailer
        self.launcher = launcher
        self.loop = loop
        self.log = log
        openFIFOs()
    }

    /// Goes on with another configuration: a FIFO that is in both stays as it is, with its script.
    func reload(_ global: GlobalDefinitions, book: ScriptBook, mail: MailSettings?) {
        self.global = global
        self.book = book
        mailer.settings = mail
        let kept = Set(global.notifyFIFOs.map(Self.unplaced))
        for fifo in fifos where !kept.contains(Self.unplaced(fifo.definition)) {
            fifo.close()
            fifo.endScript()
        }
        fifos.removeAll { !kept.contains(Self.unplaced($0.definition)) }
        openFIFOs()
    }

    private func openFIFOs() {
        var present = Set(fifos.map(\.definition.path))
        // The same FIFO twice would get every line twice.
        for definition in global.notifyFIFOs where present.insert(definition.path).inserted {
            let fifo = FIFOWriter(
                definition, owner: book.fallbackUser,
                script: definition.script.flatMap { book.invocation(of: $0) }, launcher: launcher,
                mode: 0o644 & ~(global.umask ?? 0o177), log: log)
            fifo.onScriptEnd = { [weak self] in self?.onChange() }
            fifos.append(fifo)
        }
    }

    /// A definition without its place in the file.
    private static func unplaced(_ definition: NotifyFIFO) -> [String] {
        [definition.path] + (definition.script?.arguments ?? []) + (definition.script?.user ?? [])
    }

    // MARK: Transitions

    /// Tells of a transition.
    ///
    /// - Parameter priority: the effective priority; 0 for a group.
    func notify(
        _ target: NotifyTarget, _ transition: VirtualRouter.Transition, priority: UInt8
    ) {
        let notice = TransitionNotice(
            subject: target.subject, transition: transition, priority: priority)
        if notice.isPriorityChange, !target.notifiesPriorityChanges { return }
        for script in notice.scripts(target.commands) {
            guard var invocation = book.invocation(of: script.command) else { continue }
            invocation.arguments += script.additionalArguments
            if transition == .stop {
                // They tell what has ended: they are not to end with it, and nobody waits in line.
                invocation.outlivesDaemon = true
                start(invocation, isStop: true)
            } else {
                submit(invocation)
            }
        }
        for fifo in fifos { fifo.write(notice.fifoLine) }
        sendMail(notice, target)
    }

    private func sendMail(_ notice: TransitionNotice, _ target: NotifyTarget) {
        guard target.sendsMail, let settings = mailer.settings,
            let mail = notice.mail(routerID: settings.routerID),
            notice.transition != .fault || !global.suppressesFaultMail,
            lastMail.updateValue(notice.transition, forKey: target.subject)
                != notice.transition
        else { return }
        mailer.send(mail)
    }

    /// Forgets what an instance or a group was told last, because it is gone.
    func forget(_ subject: NotifyTarget.Subject) { lastMail[subject] = nil }

    // MARK: Scripts

    private func submit(_ invocation: CommandLauncher.Invocation) {
        let (next, dropped) = queue.submit(invocation)
        if dropped != nil {
            if lostScripts == 0 {
                log(
                    .init(
                        "\(Self.runningLimit) notify scripts are running and "
                            + "\(Self.waitingLimit) waiting, the oldest of these are not run"))
            }
            lostScripts += 1
        }
        if let next { start(next, isStop: false) }
    }

    private func start(_ invocation: CommandLauncher.Invocation, isStop: Bool) {
        do throws(CommandLauncher.Failure) {
            var pid: Int32 = 0
            let child = try launcher.start(invocation) { [unowned self] _ in
                children[pid] = nil
                if isStop { stopChildren.remove(pid) } else { scriptEnded() }
                onChange()
            }
            pid = child.pid
            children[pid] = child
            if isStop { stopChildren.insert(pid) }
        } catch {
            log(.init("Error exec-ing command '\(invocation.arguments.first ?? "")': \(error)"))
            if !isStop { scriptEnded() }
        }
    }

    private func scriptEnded() {
        if let next = queue.ended() { return start(next, isStop: false) }
        guard lostScripts > 0 else { return }
        log(.init("notify scripts have caught up, \(lostScripts) were not run"))
        lostScripts = 0
    }

    // MARK: The end

    /// Closes the FIFOs and waits for what was told of the end, the loop running on; to be called
    /// after the last transition.
    ///
    /// `notify_stop` and `notify` scripts have `limit` (keepalived kills them after a second, when
    /// it does not forget them) and go on by themselves if that is not enough; readers of FIFOs
    /// and mail have `readersGrace`. Scripts of earlier transitions get SIGTERM with the daemon's
    /// end, as keepalived's.
    ///
    /// - Parameter then: called once, at the latest after `limit`.
    func finish(
        within limit: Duration, readersGrace: Duration = readersGrace,
        then: @escaping () -> Void
    ) {
        for fifo in fifos { fifo.close() }
        var isOver = false
        var hasGrace = true
        var timers: [EventLoop.TimerID] = []
        func end() {
            guard !isOver else { return }
            isOver = true
            timers.forEach(loop.cancel)
            onChange = {}
            mailer.onIdle = {}
            fifos.forEach { $0.endScript() }
            then()
        }
        func endIfDone() {
            let isRead = mailer.isIdle && !fifos.contains(where: \.isScriptRunning)
            if stopChildren.isEmpty, isRead || !hasGrace { end() }
        }
        onChange = endIfDone
        mailer.onIdle = endIfDone
        timers.append(
            loop.schedule(after: min(limit, readersGrace)) {
                hasGrace = false
                endIfDone()
            })
        timers.append(
            loop.schedule(after: limit) { [unowned self] in
                log(.init("\(stopChildren.count) scripts still run, not waiting any longer"))
                end()
            })
        // Not from here: the caller may not expect its own call to answer.
        timers.append(loop.schedule(after: .zero, handler: endIfDone))
    }
}
