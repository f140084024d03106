import KeepalivedConf
import LVS
import LinuxSystem
import NetworkTypes

/// The checks that are under way, each of them a ``Probe``.
final class Prober {
    typealias CheckerID = LoadBalancer.CheckerID

    /// Told what has come of a check.
    var onEnd: (CheckerID, CheckResult) -> Void = { _, _ in }

    private let launcher: CommandLauncher
    private let loop: EventLoop
    private var probes: [CheckerID: any Probe] = [:]
    private var sequence: UInt16 = 0
    /// Loaded when the first encrypted page is asked for.
    private lazy var library = TLSLibrary()

    init(launcher: CommandLauncher, loop: EventLoop) {
        self.launcher = launcher
        self.loop = loop
    }

    func cancelAll() {
        for probe in probes.values { probe.cancel() }
        probes = [:]
    }

    /// Begins a check.
    ///
    /// - Parameter command: how to run that of a `MISC_CHECK`; nil where it must not be run.
    func begin(
        _ id: CheckerID, _ checker: Checker, of server: RealServer, in service: VirtualServer,
        page: Int, command: CommandLauncher.Invocation?
    ) {
        switch checker.kind {
        case .tcp: connect(id, TCPDialogue(), .stream, checker.connection)
        case .http(let check):
            guard let connection = checker.connection else { return }
            beginPage(id, check, page: page, connection, virtualHost: server.virtualHost)
        case .smtp(let name):
            guard let connection = checker.connection else { return }
            let dialogue = SMTPCheckDialogue(heloName: name, to: connection, of: server)
            connect(id, dialogue, .stream, connection)
        case .dns(let type, let name):
            guard let connection = checker.connection else { return }
            let dialogue = DNSDialogue(
                type: type, name: name, to: connection, id: .random(in: 0 ... .max))
            connect(id, dialogue, .datagram, connection)
        case .udp(let check): connect(id, UDPDialogue(check), .datagram, checker.connection)
        case .ping:
            sequence &+= 1
            let dialogue = PingDialogue(
                checker.connection?.address.family ?? .v4, sequence: sequence)
            connect(id, dialogue, .echo, checker.connection)
        case .misc(let check): run(id, check, command, service)
        // They are not scheduled: see ``LoadBalancer``.
        case .file, .bfd: break
        }
    }

    private func end(_ id: CheckerID, _ result: CheckResult) {
        probes[id] = nil
        onEnd(id, result)
    }

    private func connect(
        _ id: CheckerID, _ dialogue: any CheckDialogue, _ transport: ConnectionProbe.Transport,
        _ connection: Checker.Connection?
    ) {
        guard let connection else { return }
        let then = { [unowned self] (result: CheckResult) in end(id, result) }
        do throws(ConnectionProbe.NoSocket) {
            probes[id] = try ConnectionProbe(
                dialogue, transport, to: connection, loop: loop, onEnd: then)
        } catch {
            loop.schedule(after: .zero) { then(.notTried(transport.noSocketLine)) }
        }
    }

    private func beginPage(
        _ id: CheckerID, _ check: HTTPCheck, page: Int, _ connection: Checker.Connection,
        virtualHost: String?
    ) {
        let wanted = check.pages[page]
        let dialogue = HTTPDialogue(
            check, page: page, to: connection, virtualHost: virtualHost,
            match: PageExpression.matcher(wanted))
        let name = wanted.virtualHost ?? check.virtualHost ?? virtualHost
        connect(
            id, dialogue,
            check.usesTLS
                ? .encrypted(library, serverName: check.sendsServerName ? name : nil) : .stream,
            connection)
    }

    private func run(
        _ id: CheckerID, _ check: MiscCheck, _ command: CommandLauncher.Invocation?,
        _ service: VirtualServer
    ) {
        guard let command else { return }
        probes[id] = CommandProbe(
            command, timeout: check.timeout ?? service.delayLoop, launcher: launcher, loop: loop
        ) { [unowned self] in end(id, $0) }
    }
}

extension ConnectionProbe.Transport {
    /// keepalived's line when there is no socket for a check.
    fileprivate var noSocketLine: String {
        switch self {
        case .stream, .encrypted: "TCP connect fail to create socket. Rescheduling."
        case .datagram: "UDP connect fail to create socket. Rescheduling."
        case .echo: "ICMP connect fail to create socket. Rescheduling."
        }
    }
}
