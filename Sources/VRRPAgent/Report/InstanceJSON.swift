import KeepalivedConf
import NetworkTypes
import VRRP

/// keepalived.json, byte for byte as keepalived 2.2.7 writes it: one line with an array of
/// instances, each with what is configured and in force (`data`) and what was counted (`stats`).
///
/// Two differences, both where keepalived's own output would be wrong: a backslash in a name stays
/// one (keepalived writes a line feed), and text that is not ASCII is valid UTF-8.
enum InstanceJSON {
    /// The file's contents; nil without instances, when keepalived writes none either.
    static func text(_ report: AgentReport) -> String? {
        guard !report.instances.isEmpty else { return nil }
        var json = JSONText(.keepalived)
        json.array { json in
            for instance in report.instances {
                json.object { json in
                    json.name("data")
                    json.object { write(instance, of: report, to: &$0) }
                    json.name("stats")
                    json.object { write(instance.statistics, to: &$0) }
                }
            }
        }
        return json.text + "\n"
    }

    private static func write(
        _ report: InstanceReport, of agent: AgentReport, to json: inout JSONText
    ) {
        writeSettings(report, to: &json)
        writeState(report, to: &json)
        writeCommands(report.instance.notify, of: agent, to: &json)
        let moved = report.moved
        write("vips", moved.addresses.map(\.description), to: &json)
        write("evips", moved.excludedAddresses.map(\.description), to: &json)
        write("vroutes", moved.routes.map(\.description), to: &json)
        write("vrules", moved.rules.map(\.reportText), to: &json)
        write(
            "track_ifp", report.instance.trackedInterfaces.map(\.interface.text), to: &json)
        let scripts = report.instance.trackedScripts.compactMap { tracked in
            agent.configuration.scripts.first { $0.name == tracked.name }
        }
        write("track_script", scripts.map { agent.text($0.command) }, to: &json)
        switch report.instance.authentication {
        case nil: json.field("auth_type", 0)
        case .password(let octets)?: write(authenticationType: 1, octets, to: &json)
        case .header(let key)?: write(authenticationType: 2, key, to: &json)
        }
    }

    private static func writeSettings(_ report: InstanceReport, to json: inout JSONText) {
        let instance = report.instance
        let announcements = instance.announcements
        json.field("iname", instance.name)
        json.field("dont_track_primary", instance.ignoresOwnInterface ? 1 : 0)
        json.field("skip_check_adv_addr", instance.skipsAddressCheck ? 1 : 0)
        json.field("strict_mode", instance.isStrict ? 1 : 0)
        json.field("vmac_ifname", instance.virtualInterface?.name.text ?? "")
        json.field("ifp_ifname", report.interface.text)
        json.field("master_priority", report.masterPriority)
        json.field("last_transition", literal: report.lastTransition.seconds)
        json.field("garp_delay", literal: announcements.masterDelay.shortSeconds)
        json.field("garp_refresh", announcements.refreshInterval.wholeSeconds)
        json.field("garp_rep", announcements.masterRepeat)
        json.field("garp_refresh_rep", announcements.refreshRepeat)
        json.field("garp_lower_prio_delay", announcements.lowerPriorityDelay.wholeSeconds)
        json.field("garp_lower_prio_rep", announcements.lowerPriorityRepeat)
        json.field("lower_prio_no_advert", instance.ignoresLowerPriority ? 1 : 0)
        json.field("higher_prio_send_advert", instance.advertisesBeforeYielding ? 1 : 0)
        json.field("vrid", instance.virtualRouterID)
        json.field("base_priority", instance.priority)
    }

    private static func writeState(_ report: InstanceReport, to json: inout JSONText) {
        let instance = report.instance
        json.field("effective_priority", report.effectivePriority)
        json.field("vipset", report.areAddressesSet)
        json.field("promote_secondaries", instance.promotesSecondaries)
        json.field("adver_int", literal: instance.advertisementInterval.shortSeconds)
        json.field("master_adver_int", literal: report.masterAdvertisementInterval.shortSeconds)
        json.field("accept", instance.acceptsPackets ? 1 : 0)
        json.field("nopreempt", instance.nopreempt)
        json.field("preempt_delay", instance.preemptDelay.wholeSeconds)
        json.field("state", report.state.rawValue)
        json.field("wantstate", report.wantedState.rawValue)
        json.field("version", instance.version.rawValue)
        json.field("smtp_alert", instance.smtpAlert)
        json.field("notify_deleted", instance.notifiesDeletion)
    }

    private static func writeCommands(
        _ notify: VRRPInstance.NotifyCommands, of agent: AgentReport, to json: inout JSONText
    ) {
        let commands: [(String, Command?)] = [
            ("script_backup", notify.backup), ("script_master", notify.master),
            ("script_fault", notify.fault), ("script_stop", notify.stop),
            ("script_deleted", notify.deleted), ("script", notify.any),
            ("script_master_rx_lower_pri", notify.masterReceivedLowerPriority),
        ]
        for case (let name, let command?) in commands { json.field(name, agent.text(command)) }
    }

    private static func write(_ name: String, _ values: [String], to json: inout JSONText) {
        guard !values.isEmpty else { return }
        json.name(name)
        json.array { json in
            for value in values { json.string(value) }
        }
    }

    private static func write(
        authenticationType type: Int, _ octets: [UInt8], to json: inout JSONText
    ) {
        json.field("auth_type", type)
        json.field("auth_data", String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self))
    }

    private static func write(_ statistics: Statistics, to json: inout JSONText) {
        json.field("advert_rcvd", statistics.advertisementsReceived)
        json.field("advert_sent", statistics.advertisementsSent)
        json.field("become_master", statistics.becameMaster)
        json.field("release_master", statistics.releasedMaster)
        json.field("packet_len_err", statistics.lengthErrors)
        json.field("advert_interval_err", statistics.intervalErrors)
        json.field("ip_ttl_err", statistics.timeToLiveErrors)
        json.field("invalid_type_rcvd", statistics.invalidTypes)
        json.field("addr_list_err", statistics.addressListErrors)
        json.field("invalid_authtype", statistics.invalidAuthenticationTypes)
        json.field("authtype_mismatch", statistics.authenticationTypeMismatches)
        json.field("auth_failure", statistics.authenticationFailures)
        json.field("pri_zero_rcvd", statistics.resignationsReceived)
        json.field("pri_zero_sent", statistics.resignationsSent)
    }
}
