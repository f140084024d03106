import CLinux
import Glibc
import LinuxSystem
import NodeProtocol
import SystemPackage

// How `cp` carries files and folders between this machine and a node: tar(1) packs them at the one
// end and unpacks them at the other.

extension LabClient {
    /// Packs a file or folder: `$1` is the folder it is in, `$2` its name.
    private static let pack = "exec tar -C \"$1\" -cf - -- \"$2\""

    /// Unpacks what was packed under the name `$2` as `$1`, or into `$1` if that is a folder. What
    /// arrives is whole before it has its name; owners stay behind, as with `docker cp`.
    private static let unpack = """
        set -e
        target=$1 name=$2
        if [ "$name" != . ] && [ -d "$target" ]; then target=${target%/}/$name; fi
        parent=$(dirname -- "$target")
        [ -d "$parent" ] || { echo "$parent: no such folder" >&2; exit 1; }
        work=$(mktemp -d -- "$parent/.labctl-cp.XXXXXX")
        trap 'rm -rf -- "$work"' EXIT
        tar -C "$work" --no-same-owner -xpf -
        eval "$3"
        if [ -d "$work/$name" ]; then
            mkdir -p -- "$target"
            cp -a --remove-destination -- "$work/$name/." "$target/"
        else
            mv -f -- "$work/$name" "$target"
        fi
        """

    /// What of a node's is not let onto this machine, whatever its tar sends: devices, sockets and
    /// FIFOs, and the rights of set-user-ID programs, which would be root's.
    private static let disarm = """
        find "$work" ! -type f ! -type d ! -type l -delete
        find "$work" -type f -perm /6000 -exec chmod ug-s {} +
        """

    /// Copies a file or folder of this machine into a node. Like `docker cp SOURCE NODE:PATH`.
    ///
    /// - Parameter source: with `/.` at its end, what is in the folder instead of the folder.
    /// - Throws: ``LabError/failed(_:)`` with what tar or the shell says.
    public func copy(_ source: String, into node: String, at path: String) throws(LabError) {
        let (folder, name) = Self.split(source)
        try transfer(
            from: (nil, ["sh", "-c", Self.pack, "sh", folder, name]),
            to: (node, ["sh", "-c", Self.unpack, "sh", path, name, ""]))
    }

    /// Copies a file or folder of a node to this machine. Like `docker cp NODE:PATH TARGET`.
    ///
    /// - Throws: As the other.
    public func copy(_ path: String, outOf node: String, to target: String) throws(LabError) {
        let (folder, name) = Self.split(path)
        try transfer(
            from: (node, ["sh", "-c", Self.pack, "sh", folder, name]),
            to: (nil, ["sh", "-c", Self.unpack, "sh", target, name, Self.disarm]))
    }

    /// The folder that something is in, and its name there.
    static func split(_ path: String) -> (folder: String, name: String) {
        if path.hasSuffix("/.") || path == "." { return (path, ".") }
        var path = Substring(path)
        while path.count > 1, path.last == "/" { path.removeLast() }
        guard let slash = path.lastIndex(of: "/") else { return (".", String(path)) }
        let name = path[path.index(after: slash)...]
        // Of the root there is only what is in it.
        guard !name.isEmpty else { return ("/", ".") }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(name))
    }

    /// A command, in a node or (nil) on this machine.
    private typealias End = (node: String?, command: [String])

    private func transfer(from source: End, to target: End) throws(LabError) {
        do {
            let stream = try Pipe.make()
            let null = SharedDescriptor(try OwnedDescriptor.null())
            let reader = try RunningEnd(
                target, of: directory, input: stream.readEnd, output: null)
            stream.readEnd.close()
            let writer = try RunningEnd(
                source, of: directory, input: null, output: stream.writeEnd)
            stream.writeEnd.close()
            // The writer's complaint explains the reader's.
            let complaints = try [writer.complaint(), reader.complaint()].compactMap(\.self)
            if let first = complaints.first { throw LabError.failed(first) }
        } catch {
            throw LabError(refusal: error)
        }
    }
}

/// One end of a copy: a command, wherever it runs.
private final class RunningEnd {
    private let errors: SharedDescriptor
    private let what: String
    private var process: Program.Started?
    private var connection: ControlConnection?

    init(
        _ end: (node: String?, command: [String]), of directory: LabDirectory,
        input: SharedDescriptor, output: SharedDescriptor
    ) throws {
        let (errors, errorsEnd) = try Pipe.make()
        self.errors = errors
        what = end.node ?? "here"
        if let node = end.node {
            let connection = try ControlConnection(directory)
            try connection.send(
                .execute(node: node, ExecuteOptions(command: end.command, environment: [])),
                descriptors: [input, output, errorsEnd])
            self.connection = connection
        } else {
            var program = Program(
                path: "/bin/sh", arguments: end.command,
                environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"],
                descriptors: [input.rawValue, output.rawValue, errorsEnd.rawValue])
            program.workingDirectory = try FileSystem.workingFolder()
            process = try program.start()
        }
    }

    /// Waits until it has ended; what it had to complain of, if it failed. A writer whose reader is
    /// gone has nothing to complain of: the reader has, or had all it needed.
    func complaint() throws -> String? {
        let status: Int32
        let text: String
        if let connection {
            let result = try LabClient.collect(
                connection.channel, output: nil, errors: errors, what: what)
            (status, text) = (result.status, result.errors)
        } else {
            let bytes = try FileSystem.readAll(errors.rawValue, name: "a pipe")
            text = String(decoding: bytes, as: UTF8.self)
            status = try end()
        }
        guard status != 0, status != 128 + SIGPIPE else { return nil }
        let lines = text.split(separator: "\n")
        return "\(what): " + (lines.first.map(String.init) ?? "ended with status \(status)")
    }

    private func end() throws -> Int32 {
        guard let process else { return 0 }
        var status: CInt = 0
        try systemCall("wait for process \(process.pid)") { waitpid(process.pid, &status, 0) }
        return switch Termination(waitStatus: status) {
        case .exited(let status): status
        case .signalled(let signal): 128 + signal
        }
    }
}
