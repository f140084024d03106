import NetworkTypes

extension ConfigurationPrinter {
    mutating func write(_ instance: VRRPInstance) {
        block("vrrp_instance \(token(instance.name))") { printer in
            printer.writeIdentity(instance)
            printer.writeElection(instance)
            printer.writeAddresses(instance)
            printer.writeSwitches(instance)
            printer.write(instance.announcements)
            printer.writeTracked(
                interfaces: instance.trackedInterfaces, scripts: instance.trackedScripts,
                files: instance.trackedFiles, processes: instance.trackedProcesses)
            printer.write(instance.notify, of: instance)
        }
    }

    private mutating func writeIdentity(_ instance: VRRPInstance) {
        value("interface", "\(instance.interface)")
        value("virtual_router_id", instance.virtualRouterID)
        value("version", instance.version.rawValue)
        if let own = instance.virtualInterface { write(own) }
        flag("use_vmac_addr", instance.usesVMACForOtherAddresses)
        let (type, key): (String, [UInt8])
        switch instance.authentication {
        case nil: return
        case .password(let bytes): (type, key) = ("PASS", bytes)
        case .header(let bytes): (type, key) = ("AH", bytes)
        }
        block("authentication") { printer in
            printer.value("auth_type", type)
            printer.value("auth_pass", printer.token(String(decoding: key, as: UTF8.self)))
        }
    }

    private mutating func write(_ own: VRRPInstance.VirtualInterface) {
        let name = own.nameIsWritten ? "\(own.name)" : nil
        switch own.kind {
        case .macvlan: line("use_vmac", name, own.address.map { "\($0)" })
        case .ipvlan:
            line("use_ipvlan", name, own.interfaceAddress.map { "\($0)" }, "\(own.mode)")
        }
        flag("vmac_xmit_base", own.transmitsFromBase)
    }

    private mutating func writeElection(_ instance: VRRPInstance) {
        // In a group, MASTER clears `nopreempt` and is then made BACKUP with the other members.
        let wasMaster =
            instance.syncGroup != nil && instance.nopreemptWritten && !instance.nopreempt
            && instance.priority != 255
        value("state", (wasMaster ? .master : instance.initialState).rawValue)
        value("priority", instance.priority)
        value("advert_int", instance.advertisementInterval)
        flag("nopreempt", instance.nopreemptWritten)
        value("preempt_delay", nonzero(instance.preemptDelay))
        value("down_timer_adverts", instance.masterDownAdvertisements)
        value("strict_mode", instance.isStrict)
        value("lower_prio_no_advert", instance.ignoresLowerPriority)
        value("higher_prio_send_advert", instance.advertisesBeforeYielding)
    }

    private mutating func writeAddresses(_ instance: VRRPInstance) {
        let isUnicast = !instance.unicastPeers.isEmpty
        value(
            isUnicast ? "unicast_src_ip" : "mcast_src_ip",
            instance.sourceAddress.map { "\($0)" })
        let lifetimes = instance.unicastPeerTimesToLive
        let peers = instance.unicastPeers.enumerated().map { index, peer in
            let bounds = index < lifetimes.count ? lifetimes[index] : nil
            return "\(peer)"
                + (bounds.map { " min_ttl \($0.lowerBound) max_ttl \($0.upperBound)" } ?? "")
        }
        list("unicast_peer", peers)
        value("unicast_ttl", instance.unicastTimeToLive)
        flag("check_unicast_src", instance.checksUnicastSource)
        flag("unicast_fault_no_peer", instance.faultsWithoutPeer)
        switch instance.unicastChecksum {
        case .current: break
        case .old: line("old_unicast_checksum")
        case .neverOld: line("old_unicast_checksum", "never")
        }
        value("mcast_dst_ip", instance.multicastGroup.map { "\($0)" })
        list("virtual_ipaddress", instance.virtualAddresses.map(address))
        list("virtual_ipaddress_excluded", instance.excludedAddresses.map(address))
        list("virtual_routes", instance.virtualRoutes.map(route))
        list("virtual_rules", instance.virtualRules.map(rule))
    }

    private mutating func writeSwitches(_ instance: VRRPInstance) {
        value("skip_check_adv_addr", instance.skipsAddressCheck)
        line(instance.acceptsPackets ? "accept" : "no_accept")
        flag("dont_track_primary", instance.ignoresOwnInterface)
        flag("track_src_ip", instance.tracksSourceAddress)
        flag("promote_secondaries", instance.promotesSecondaries)
        flag("v3_checksum_as_v2", instance.checksumOmitsPseudoHeader)
        value("smtp_alert", instance.smtpAlert)
        value("notify_priority_changes", instance.notifiesPriorityChanges)
        line(
            "garp_extra_if", instance.announcesOnAllInterfaces ? "all" : nil,
            seconds(instance.extraAnnouncementInterval))
    }

    private mutating func write(_ announcements: AnnouncementSettings) {
        value("garp_master_delay", announcements.masterDelay)
        value("garp_master_repeat", announcements.masterRepeat)
        value("garp_master_refresh", announcements.refreshInterval)
        value(
            "garp_master_refresh_repeat",
            announcements.refreshRepeat > 0 ? announcements.refreshRepeat : nil)
        value("garp_lower_prio_delay", announcements.lowerPriorityDelay)
        value("garp_lower_prio_repeat", announcements.lowerPriorityRepeat)
    }

    /// A line of `virtual_ipaddress` or its kin.
    func address(_ address: VirtualAddress) -> String {
        let ip = address.address.address
        var words = ["\(ip)/\(address.address.prefixLength)", "dev", "\(address.interface)"]
        if let broadcast = address.broadcast { words += ["brd", "\(broadcast)"] }
        if let peer = address.peer { words += ["peer", "\(peer.address)"] }
        if address.scope != .global { words += ["scope", "\(address.scope)"] }
        if let label = address.label { words += ["label", token(label)] }
        let isHost = ip.family == .v6 && address.address.prefixLength == ip.bitWidth
        if let lifetime = address.preferredLifetime {
            words += ["preferred_lft", seconds(lifetime)]
        } else if isHost {
            words += ["preferred_lft", "forever"]
        }
        if address.detectsDuplicates { words.append("-nodad") }
        if address.flags.contains(.home) { words.append("home") }
        if address.flags.contains(.manageTemporaryAddresses) { words.append("mngtmpaddr") }
        if address.flags.contains(.noPrefixRoute) { words.append("noprefixroute") }
        if address.flags.contains(.autojoin) { words.append("autojoin") }
        if !address.isTracked { words.append("no_track") }
        if address.usesVMAC { words.append("use_vmac") }
        return words.joined(separator: " ")
    }
}
