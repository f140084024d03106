import KeepalivedConf
import LinuxSystem

/// Who is told by the checkers' process: notify scripts, FIFOs and mail, without ever waiting for
/// them.
final class CheckReporter {
    private let launcher: CommandLauncher
    private let loop: EventLoop
    private let log: Log
    private let mailer: Mailer
    private var global: GlobalDefinitions
    private var book: ScriptBook
    /// The commands of the configuration before, while a reload tells what has become of it.
    private var formerBook: ScriptBook?
    private var fifos: [FIFOWriter] = []
    private var children: [Int32: ChildProcess] = [:]
    private var onIdle: () -> Void = {}

    init(
        _ global: GlobalDefinitions, _ book: ScriptBook, _ launcher: CommandLauncher,
        loop: EventLoop, log: Log
    ) {
        self.global = global
        self.book = book
        self.launcher = launcher
        self.loop = loop
        self.log = log
        mailer = Mailer(MailSettings(global), launcher: launcher, loop: loop, log: log.write)
        openFIFOs()
    }

    /// Goes on with another configuration.
    ///
    /// - Parameter tell: what tells of the change. Until it returns, what the former configuration
    ///   runs can still be run, and its FIFOs hear as well as the new ones: what is taken away is
    ///   told by what was written for it. (keepalived closes a FIFO that goes before that.)
    func reload(_ global: GlobalDefinitions, _ book: ScriptBook, while tell: () -> Void) {
        self.global = global
        formerBook = self.book
        self.book = book
        mailer.settings = MailSettings(global)
        openFIFOs()
        tell()
        formerBook = nil
        let paths = Set(global.notifyFIFOs.map(\.path))
        for fifo in fifos where !paths.contains(fifo.definition.path) {
            fifo.close()
            // Its reader has what was told last still to read.
            loop.schedule(after: Notifier.readersGrace) { fifo.endScript() }
        }
        fifos.removeAll { !paths.contains($0.definition.path) }
    }

    private func openFIFOs() {
        var present = Set(fifos.map(\.definition.path))
        for definition in global.notifyFIFOs where present.insert(definition.path).inserted {
            let fifo = FIFOWriter(
                definition, owner: book.fallbackUser,
                script: definition.script.flatMap { book.invocation(of: $0) }, launcher: launcher,
                mode: 0o644 & ~(global.umask ?? 0o177), log: log.write)
            fifo.onScriptEnd = { [weak self] in self?.tellIfIdle() }
            fifos.append(fifo)
        }
    }

    /// Starts a script; one that runs at the end goes on by itself, for it may tell of the end.
    func run(_ command: Command) {
        guard
            var invocation = book.invocation(of: command)
                ?? formerBook?.invocation(of: command)
        else { return }
        invocation.outlivesDaemon = true
        do throws(CommandLauncher.Failure) {
            var pid: Int32 = 0
            let child = try launcher.start(invocation) { [unowned self] _ in
                children[pid] = nil
                tellIfIdle()
            }
            pid = child.pid
            children[pid] = child
        } catch {
            log.line("Error exec-ing command '\(command.arguments.first ?? "")': \(error)")
        }
    }

    /// Writes a line to the FIFOs.
    func tell(_ line: String) { for fifo in fifos { fifo.write(line + "\n") } }

    func mail(subject: String, body: String) {
        guard let settings = mailer.settings else { return }
        mailer.send(.init(subject: "[\(settings.routerID)] \(subject)", body: body))
    }

    /// Waits a while for scripts, the FIFOs' readers and mail; to be called after the last word.
    func finish(then: @escaping () -> Void) {
        for fifo in fifos { fifo.close() }
        var isOver = false
        func end() {
            guard !isOver else { return }
            isOver = true
            onIdle = {}
            mailer.onIdle = {}
            for fifo in fifos { fifo.endScript() }
            then()
        }
        onIdle = end
        mailer.onIdle = { [unowned self] in tellIfIdle() }
        loop.schedule(after: Notifier.readersGrace, handler: end)
        // Not from here: the caller may not expect its own call to answer.
        loop.schedule(after: .zero) { [unowned self] in tellIfIdle() }
    }

    private func tellIfIdle() {
        guard children.isEmpty, mailer.isIdle, !fifos.contains(where: \.isScriptRunning) else {
            return
        }
        onIdle()
    }
}
