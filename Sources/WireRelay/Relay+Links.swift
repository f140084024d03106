import LinuxSystem
import NetworkTypes
import Wire

/// A request that cannot be done.
struct RefusedRequest: Error, CustomStringConvertible {
    var description: String
}

extension Relay {
    /// Has these links in force, and no others; all of it or nothing. A link that stays keeps what
    /// is queued, and the numbers of rules that stay; what is queued in one that goes is lost, as
    /// what is in a cable when it is cut.
    ///
    /// - Throws: ``RefusedRequest`` for links that make no sense, ``SystemError`` where an
    ///   interface cannot be opened.
    func set(_ wanted: [WireLink]) throws {
        try validate(wanted)
        // Everything that can fail comes first.
        var opened: [String: (node: PacketPort, network: PacketPort)] = [:]
        for link in wanted where links[link.name]?.isBetween(link) != true {
            opened[link.name] = (
                try open(link.node, of: link), try open(link.network, of: link)
            )
        }
        let names = Set(wanted.map(\.name))
        for link in links.values where !names.contains(link.name) || opened[link.name] != nil {
            remove(link)
        }
        for link in wanted {
            guard let ports = opened[link.name] else {
                links[link.name]?.apply(link)
                continue
            }
            let created = RelayLink(
                link, node: ports.node, network: ports.network, numbers: freeNumbers())
            do {
                for path in [created.inward, created.outward] {
                    paths[Int(path.number)] = path
                    try watch(path.source.descriptor, as: UInt64(path.number))
                }
                links[link.name] = created
            } catch {
                // The kernel has no memory left for it: there is nothing to go back to.
                remove(created)
                reply(WireReply(ended: .init(link: link.name, reason: "\(error)")))
            }
        }
    }

    private func validate(_ wanted: [WireLink]) throws(RefusedRequest) {
        var problems = wanted.flatMap(\.problems)
        var names: Set<String> = []
        var users: [Int32: String] = [:]
        for link in wanted {
            if !names.insert(link.name).inserted {
                problems.append("two links \(link.name): a name is one link's")
            }
            for interface in [link.node, link.network] {
                if let user = users.updateValue(link.name, forKey: interface), user != link.name {
                    problems.append(
                        "interface \(interface) of links \(user) and \(link.name): "
                            + "an interface is an end of one link")
                }
            }
        }
        guard problems.isEmpty else {
            throw RefusedRequest(description: problems.joined(separator: "; "))
        }
    }

    private func open(_ index: Int32, of link: WireLink) throws -> PacketPort {
        do throws(SystemError) {
            return try PacketPort(index: index)
        } catch {
            throw RefusedRequest(description: "link \(link.name): \(error)")
        }
    }

    private func freeNumbers() -> (Int32, Int32) {
        var free = paths.indices.filter { paths[$0] == nil }
        while free.count < 2 {
            free.append(paths.count)
            paths.append(nil)
        }
        return (Int32(free[0]), Int32(free[1]))
    }

    /// Ends a link: its sockets close, what it has queued is lost.
    func remove(_ link: RelayLink) {
        let numbers = [link.inward.number, link.outward.number]
        // It would keep the sockets of a path that is no more.
        flush()
        outgoingPath = nil
        queue.removeAll { frame in
            guard numbers.contains(frame.path) else { return false }
            queuedBytes -= Int(frame.length)
            frame.free()
            return true
        }
        for number in numbers {
            // Closing would do it, but that takes its time.
            if let path = paths[Int(number)] { stopWatching(path.source.descriptor) }
            paths[Int(number)] = nil
        }
        if links[link.name] === link { links[link.name] = nil }
    }

    /// Ends every link of which an interface is no more, and says so.
    func endLinksWithoutInterfaces() {
        for link in links.values {
            guard let port = [link.node, link.network].first(where: { !$0.hasInterface }) else {
                continue
            }
            remove(link)
            reply(
                WireReply(
                    ended: .init(link: link.name, reason: "interface \(port.index) is gone")))
        }
    }
}
