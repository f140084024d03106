import CLinux
import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem
import SystemPackage

/// Starts labs.
public enum LabLauncher {
    /// The programs that labs need, which are installed beside `labctl`.
    static let programs = ["node-init", "wire-relay", "imposter", "port-proxy"] + nodePrograms
    /// Those that are run in nodes, by their names.
    static let nodePrograms = ["vrrp-agent", "http-backend", "smtp-backend"]

    /// Brings a lab up: starts its supervisor and waits until every node is up and every service
    /// ready.
    ///
    /// - Parameters:
    ///   - loaded: the lab, checked.
    ///   - endsWithCaller: whether the lab is taken down when this process ends or lets go of the
    ///     client, however it ends; for tests and demonstrations.
    ///   - supervisor: the path of `labctl`, which is the supervisor's program too; nil for this
    ///     process's own program.
    /// - Returns: a client of the lab.
    /// - Throws: ``LabError``; nothing of the lab is left then.
    public static func up(
        _ loaded: LoadedLab, endsWithCaller: Bool = false, supervisor: String? = nil
    ) throws(LabError) -> LabClient {
        try begin(loaded, endsWithCaller: endsWithCaller, supervisor: supervisor).finish()
    }

    /// Begins to bring a lab up, as ``up(_:endsWithCaller:supervisor:)`` does, without waiting.
    ///
    /// - Throws: ``LabError``; nothing of the lab is left then.
    public static func begin(
        _ loaded: LoadedLab, endsWithCaller: Bool = false, supervisor: String? = nil
    ) throws(LabError) -> LabLaunch {
        let program: String
        if let supervisor { program = resolved(supervisor) } else { program = try ownProgram() }
        let folder = String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)])
        try checkPrograms(loaded.lab, folder: folder)
        let privileges = try Privileges.ofCaller()
        try checkUsers(loaded.lab, privileges)
        if let lack = Doctor.lack(of: loaded.lab.needs) {
            throw .machine("lab \(loaded.lab.name) needs \(lack)")
        }
        LabDirectory.sweep()
        let directory = LabDirectory(loaded.lab.name)
        let lock = try directory.claim()
        do {
            var lab = loaded.lab
            let doors = try HostDoors(for: &lab, asRoot: privileges == .root)
            var order = SupervisorOrder(
                lab: lab, virtualRouters: loaded.virtualRouters, programFolder: folder,
                endsWithLauncher: endsWithCaller, hasWalls: NodeWalls.lack(for: lab) == nil)
            if let users = privileges.map {
                order.users = users
                order.hostFolders = .ofMachine()
                order.hostAddresses = try doors.hostAddresses()
            }
            return try start(order, program: program, directory: directory, lock: lock, doors)
        } catch {
            lock.close()
            LabDirectory.sweep()
            throw LabError(refusal: error)
        }
    }

    /// The path of `labctl`, be it the running program or another's.
    static func installedLabctl() throws(LabError) -> String {
        let own = try ownProgram()
        return own.hasSuffix("/labctl") ? own : try installedSupervisor()
    }

    /// The file that a path leads to: what belongs to labctl is beside that, and not beside a link
    /// to it in a folder of `$PATH`.
    private static func resolved(_ path: String) -> String {
        guard let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }

    private static func ownProgram() throws(LabError) -> String {
        do {
            return try FileSystem.ownProgram()
        } catch {
            throw .machine("\(error)")
        }
    }

    /// The path of `labctl` for a program that is not it: in `$LABCTL_BIN`, beside the running
    /// program, or in `$PATH`.
    static func installedSupervisor() throws(LabError) -> String {
        if let folder = getenv("LABCTL_BIN") { return String(cString: folder) + "/labctl" }
        let own = try ownProgram()
        let neighbour = own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/labctl"
        if access(String(neighbour), X_OK) == 0 { return String(neighbour) }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        if let found = Program.lookUp("labctl", path: path) { return found }
        throw .machine(
            "labctl is neither beside \(own) nor in $PATH: build it with `swift build`, "
                + "or name its folder in LABCTL_BIN")
    }

    /// What an ordinary user, or one without a range of ids, cannot have: a device on the host; and
    /// FRR, whose programs become a user of their own whatever they are told.
    private static func checkUsers(_ lab: Lab, _ privileges: Privileges) throws(LabError) {
        guard let map = privileges.map else { return }
        for network in lab.networks {
            guard let parent = network.parent else { continue }
            throw .machine(
                "network \(network.name) is that of this machine's \(parent), whose macvlans are "
                    + "root's to make: run labctl with sudo, or let the network get out by "
                    + "`external: nat`")
        }
        guard !map.hasRange,
            let node = lab.nodes.first(where: { $0.services.contains { $0.kind == .frr } })
        else { return }
        let lack = (try? SubordinateIDs.ofProcess().lack) ?? IDMap.rootAloneHint
        throw .machine("FRR on node \(node.name) needs the user frr beside root: \(lack)")
    }

    private static func checkPrograms(_ lab: Lab, folder: String) throws(LabError) {
        for name in programs where access("\(folder)/\(name)", X_OK) != 0 {
            throw .machine(
                "\(name) is not in \(folder), where labctl is: build it with `swift build`")
        }
        let services = lab.nodes.flatMap(\.services)
        if services.contains(where: { $0.kind == .keepalived }),
            Program.lookUp("keepalived", path: "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin") == nil
        {
            throw .machine(
                "keepalived is not installed: apt-get install keepalived, "
                    + "or use `--vrrp vrrp-agent`")
        }
        if services.contains(where: { $0.kind == .frr }),
            access("\(FRRService.folder)/vrrpd", X_OK) != 0
        {
            throw .machine(
                "FRR is not installed: apt-get install frr, or use `--vrrp vrrp-agent`")
        }
    }

    private static func start(
        _ order: SupervisorOrder, program: String, directory: LabDirectory, lock: SharedDescriptor,
        _ doors: HostDoors
    ) throws(LabError) -> LabLaunch {
        do {
            let (ours, theirs) = try MessageChannel.pair()
            let null = try OwnedDescriptor.null()
            let log = try FileSystem.openForAppending(
                directory.logPath, followsLinks: false)
            var start = Program(
                path: program, arguments: SupervisorProgram.arguments(directory),
                environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                descriptors: [
                    null.rawValue, log.rawValue, log.rawValue, theirs.rawValue, lock.rawValue,
                ] + doors.descriptors)
            start.newNamespaces = [.pid, .mount, .network]
            start.leadsSession = true
            start.workingDirectory = "/"
            let started = try begin(start, order)
            theirs.close()
            lock.close()
            doors.close()
            let channel = try MessageChannel(ours)
            let launch = LabLaunch(
                channel, supervisor: started, directory: directory,
                endsWithCaller: order.endsWithLauncher, slirp4netns: doors.slirp4netns)
            try tell(order, over: channel)
            return launch
        } catch {
            throw LabError(refusal: error)
        }
    }

    private static func begin(
        _ supervisor: Program, _ order: SupervisorOrder
    ) throws -> Program.Started {
        guard let users = order.users else { return try supervisor.start() }
        do {
            return try supervisor.start(inUserNamespace: users)
        } catch let error as SystemError {
            throw Privileges.refusal(error)
        }
    }

    /// Sends the order, whole; that the supervisor has ended meanwhile shows when it is asked.
    private static func tell(_ order: SupervisorOrder, over channel: MessageChannel) throws {
        do {
            try channel.send(Array(JSONEncoder().encode(order)))
            while channel.hasPendingOutput {
                var waiting = pollfd(
                    fd: channel.socket.rawValue, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
                try channel.flush()
            }
        } catch let error as SystemError
            where error.code == .brokenPipe || error.code == .connectionReset
        {}
    }
}

extension LabError {
    init(_ kind: ControlReply.FailureKind, _ message: String) {
        self =
            switch kind {
            case .machine: .machine(message)
            case .state: .state(message)
            case .failed: .failed(message)
            }
    }
}
