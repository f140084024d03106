/// What `NodeInit` needs to turn fresh namespaces into a node; the supervisor's first message.
public struct NodeSpecification: Equatable, Sendable, WireCodable {
    /// The node's hostname.
    public var hostname: String
    /// Where the node mounts its disk, which comes with the request to boot; nil where it is
    /// mounted already.
    public var diskFolder: String?
    /// A folder on the node's disk, as the supervisor's mount namespace shows it: it becomes the
    /// node's root.
    public var rootFolder: String
    /// A folder on the node's disk for the upper layers of the host's folders that the node may
    /// write to.
    public var layersFolder: String
    /// In a user namespace, the folder of what stands above the host's folders, from
    /// ``layersFolder``; nil elsewhere.
    public var hostMirror: String?
    /// Our programs, bound into the node's /run/labctl/bin.
    public var programs: [Program]
    /// The folder in which the supervisor keeps what the node's services print, a file each
    /// (``StoredLine``), as its mount namespace shows it; nil for none.
    public var outputFolder: String?
    /// The text of /etc/hosts.
    public var hosts: String
    /// Files laid into the node, in order.
    public var files: [File]
    /// Environment variables (`NAME=value`) of services and commands, on top of the standard ones.
    public var environment: [String]
    /// Its services: the units that the node's own `systemctl` knows.
    public var services: [ServiceSpecification]

    /// A program of ours and where it is on the host.
    public struct Program: Equatable, Sendable {
        public var name: String
        public var hostPath: String
        public init(name: String, hostPath: String) {
            self.name = name
            self.hostPath = hostPath
        }
    }

    /// A file to be written.
    public struct File: Equatable, Sendable {
        public var path: String
        public var contents: [UInt8]
        /// Permission bits.
        public var mode: UInt16
        /// Name or number; nil for root.
        public var owner: String?
        /// Name or number; nil for root.
        public var group: String?
        public init(
            path: String, contents: [UInt8], mode: UInt16, owner: String? = nil,
            group: String? = nil
        ) {
            self.path = path
            self.contents = contents
            self.mode = mode
            self.owner = owner
            self.group = group
        }
    }

    public init(
        hostname: String, diskFolder: String? = nil, rootFolder: String, layersFolder: String,
        programs: [Program], hostMirror: String? = nil, outputFolder: String? = nil,
        hosts: String, files: [File], environment: [String],
        services: [ServiceSpecification] = []
    ) {
        self.hostname = hostname
        self.diskFolder = diskFolder
        self.rootFolder = rootFolder
        self.layersFolder = layersFolder
        self.programs = programs
        self.hostMirror = hostMirror
        self.outputFolder = outputFolder
        self.hosts = hosts
        self.files = files
        self.environment = environment
        self.services = services
    }

    public func write(to writer: inout WireWriter) {
        writer.put(hostname)
        writer.put(diskFolder) { $0.put($1) }
        writer.put(rootFolder)
        writer.put(layersFolder)
        writer.put(programs) { writer, program in
            writer.put(program.name)
            writer.put(program.hostPath)
        }
        writer.put(hostMirror) { $0.put($1) }
        writer.put(outputFolder) { $0.put($1) }
        writer.put(hosts)
        writer.put(files) { writer, file in
            writer.put(file.path)
            writer.put(file.contents)
            writer.put(file.mode)
            writer.put(file.owner) { $0.put($1) }
            writer.put(file.group) { $0.put($1) }
        }
        writer.put(environment) { $0.put($1) }
        writer.put(services) { $1.write(to: &$0) }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        hostname = try reader.text()
        diskFolder = try reader.optional { reader throws(WireError) in try reader.text() }
        rootFolder = try reader.text()
        layersFolder = try reader.text()
        programs = try reader.list { reader throws(WireError) in
            Program(name: try reader.text(), hostPath: try reader.text())
        }
        hostMirror = try reader.optional { reader throws(WireError) in try reader.text() }
        outputFolder = try reader.optional { reader throws(WireError) in try reader.text() }
        hosts = try reader.text()
        files = try reader.list { reader throws(WireError) in
            File(
                path: try reader.text(), contents: try reader.byteString(),
                mode: try reader.integer(),
                owner: try reader.optional { reader throws(WireError) in try reader.text() },
                group: try reader.optional { reader throws(WireError) in try reader.text() })
        }
        environment = try reader.list { reader throws(WireError) in try reader.text() }
        services = try reader.list { reader throws(WireError) in
            try ServiceSpecification(from: &reader)
        }
    }
}

/// How a service of a node is started, watched and stopped.
public struct ServiceSpecification: Equatable, Sendable, WireCodable {
    /// The unit's name; the name of its process as well.
    public var name: String
    /// Other names by which the node's own `systemctl` finds it.
    public var aliases: [String]
    /// What it is, in a few words.
    public var description: String
    /// Whether it is enabled when the node's disk is new: what is enabled starts with the node.
    public var startsWithNode: Bool
    /// The program (a path, or a name looked up in PATH) and its arguments.
    public var command: [String]
    /// When it is ready.
    public var readiness: Readiness
    /// How long it may take to become ready, in nanoseconds, before the start has failed.
    public var readinessTimeoutNanoseconds: Int64
    /// What happens when it ends by itself.
    public var restart: RestartPolicy
    /// How long SIGTERM may take, in nanoseconds, before SIGKILL follows.
    public var stopTimeoutNanoseconds: Int64

    /// When a service counts as ready.
    public enum Readiness: Equatable, Sendable {
        /// As soon as its program runs.
        case started
        /// When it has sent `READY=1` to $NOTIFY_SOCKET (sd_notify(3)).
        case notify
        /// When a TCP socket of the node listens on that port.
        case tcpPort(UInt16)
        /// When that file exists.
        case file(String)
        /// When that command exits with 0.
        case command([String])
        /// When its program has exited with 0 and left a daemon behind, which from then on is its
        /// main process: the one whose number is in the file, or the one that PID 1 has inherited.
        case daemon(pidFile: String?)
    }

    /// What happens when a service ends by itself.
    public enum RestartPolicy: UInt8, Sendable { case no, onFailure, always }

    public init(
        name: String, aliases: [String] = [], description: String = "",
        startsWithNode: Bool = true, command: [String], readiness: Readiness,
        readinessTimeoutNanoseconds: Int64, restart: RestartPolicy, stopTimeoutNanoseconds: Int64
    ) {
        self.name = name
        self.aliases = aliases
        self.description = description
        self.startsWithNode = startsWithNode
        self.command = command
        self.readiness = readiness
        self.readinessTimeoutNanoseconds = readinessTimeoutNanoseconds
        self.restart = restart
        self.stopTimeoutNanoseconds = stopTimeoutNanoseconds
    }

    public func write(to writer: inout WireWriter) {
        writer.put(name)
        writer.put(aliases) { $0.put($1) }
        writer.put(description)
        writer.put(startsWithNode)
        writer.put(command) { $0.put($1) }
        switch readiness {
        case .started: writer.put(UInt8(0))
        case .notify: writer.put(UInt8(1))
        case .tcpPort(let port):
            writer.put(UInt8(2))
            writer.put(port)
        case .file(let path):
            writer.put(UInt8(3))
            writer.put(path)
        case .command(let command):
            writer.put(UInt8(4))
            writer.put(command) { $0.put($1) }
        case .daemon(let pidFile):
            writer.put(UInt8(5))
            writer.put(pidFile) { $0.put($1) }
        }
        writer.put(readinessTimeoutNanoseconds)
        writer.put(restart.rawValue)
        writer.put(stopTimeoutNanoseconds)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        name = try reader.text()
        aliases = try reader.list { reader throws(WireError) in try reader.text() }
        description = try reader.text()
        startsWithNode = try reader.bool()
        command = try reader.list { reader throws(WireError) in try reader.text() }
        switch try reader.integer(UInt8.self) {
        case 0: readiness = .started
        case 1: readiness = .notify
        case 2: readiness = .tcpPort(try reader.integer())
        case 3: readiness = .file(try reader.text())
        case 4:
            readiness = .command(
                try reader.list { reader throws(WireError) in try reader.text() })
        case 5:
            readiness = .daemon(
                pidFile: try reader.optional { reader throws(WireError) in try reader.text() })
        default: throw WireError(expected: "a kind of readiness")
        }
        readinessTimeoutNanoseconds = try reader.integer()
        guard let policy = RestartPolicy(rawValue: try reader.integer()) else {
            throw WireError(expected: "a restart policy")
        }
        restart = policy
        stopTimeoutNanoseconds = try reader.integer()
    }
}
