import LabModel
import Netlink
import NetworkTypes
import NodeProtocol

extension ServiceSpecification {
    /// How long a service may take to become ready; a real daemon on a loaded machine included.
    static let readinessTimeout: Duration = .seconds(20)
    /// How long SIGTERM may take: docker's figure.
    static let stopTimeout: Duration = .seconds(10)

    /// How `NodeInit` is to run a service of the lab file on a node.
    init(_ service: Service, of node: Node) {
        self.init(service, files: node.files)
        aliases = node.aliases(of: service)
    }

    /// How `NodeInit` is to run a service of the lab file on a node with these files.
    ///
    /// - Parameter balances: whether the kernel has ip_vs.
    init(
        _ service: Service, files: [NodeFile] = [], balances: Bool = KernelBalancer.isPresent
    ) {
        let configuration = service.configurationPath
        let command: [String]
        let readiness: Readiness
        switch service.kind {
        case .http:
            command = ["http-backend"] + service.arguments
            readiness = .notify
        case .echo:
            command = ["http-backend", "--echo", "--port", "7"] + service.arguments
            readiness = .notify
        case .smtp:
            command = ["smtp-backend"] + service.arguments
            readiness = .notify
        case .vrrpAgent:
            // Where the kernel does not balance, it checks the servers' health all the same.
            command =
                ["vrrp-agent", "-n", "-l", "-D", "-f", configuration]
                + Self.defaultOptions(files) + service.arguments
            readiness = .notify
        case .keepalived:
            // Without -P a kernel that has no ip_vs ends keepalived. It tells systemd alone that it
            // is ready, so its VRRP process's pid file has to do.
            command =
                ["keepalived", "-n", "-l", "-D"] + (balances ? [] : ["-P"])
                + ["-f", configuration] + Self.defaultOptions(files) + service.arguments
            readiness = .file("/run/vrrp.pid")
        case .frr:
            let text = files.last { $0.path == configuration }?.text ?? ""
            let routers = FRRConfiguration(text, file: configuration)
            command = FRRService.command(routers, path: configuration)
            readiness = .command(FRRService.readiness(routers))
        case .command:
            command = service.arguments
            readiness = .started
        }
        self.init(
            name: service.name, aliases: service.aliases, description: service.summary,
            startsWithNode: service.startsWithNode, command: command,
            readiness: service.readiness.map(Readiness.init) ?? readiness,
            readinessTimeoutNanoseconds: Self.readinessTimeout.wholeNanoseconds,
            restart: RestartPolicy(service.restart),
            stopTimeoutNanoseconds: Self.stopTimeout.wholeNanoseconds)
    }

    /// Debian's unit of keepalived takes further options from this file's `DAEMON_ARGS`.
    static let defaultOptionsPath = "/etc/default/keepalived"

    /// The words of `DAEMON_ARGS`, as systemd splits `$DAEMON_ARGS` (systemd.exec(5),
    /// EnvironmentFile=); none where the node has no such file.
    private static func defaultOptions(_ files: [NodeFile]) -> [String] {
        let text = files.last { $0.path == defaultOptionsPath }?.text ?? ""
        let assignment = "DAEMON_ARGS="
        let values = text.split(separator: "\n").filter { $0.hasPrefix(assignment) }
        guard let value = values.last?.dropFirst(assignment.count),
            let unquoted = try? ShellWords.split(String(value))
        else { return [] }
        return unquoted.flatMap { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    }
}

extension Service {
    /// What it is, in the words of `systemctl status`.
    fileprivate var summary: String {
        switch kind {
        case .http: "the toy web server"
        case .echo: "the toy echo server"
        case .smtp: "the toy mail server"
        case .vrrpAgent: "the VRRP daemon of this project"
        case .keepalived: "keepalived"
        case .frr: "FRR's vrrpd"
        case .command: arguments.first ?? name
        }
    }
}

/// The kernel's load balancer, ip_vs.
enum KernelBalancer {
    /// Whether there is one; asked once, for where it is a module it is loaded by that.
    static let isPresent: Bool = {
        do throws(NetlinkError) {
            _ = try IPVSSocket()
            return true
        } catch {
            return false
        }
    }()
}

extension ServiceSpecification.Readiness {
    fileprivate init(_ readiness: Service.Readiness) {
        self =
            switch readiness {
            case .started: .started
            case .notify: .notify
            case .tcpPort(let port): .tcpPort(port)
            case .file(let path): .file(path)
            case .command(let command): .command(command)
            case .daemon(let pidFile): .daemon(pidFile: pidFile)
            }
    }
}

extension ServiceSpecification.RestartPolicy {
    fileprivate init(_ policy: Service.RestartPolicy) {
        self =
            switch policy {
            case .no: .no
            case .onFailure: .onFailure
            case .always: .always
            }
    }
}
