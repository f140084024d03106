import FoundationEssentials
import Glibc
import LinuxSystem
import SystemPackage

// What an ordinary user's labs can and cannot do.

extension Doctor {
    /// The first argument that makes `labctl` print what the kernel does for it, as JSON: as root
    /// of a user namespace, where its parent cannot be without leaving its own.
    public static let argument = "examine"

    /// Prints it. Does not return.
    public static func printKernelFindings() -> Never {
        do {
            let text = try JSONEncoder().encode(examineKernel())
            try FileSystem.writeAll([UInt8](text)[...], to: STDOUT_FILENO, name: "findings")
            exit(0)
        } catch {
            StandardError.print("\(error)")
            exit(1)
        }
    }

    static let allUsers = Finding(
        capability: "users", isPresent: true, isRequired: false,
        detail: "nodes have all users and groups of the machine")

    /// Whether there can be a user namespace, and who there is in it.
    static func examineUser() -> [Finding] {
        let user = geteuid()
        do {
            let own = try SubordinateIDs.ofProcess()
            let settings = UserNamespaceSettings.ofMachine
            let namespace = attempt(
                "user namespace", "labs are built in one, as user \(user)",
                remedy: settings.remedy ?? "run labctl with sudo"
            ) { try runAsRoot(own.map) }
            return [namespace, describe(own)]
        } catch {
            return [
                Finding(
                    capability: "user namespace", isPresent: false, isRequired: true,
                    detail: "labs are built in one: \(error); run labctl with sudo")
            ]
        }
    }

    /// Who nodes have beside root.
    static func describe(_ own: SubordinateIDs) -> Finding {
        let excluded =
            "services that become another user (nginx, apache2, haproxy, FRR), script_user, "
            + "exec --user, files with an owner"
        return Finding(
            capability: "users", isPresent: own.lack == nil, isRequired: false,
            detail: own.lack.map {
                "nodes have root alone, which leaves out \(excluded): \($0)"
            } ?? "nodes have the users 0 to \(own.map.userCount - 1), by newuidmap")
    }

    /// By what networks get out that are not root's.
    static func examineSlirp4netns() -> Finding {
        let use = "networks that get out by NAT (external: nat)"
        return Finding(
            capability: "slirp4netns", isPresent: Slirp4netns.lack == nil, isRequired: false,
            detail: Slirp4netns.lack.map { "needed for \(use): \($0)" } ?? use)
    }

    /// What there is for root alone.
    static let withoutRoot = [
        Finding(
            capability: "ip netns", isPresent: false, isRequired: false,
            detail: "names in /run/netns are root's: labctl exec NODE -- COMMAND, or "
                + "labctl capture"),
        Finding(
            capability: "host's network", isPresent: false, isRequired: false,
            detail: "the host's own interfaces are root's: networks that are theirs (external: "
                + "macvlan) need it: run labctl with sudo"),
    ]

    /// Does nothing as root of a user namespace, but look whether it has what root has there: an
    /// AppArmor profile may have taken that away.
    private static func runAsRoot(_ map: IDMap) throws {
        let null = try OwnedDescriptor.null()
        var program = Program(
            path: "/bin/sh",
            arguments: ["sh", "-c", "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt"],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            descriptors: [null.rawValue, null.rawValue, null.rawValue])
        program.newNamespaces = [.mount, .network, .pid]
        guard try program.start(inUserNamespace: map).awaitEnd() == .exited(status: 0) else {
            throw SystemError("mount in a user namespace", .notPermitted)
        }
    }

    /// What the kernel does for root of a user namespace; nothing where there is none.
    static func examineKernelInUserNamespace() -> [Finding] {
        do {
            let output = try Pipe.make()
            defer { output.readEnd.close() }
            let null = try OwnedDescriptor.null()
            let path = try LabLauncher.installedLabctl()
            var program = Program(
                path: path, arguments: ["labctl", argument],
                environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                descriptors: [null.rawValue, output.writeEnd.rawValue, STDERR_FILENO])
            program.newNamespaces = [.mount, .network, .pid]
            let started = try program.start(inUserNamespace: SubordinateIDs.ofProcess().map)
            output.writeEnd.close()
            let text = try FileSystem.readAll(output.readEnd.rawValue, name: "findings")
            started.awaitEnd()
            return try JSONDecoder().decode([Finding].self, from: Data(text))
        } catch {
            return [
                Finding(
                    capability: "namespaces", isPresent: false, isRequired: true,
                    detail: "needed for everything: \(error)")
            ]
        }
    }

    /// Whether nodes can have /proc and /sys of their own: the kernel mounts them in a user
    /// namespace only where nothing of the caller's own is covered (mount_too_revealing,
    /// fs/namespace.c).
    static func examineFileSystems() -> Finding {
        let script = "mount -t proc proc /proc && mount -t sysfs -o ro sysfs /sys"
        return attempt(
            "/proc and /sys", "nodes have their own",
            remedy: "where parts of /proc are covered, as in containers, start the container so "
                + "that they are not (docker: --security-opt systempaths=unconfined)"
        ) { try runInNamespaces([.mount, .pid, .network], "/bin/sh", ["-c", script]) }
    }
}
