import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import SystemPackage

/// Sends mails one after the other, so that they arrive in the order of what they tell. (keepalived
/// opens a connection for each at once, and they overtake each other.)
final class Mailer {
    /// Mails that wait at most: an hour of an unreachable server is no reason to grow.
    static let waitingLimit = 64

    /// A mail with the date of what it tells, complete but for the way to the server.
    private struct Letter {
        var settings: MailSettings
        var message: [UInt8]
    }

    /// Where to send; nil: nothing is sent.
    var settings: MailSettings?
    /// Told when the last mail has gone, or has not.
    var onIdle: () -> Void = {}

    private let launcher: CommandLauncher
    private let loop: EventLoop
    private let log: (LogLine) -> Void
    private var queue = BoundedQueue<Letter>(running: 1, waiting: waitingLimit)
    private var lookup: AddressLookup?
    private var connection: SMTPConnection?
    private var lostMails = 0

    init(
        _ settings: MailSettings?, launcher: CommandLauncher, loop: EventLoop,
        log: @escaping (LogLine) -> Void
    ) {
        self.settings = settings
        self.launcher = launcher
        self.loop = loop
        self.log = log
    }

    var isIdle: Bool { queue.isIdle }

    /// Sends a mail as soon as those before it are through.
    func send(_ mail: TransitionNotice.Mail) {
        guard let settings else { return }
        let letter = Letter(
            settings: settings, message: settings.message(mail, date: HostInformation.mailDate()))
        let (next, dropped) = queue.submit(letter)
        if dropped != nil {
            if lostMails == 0 {
                log(.init("\(Self.waitingLimit) SMTP alerts are waiting, the oldest are not sent"))
            }
            lostMails += 1
        }
        if let next { begin(next) }
    }

    private func begin(_ letter: Letter) {
        let name = letter.settings.server
        if let address = IPAddress(name) ?? HostTable.ofMachine.address(of: name) {
            return connect(letter, address)
        }
        lookup = AddressLookup(
            name, timeout: letter.settings.timeout, launcher: launcher, loop: loop
        ) { [unowned self] address in
            lookup = nil
            if let address { return connect(letter, address) }
            log(.init("Invalid smtp server \(name): its address is not known"))
            next()
        }
    }

    private func connect(_ letter: Letter, _ address: IPAddress) {
        do throws(SystemError) {
            connection = try SMTPConnection(
                letter.settings, message: letter.message, address: address, loop: loop, log: log
            ) { [unowned self] in
                connection = nil
                next()
            }
        } catch {
            log(.init("SMTP connection ERROR to [\(address)]:\(letter.settings.port): \(error)."))
            // In a turn of its own, so that many mails do not become many calls of each other.
            loop.schedule(after: .zero) { [weak self] in self?.next() }
        }
    }

    private func next() {
        if let letter = queue.ended() { return begin(letter) }
        if lostMails > 0 {
            log(.init("\(lostMails) SMTP alerts were not sent"))
            lostMails = 0
        }
        onIdle()
    }
}

extension HostTable {
    /// The machine's own; empty where there is none.
    static var ofMachine: HostTable {
        HostTable((try? FileSystem.readText("/etc/hosts")) ?? "")
    }
}

/// Looks a host's address up without waiting for it: getent(1), which asks whatever the machine's
/// name services ask, in a process of its own. (keepalived blocks while it reads its configuration,
/// and keeps what it found then.)
final class AddressLookup {
    private let loop: EventLoop
    private let onEnd: (IPAddress?) -> Void
    private var child: ChildProcess?
    private var timer: EventLoop.TimerID?

    /// Begins to look.
    ///
    /// - Parameter onEnd: called once from the loop, with nil for a name that leads nowhere.
    init(
        _ name: String, timeout: Duration, launcher: CommandLauncher, loop: EventLoop,
        onEnd: @escaping (IPAddress?) -> Void
    ) {
        self.loop = loop
        self.onEnd = onEnd
        do {
            let (readEnd, writeEnd) = try Pipe.make()
            // Whatever it may have started and left behind with the other end.
            _ = clinux_fcntl(readEnd.rawValue, F_SETFL, O_NONBLOCK)
            // `--` because a name from a file is not to be an option.
            child = try launcher.start(
                .init(["getent", "--", "ahosts", name]), output: writeEnd.rawValue
            ) { [unowned self] _ in
                // It has ended, so all it wrote is there; the first line has the preferred address.
                var answer = [UInt8](repeating: 0, count: 4_096)
                let count = read(readEnd.rawValue, &answer, answer.count)
                finish(Array(answer.prefix(max(count, 0))))
            }
            writeEnd.close()
            timer = loop.schedule(after: timeout) { [unowned self] in
                child?.end(grace: .seconds(1))
                finish([])
            }
        } catch {
            timer = loop.schedule(after: .zero) { [unowned self] in finish([]) }
        }
    }

    deinit {
        if let timer { loop.cancel(timer) }
        child?.end(grace: .seconds(1))
    }

    private func finish(_ answer: [UInt8]) {
        if let timer { loop.cancel(timer) }
        timer = nil
        child = nil
        let word = answer.prefix { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a }
        onEnd(IPAddress(String(decoding: word, as: UTF8.self)))
    }
}
