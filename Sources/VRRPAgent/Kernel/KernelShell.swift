import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage

/// The sockets by which the agent reads and changes the kernel's tables, and what it knows of them.
///
/// One for the process. It belongs to the network namespace in which it was made.
final class KernelShell {
    private let route: RouteSocket
    private let monitor: RouteMonitor
    private let log: Log

    /// The interfaces, as they were when ``drain()`` was last called.
    private(set) var interfaces = InterfaceTable()

    /// The descriptor on which changes are announced.
    var descriptor: CInt { monitor.descriptor }

    /// What changed.
    struct Report {
        /// About interfaces, in order.
        var changes: [InterfaceTable.Change] = []
        /// What is gone from the kernel's tables and has not come back meanwhile.
        var gone: Set<KernelObject.Key> = []
        /// Whether notifications were lost. `changes` is complete all the same: the tables were
        /// read anew. Of routes and rules in `gone` some may be missing.
        var wasOverrun = false
    }

    /// - Parameters:
    ///   - watchesRouting: whether routes and rules matter: without any configured, a machine whose
    ///     routes change all the time should not wake the agent.
    ///   - receiveBufferBytes: how much may wait to be read before notifications are lost.
    /// - Throws: ``NetlinkError`` where the kernel refuses a socket or a reading.
    init(
        log: Log, watchesRouting: Bool = false,
        receiveBufferBytes: CInt = RouteMonitor.receiveBufferBytes
    ) throws(NetlinkError) {
        self.log = log
        // First, so that no change between a table's reading and now is missed.
        monitor = try RouteMonitor(
            watchesRouting ? [.links, .addresses, .routes, .rules] : [.links, .addresses],
            receiveBufferBytes: receiveBufferBytes)
        route = try RouteSocket()
        _ = interfaces.replace(links: try route.links(), addresses: try route.addresses())
    }

    /// Takes in what the kernel has told since the last call.
    ///
    /// After a loss (ENOBUFS) it reads all interfaces and addresses instead, so that what is known
    /// is right again whatever was lost.
    ///
    /// - Throws: ``NetlinkError`` when a socket fails.
    func drain() throws(NetlinkError) -> Report {
        var report = Report()
        while true {
            let notifications = try monitor.drain()
            if notifications.isEmpty { break }
            for notification in notifications {
                report.changes += interfaces.handle(notification.kind)
                report.note(notification.kind)
                if notification.kind == .overrun { report.wasOverrun = true }
            }
        }
        guard report.wasOverrun else { return report }
        log.line("Netlink: notifications were lost, reading all interfaces anew")
        let links = try route.links()
        let addresses = try route.addresses()
        let present = Set(
            addresses.map { KernelObject.Key.address($0.address, index: $0.interfaceIndex) })
        for change in interfaces.replace(links: links, addresses: addresses) {
            report.changes.append(change)
            if case .removed(let address, let name) = change, let interface = interfaces[name] {
                report.gone.insert(.address(address, index: interface.device.index))
            }
        }
        report.gone.subtract(present)
        return report
    }

    /// The interface of that name.
    func device(_ name: InterfaceName) -> Device? { interfaces[name]?.device }

    /// Performs requests in as few system calls as possible, and logs those that fail.
    ///
    /// - Parameters:
    ///   - owner: whom the log names: `(VI_1) `, or nothing.
    ///   - codes: failures that are none.
    func perform(_ requests: [Request], for owner: String, tolerating codes: Set<Errno> = []) {
        guard !requests.isEmpty else { return }
        do throws(NetlinkError) {
            for case let error? in try route.attempt(requests) where !codes.contains(error.code) {
                log.line("\(owner)\(error)")
            }
        } catch {
            log.line("\(owner)\(error)")
        }
    }

    /// Puts objects into the kernel's tables; those that are there are left as they are.
    func add(_ objects: [KernelObject], for owner: String) {
        var requests: [Request] = []
        for object in objects {
            do throws(NetlinkError) {
                if let request = try object.addition(device) {
                    requests.append(request)
                } else {
                    log.line("\(owner)Not adding \(object) since interface doesn't exist")
                }
            } catch {
                log.line("\(owner)\(error)")
            }
        }
        perform(requests, for: owner, tolerating: KernelObject.toleratedAtAddition)
    }

    /// What puts addresses into the kernel's tables, made in advance.
    ///
    /// - Returns: nil when one system call does not do, or an interface is not there.
    func additions(of addresses: [KernelObject]) -> RequestBatch? {
        var requests: [Request] = []
        for address in addresses {
            guard case .address = address, let request = try? address.addition(device) else {
                return nil
            }
            requests.append(request)
        }
        return RequestBatch(requests)
    }

    /// Puts objects into the kernel's tables with what was made for that while the interfaces were
    /// what they are.
    func add(_ additions: RequestBatch, for owner: @autoclosure () -> String) {
        do throws(NetlinkError) {
            for error in try route.attempt(additions)
            where !KernelObject.toleratedAtAddition.contains(error.code) {
                log.line("\(owner())\(error)")
            }
        } catch {
            log.line("\(owner())\(error)")
        }
    }

    /// Asks the kernel for nothing: what asking needs of this program is in memory then.
    func rehearse() { route.rehearse() }

    /// Takes objects out of the kernel's tables, where they are there.
    func remove(_ objects: [KernelObject], for owner: String) {
        var requests: [Request] = []
        for object in objects {
            do throws(NetlinkError) {
                if let request = try object.removal(device) { requests.append(request) }
            } catch {
                log.line("\(owner)\(error)")
            }
        }
        perform(requests, for: owner, tolerating: KernelObject.toleratedAtRemoval)
    }

    /// Takes objects out of the kernel's tables, but for addresses that are not known to be there:
    /// what nobody has left behind a thousand instances need not ask for.
    func removeKnown(_ objects: [KernelObject], for owner: String) {
        remove(objects.filter { $0.mayBe(in: interfaces) }, for: owner)
    }

    /// Removes a link that the agent made, and takes in that it is gone.
    func delete(_ link: Device, for owner: String) {
        do throws(NetlinkError) {
            perform([try .delete(link)], for: owner, tolerating: [.operationNotSupportedByDevice])
        } catch {
            log.line("\(owner)\(error)")
        }
        interfaces.remove(index: link.index)
    }

    /// Gives an interface an address of its own, and takes in that it is there: it can be used at
    /// once, but of one of IPv6 the kernel tells later, as if it had looked for duplicates.
    func assign(
        _ address: InterfaceAddress, to device: Device, scope: Scope? = nil,
        preferredSeconds: UInt32? = nil, for owner: String
    ) {
        let flags: AddressFlags = address.address.family == .v6 ? .noDuplicateDetection : []
        do throws(NetlinkError) {
            let request = try Request.add(
                address, to: device, scope: scope, flags: flags, preferredSeconds: preferredSeconds)
            if let error = try route.attempt([request]).first ?? nil {
                if error.code != .fileExists { log.line("\(owner)\(error)") }
                return
            }
        } catch {
            return log.line("\(owner)\(error)")
        }
        let assigned = AssignedAddress(address, interfaceIndex: device.index, flags: flags)
        _ = interfaces.handle(.addressAdded(assigned))
    }

    /// Makes a link and takes in that it is there.
    ///
    /// - Throws: ``NetlinkError`` where the kernel refuses.
    func make(_ link: VirtualLink) throws(NetlinkError) -> Device? {
        try route.perform(.add(link))
        guard let made = try route.link(named: link.name) else { return nil }
        // Told as well, and known by then.
        _ = interfaces.handle(.link(made))
        return made.device
    }
}

extension KernelShell.Report {
    /// Keeps what is gone up to date with a notification.
    fileprivate mutating func note(_ notification: Notification.Kind) {
        switch notification {
        case .addressAdded(let address):
            gone.remove(.address(address.address, index: address.interfaceIndex))
        case .addressRemoved(let address):
            gone.insert(.address(address.address, index: address.interfaceIndex))
        case .routeAdded(let route): gone.remove(KernelObject.Key(route))
        case .routeRemoved(let route): gone.insert(KernelObject.Key(route))
        case .ruleAdded(let rule): gone.remove(KernelObject.Key(rule))
        case .ruleRemoved(let rule): gone.insert(KernelObject.Key(rule))
        case .link, .linkRemoved, .bridgePort, .neighbour, .neighbourRemoved, .overrun: break
        }
    }
}
