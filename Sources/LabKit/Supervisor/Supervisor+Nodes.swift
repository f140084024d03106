import CLinux
import Glibc
import LabModel
import LinuxSystem
import NodeProtocol

// How nodes come up: the first process, its links, its services.

extension Supervisor {
    /// Starts a node that is down.
    func boot(_ node: RunningNode) throws {
        try startFirstProcess(node)
        try plugIn(node)
    }

    /// Starts a node again that has rebooted itself.
    func bootSoon(_ node: RunningNode) {
        loop.schedule(after: .zero) { [unowned self, unowned node] in
            // Somebody else may have been faster.
            guard !node.isAlive else { return }
            do {
                try boot(node)
            } catch {
                StandardError.print("node \(node.node.name) does not come up again: \(error)")
                node.kill(as: .failed)
            }
        }
    }

    /// Does the next step of bringing the lab up, and has those after it done when what has
    /// happened meanwhile is handled.
    func goOnBringingUp() {
        isBringingUp = false
        do {
            switch bringUp.next() {
            case .startFirstProcess(let number):
                // Somebody who could not wait may have started it.
                if !nodes[number].isAlive { try startFirstProcess(nodes[number]) }
            case .plugIn(let number):
                try plugIn(nodes[number])
                // What its kernel tells meanwhile is stamped when it is read.
                observer.catchUp()
            case nil:
                if bringUp.hasPluggedInAll, !fabric.isOn { try turnOn() }
                return
            }
        } catch let error as LabError {
            fail(error)
        } catch {
            fail(LabError(refusal: error))
        }
        isBringingUp = true
        loop.schedule(after: .zero) { [unowned self] in goOnBringingUp() }
    }

    // No service starts before: the first would find themselves alone in their networks.
    private func turnOn() throws {
        zygote?.close()
        zygote = nil
        try fabric.turnOn()
        for node in nodes { startServicesIfPossible(node) }
        reconsider()
    }

    /// Makes room for the next node to come up, when one has its file system or has ended.
    func hasSettled(_ node: RunningNode) {
        guard let number = nodes.firstIndex(where: { $0 === node }) else { return }
        bringUp.settle(number)
        if !isBringingUp { goOnBringingUp() }
    }

    /// Starts a node's PID 1 and tells it what to become.
    func startFirstProcess(_ node: RunningNode) throws {
        let name = node.node.name
        timeline.record(.node(name, .starting))
        let disk = try disks.open(name)
        let group = freezer?.makeGroup(of: name)
        defer { group?.close() }
        try node.boot(
            try specification(of: node.node), disk: disk, walls: try makeWalls(),
            program: order.programFolder + "/node-init", log: STDERR_FILENO,
            group: group?.rawValue, zygote: zygote,
            admit: { [unowned self] process in
                if group != nil, !process.isInControlGroup {
                    freezer?.admit(process.pid, of: name)
                }
                limiter.admit(name)
            })
    }

    /// The network of a node that starts; nil where it is to belong to the lab's user namespace.
    private func makeWalls() throws -> WalledNetwork? {
        guard order.hasWalls else { return nil }
        do throws(SystemError) {
            return try WalledNetwork.make()
        } catch {
            // A user's lab is in one already, in which the kernel may want no more of them.
            if order.users != nil { return nil }
            throw SystemError(
                "\(error.operation), of which the machine has its limits "
                    + "(sysctl user.max_user_namespaces)", error.code)
        }
    }

    /// Makes a node's links, and starts its services if its file system stands already.
    func plugIn(_ node: RunningNode) throws {
        guard let pid = node.process?.pid else { return }
        try fabric.connect(node.node, pid: pid)
        wires.update()
        // /run/netns is root's alone.
        if let hostPID = node.hostPID, order.users == nil {
            try directory.nameNamespace(of: node.node.name, hostPID: hostPID)
        }
        startServicesIfPossible(node)
    }

    private func specification(of node: Node) throws(SystemError) -> NodeSpecification {
        let programs = LabLauncher.nodePrograms.map {
            NodeSpecification.Program(name: $0, hostPath: "\(order.programFolder)/\($0)")
        }
        return NodeSpecification(
            hostname: node.name, diskFolder: disks.path(node.name),
            rootFolder: "\(disks.path(node.name))/root",
            layersFolder: "\(disks.path(node.name))/layers", programs: programs,
            hostMirror: order.hostFolders.map { _ in "../../\(HostMirror.name)" },
            // What a node without services prints is nothing.
            outputFolder: node.services.isEmpty ? nil : try output.folder(of: node.name),
            hosts: hostsFiles.text(for: node.name),
            files: node.files.map {
                NodeSpecification.File(
                    path: $0.path, contents: $0.contents, mode: $0.mode, owner: $0.owner,
                    group: $0.group)
            },
            environment: node.environment.map { "\($0.name)=\($0.value)" },
            services: node.services.map { ServiceSpecification($0, of: node) })
    }

    // Its services start when its file system and its network are there, whichever comes last, and
    // the lab's switches are on.
    func startServicesIfPossible(_ node: RunningNode) {
        guard node.hasBooted, node.state == .starting, fabric.isOn,
            fabric.namespaceID(of: node.node.name) != nil
        else { return }
        node.set(node.node.sysctls)
        for service in node.node.services where node.isEnabled(service.name) {
            node.send(.start(ServiceSpecification(service, of: node.node)))
        }
        node.markRunning()
        timeline.record(.node(node.node.name, .running))
    }
}
