import TestSupport

/// A random keepalived.conf with any of the settings that the model has, from a seed.
struct ConfigurationGenerator {
    private var generator: SeededGenerator
    /// Whether every setting is written, and none at random.
    private let isComplete: Bool
    /// What the names of definitions end in.
    private var tag = 1

    /// A generator that always makes the same files of a seed; with all settings, where there is
    /// none.
    init(seed: UInt64?) {
        generator = SeededGenerator(seed: seed ?? 0)
        isComplete = seed == nil
    }

    private mutating func isChosen() -> Bool { isComplete || generator.next() % 2 == 0 }

    private mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(generator.next() % UInt64(range.count))
    }

    /// Some of the lines; all where the file is complete. `#` is a number from 2 to 9.
    private mutating func some(_ lines: String) -> String {
        lines.split(separator: "\n").filter { _ in isChosen() }.map { line in
            line.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
                .reduce(into: "") { text, part in
                    text += text.isEmpty ? part : "\(number(2...9))\(part)"
                }
        }.joined(separator: "\n")
    }

    /// The file.
    mutating func file() -> String {
        let instances = isComplete ? 3 : number(0...4)
        tag = number(1...9)
        let definitions = """
            vrrp_script s\(tag) {
            script "/bin/check 'a b' c"
            \(some("user nobody nogroup\ninterval #\ntimeout #\nweight -# reverse\nrise #\nfall #\ninit_fail"))
            }
            track_file f\(tag) {
            file /run/f\(number(1...9))
            \(some("weight # reverse\ninit_file #\ninit_file # overwrite"))
            }
            vrrp_track_process p\(tag) {
            process "/bin/p" \(isChosen() ? "one two" : "")
            \(some("param_match partial\nfull_command\nweight # reverse\nquorum #\nquorum_max 1#\nfork_delay #.5\nterminate_delay 0.#"))
            }
            """
        return """
            \(top())
            \(definitions)
            \((0..<instances).map { instance($0) }.joined(separator: "\n"))
            \(instances > 1 ? group() : "")
            """
    }

    private mutating func top() -> String {
        """
        \(some("net_namespace ns\ninstance in\nuse_pid_dir\nchild_wait_time #"))
        global_defs {
        \(some("router_id \"r #\""))
        \(isChosen() ? "notification_email {\na@b.example\nc@d.example\n}" : "")
        \(some("notification_email_from x@y.example\nsmtp_server 192.0.2.# 2#\nsmtp_helo_name h#\nsmtp_connect_timeout #"))
        \(some("smtp_alert true\nsmtp_alert_checker false\nno_email_faults\ndefault_interface eth1"))
        \(some("dynamic_interfaces allow_if_changes\nvrrp_mcast_group4 224.0.0.#\nvrrp_mcast_group6 ff02::#"))
        \(some("vrrp_garp_interval 0.00#\nvrrp_gna_interval 0.#\nvmac_prefix v#\nvmac_addr_prefix w#"))
        \(some("nftables t#\nnftables_priority -#\nnftables_counters\ndisable_local_igmp"))
        \(some("vrrp_startup_delay #.#\nscript_user u g\nenable_script_security"))
        \(some("notify_fifo /run/f# u g\nnotify_fifo_script \"/bin/x y\""))
        \(some("vrrp_notify_fifo /run/g#\nfifo_write_vrrp_states_on_reload"))
        \(some("vrrp_notify_priority_changes true\nstartup_script \"/bin/u 1\"\nstartup_script_timeout #"))
        \(some("shutdown_script /bin/d\nshutdown_script_timeout #\nlog_unknown_vrids\ndata_use_instance\numask 02#"))
        \(some("reload_check_config\nvrrp_garp_master_delay #\nvrrp_down_timer_adverts #"))
        }
        \(isChosen() ? "garp_group {\ngarp_interval 0.\(number(2...9))\ngna_interval 0.\(number(2...9))\n\(isChosen() ? "interfaces {\neth0\neth1\n}" : "interface eth0")\n}" : "")
        \(isChosen() ? "interface_up_down_delays {\neth\(number(0...3)) 1.\(number(1...9)) \(number(2...9))\n}" : "")
        \(isChosen() ? "static_ipaddress {\n198.51.100.1/24 dev eth1\n}" : "")
        \(isChosen() ? "static_routes {\n198.51.100.0/25 via 10.0.0.1 dev eth0\n}" : "")
        \(isChosen() ? "static_rules {\nfrom 198.51.100.0/25 table 7 priority 70\n}" : "")
        """
    }

    private mutating func group() -> String {
        """
        vrrp_sync_group g\(number(1...9)) {
        group {
        VI_0
        \(isChosen() ? "VI_1" : "")
        }
        \(some("smtp_alert\nnotify_priority_changes\nsync_group_tracking_weight"))
        \(some("notify \"/bin/n x\" u\nnotify_master /bin/m\nnotify_backup /bin/b"))
        \(some("notify_fault /bin/f\nnotify_stop /bin/s"))
        \(isChosen() ? tracked() : "")
        }
        \(isChosen() ? "vrrp_sync_group empty {\nnotify_stop /bin/e\n}" : "")
        """
    }

    private mutating func tracked() -> String {
        """
        track_interface {
        eth\(number(1...3)) \(weight())
        }
        track_script {
        s\(tag) \(weight())
        }
        track_file {
        f\(tag) \(weight())
        }
        track_process {
        p\(tag) \(weight())
        }
        """
    }

    private mutating func weight() -> String {
        isChosen() ? "weight \(number(-9...9)) \(isChosen() ? "reverse" : "")" : ""
    }

    private mutating func instance(_ index: Int) -> String {
        """
        vrrp_instance VI_\(index) {
        interface eth\(number(0...1))
        virtual_router_id \(10 + index)
        \(some("state BACKUP\nstate MASTER\npriority 5#\nadvert_int #\nnopreempt\npreempt_delay #"))
        \(some("skip_check_adv_addr\nno_accept\ndont_track_primary\ntrack_src_ip\npromote_secondaries"))
        \(some("v3_checksum_as_v2\nsmtp_alert\nnotify_priority_changes\nlower_prio_no_advert"))
        \(some("higher_prio_send_advert\ndown_timer_adverts #\ngarp_extra_if all #"))
        \(some("garp_master_delay #\ngarp_master_repeat #\ngarp_master_refresh #"))
        \(some("garp_master_refresh_repeat #\ngarp_lower_prio_delay 1#\ngarp_lower_prio_repeat #"))
        \(index % 3 == 0 ? some("use_vmac v#\nuse_vmac\nvmac_xmit_base\nuse_vmac_addr\nversion 3") : "")
        \(index % 3 == 1 ? (isChosen() ? "authentication {\nauth_type PASS\nauth_pass \"a \(number(2...9)) b\"\n}" : "") : "")
        \(some("notify \"/bin/n 'x y'\" u g\nnotify_master /bin/m\nnotify_backup /bin/b\nnotify_fault /bin/f"))
        \(some("notify_stop /bin/s\nnotify_deleted /bin/d\nnotify_master_rx_lower_pri /bin/l"))
        \(addresses(index))
        \(isChosen() ? tracked() : "")
        }
        """
    }

    private mutating func addresses(_ index: Int) -> String {
        let (one, two) = ("10.\(index).0.\(number(1...99))", "10.\(index).1.\(number(1...99))")
        return """
            \(index % 3 == 2 ? "unicast_peer {\n10.0.0.\(number(2...9)) min_ttl 12 max_ttl 23\n10.0.0.1\n}\n" + some("unicast_ttl 6#\ncheck_unicast_src\nold_unicast_checksum never\nunicast_fault_no_peer") : some("mcast_dst_ip 224.0.1.#"))
            \(some("mcast_src_ip 10.0.0.#\nstrict_mode \(isChosen() ? "false" : "true")"))
            virtual_ipaddress {
            \(one)/24 dev eth1 brd + scope site label eth1:x no_track
            \(some("\(two) home mngtmpaddr noprefixroute autojoin\n10.9.\(index).# peer 10.9.9.#\n10.8.\(index).# preferred_lft #"))
            }
            virtual_ipaddress_excluded {
            \(some("2001:db8::#\n2001:db8:1::#/64 -nodad\n10.7.\(index).# use_vmac dev eth2"))
            192.0.2.\(10 + index)
            }
            virtual_routes {
            \(some("198.51.10#.0/24 via 10.0.0.1 dev eth0 src 10.0.0.2 table 1# metric # scope link tos 16 realms #/# no_track protocol 1#\nunreachable 203.0.113.0/2#\n2001:db8:2::/48 via 2001:db8::# pref low expires #0 from 2001:db8:9::/64\n198.51.11#.0/24 congctl lock reno ttl-propagate enabled mtu lock 14## features ecn append onlink dev eth1\n198.51.12#.0/24 nexthop via 10.0.0.# dev eth0 weight # onlink realms # nexthop via 10.0.0.1#"))
            198.51.100.0/24 dev eth0
            }
            virtual_rules {
            \(some("not from 10.#.0.0/16 to 10.1#.0.0/16 priority 10# fwmark #\(isChosen() ? "/15" : "") iif eth0 oif eth1 tos 16 realms # table # suppress_prefixlength # suppress_ifgroup #\nfrom 10.#.0.0/16 priority 20# tunnel-id # uidrange #-9# ipproto tcp sport #-99 dport #-88 goto 30#\nfrom 2001:db8::/4# priority 40# l3mdev no_track protocol 1#\nfrom 10.#.0.0/16 priority 50# blackhole"))
            from 192.0.2.0/24 table 5 priority 6\(index)
            }
            """
    }
}
