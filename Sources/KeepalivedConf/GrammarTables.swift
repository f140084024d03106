// The sections with many keywords.

extension Grammar {
    static let topLevel = SectionRules(
        full: """
            vrrp_script vrrp_sync_group track_file vrrp_track_file vrrp_track_process garp_group
            net_namespace instance use_pid_dir child_wait_time
            """,
        notYet: "bfd_instance",
        noEffect: """
            track_group net_namespace_ipvs namespace_with_ipsets linkbeat_use_polling
            """,
        lists: """
            static_ipaddress static_routes static_rules interface_up_down_delays
            virtual_server_group
            """,
        listsNoEffect: "linkbeat_interfaces",
        blocks: [
            "global_defs": .globalDefinitions, "vrrp_instance": .vrrpInstance,
            "vrrp_script": .vrrpScript, "vrrp_sync_group": .syncGroup, "track_file": .trackFile,
            "vrrp_track_file": .trackFile, "vrrp_track_process": .trackProcess,
            "track_group": .trackGroup, "garp_group": .garpGroup, "bfd_instance": .bfdInstance,
            "virtual_server": .virtualServer, "SSL": .sslContext,
        ],
        required: """
            vrrp_script track_file vrrp_track_file vrrp_track_process virtual_server
            virtual_server_group child_wait_time
            """)

    static let globalDefinitions = SectionRules(
        full: """
            router_id notification_email_from smtp_server smtp_connect_timeout smtp_helo_name
            smtp_alert smtp_alert_vrrp smtp_alert_checker no_email_faults
            vrrp_version vrrp_mcast_group4 vrrp_mcast_group6
            vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh
            vrrp_garp_master_refresh_repeat vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat
            vrrp_garp_interval vrrp_gna_interval vrrp_garp_extra_if vrrp_vmac_garp_intvl
            vrrp_min_garp vrrp_skip_check_adv_addr vrrp_check_unicast_src vrrp_strict
            vrrp_down_timer_adverts vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert
            vrrp_notify_priority_changes notify_fifo notify_fifo_script
            vrrp_notify_fifo vrrp_notify_fifo_script fifo_write_vrrp_states_on_reload
            script_user enable_script_security startup_script startup_script_timeout
            shutdown_script shutdown_script_timeout vrrp_startup_delay default_interface
            dynamic_interfaces log_unknown_vrids vmac_prefix vmac_addr_prefix
            nftables nftables_priority nftables_counters disable_local_igmp umask
            reload_check_config data_use_instance
            checker_log_all_failures no_checker_emails rs_init_notifies
            lvs_notify_fifo lvs_notify_fifo_script lvs_flush lvs_flush_on_stop lvs_flush_onstop
            """,
        noEffect: """
            vrrp_iptables vrrp_ipsets nftables_ifindex nftables_ipvs nftables_ipvs_priority
            nftables_ipvs_start_fwmark lvs_sync_daemon lvs_timeouts
            max_auto_priority min_auto_priority_delay vrrp_priority checker_priority bfd_priority
            vrrp_no_swap checker_no_swap bfd_no_swap vrrp_rt_priority checker_rt_priority
            bfd_rt_priority vrrp_cpu_affinity checker_cpu_affinity bfd_cpu_affinity
            vrrp_rlimit_rttime checker_rlimit_rttime bfd_rlimit_rttime vrrp_rlimit_rtime
            process_names process_name vrrp_process_name checker_process_name lvs_process_name
            bfd_process_name vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force
            vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force
            lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs
            lvs_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs
            process_monitor_rcv_bufs_force vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier
            snmp_socket enable_snmp_keepalived enable_snmp_vrrp enable_snmp_checker
            enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3 enable_traps enable_dbus
            dbus_service_name random_seed tmp_config_directory config_save_dir
            reload_time_file reload_repeat reload_file include_check
            """,
        newer: "v3_checksum_as_v2",
        lists: "notification_email",
        required: """
            smtp_server smtp_connect_timeout vrrp_version vrrp_mcast_group4 vrrp_mcast_group6
            vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh
            vrrp_garp_master_refresh_repeat vrrp_garp_lower_prio_delay
            vrrp_garp_lower_prio_repeat vrrp_garp_interval vrrp_gna_interval
            vrrp_down_timer_adverts nftables_priority nftables_ipvs_start_fwmark
            vrrp_startup_delay vmac_prefix vmac_addr_prefix vrrp_rlimit_rttime
            checker_rlimit_rttime bfd_rlimit_rttime vrrp_rlimit_rtime process_name
            vrrp_process_name checker_process_name lvs_process_name bfd_process_name umask
            random_seed config_save_dir
            """)

    static let vrrpInstance = SectionRules(
        full: """
            state interface virtual_router_id priority advert_int nopreempt preempt preempt_delay
            version native_ipv6 mcast_src_ip mcast_dst_ip unicast_src_ip unicast_ttl
            check_unicast_src unicast_fault_no_peer old_unicast_checksum track_src_ip
            garp_master_delay garp_master_repeat garp_master_refresh garp_master_refresh_repeat
            garp_lower_prio_delay garp_lower_prio_repeat garp_extra_if vmac_garp_intvl
            skip_check_adv_addr strict_mode accept no_accept dont_track_primary
            down_timer_adverts lower_prio_no_advert higher_prio_send_advert promote_secondaries
            notify_master notify_backup notify_fault notify_stop notify notify_deleted
            notify_master_rx_lower_pri notify_priority_changes smtp_alert
            use_vmac vmac_xmit_base use_vmac_addr use_ipvlan
            """,
        notYet: "vrf",
        noEffect: "kernel_rx_buf_size debug linkbeat_use_polling lvs_sync_daemon_interface",
        newer: "v3_checksum_as_v2",
        lists: """
            virtual_ipaddress virtual_ipaddress_excluded unicast_peer track_interface track_script
            track_file track_process virtual_routes virtual_rules
            """,
        listsNotYet: "track_bfd",
        blocks: ["authentication": .authentication],
        required: """
            state interface virtual_router_id priority advert_int preempt_delay notify_master
            notify_backup notify_fault notify_stop notify notify_master_rx_lower_pri version
            unicast_src_ip mcast_src_ip unicast_ttl mcast_dst_ip garp_master_delay
            garp_master_repeat garp_master_refresh garp_master_refresh_repeat
            garp_lower_prio_delay garp_lower_prio_repeat down_timer_adverts vrf debug
            lvs_sync_daemon_interface
            """)

    static let vrrpScript = SectionRules(
        full: "script interval timeout weight rise fall user init_fail",
        required: "interval timeout weight rise fall user")

    static let syncGroup = SectionRules(
        full: """
            notify_master notify_backup notify_fault notify_stop notify smtp_alert
            notify_priority_changes sync_group_tracking_weight global_tracking
            """,
        lists: "group track_interface track_script track_file track_process",
        listsNotYet: "track_bfd",
        required: "notify_master notify_backup notify_fault notify_stop notify")

    static let trackProcess = SectionRules(
        full: """
            process full_command param_match weight quorum quorum_max delay fork_delay
            terminate_delay
            """,
        required: "process quorum quorum_max delay fork_delay terminate_delay")

    static let garpGroup = SectionRules(
        full: "garp_interval gna_interval interface", lists: "interfaces",
        required: "garp_interval gna_interval interface")

    static let bfdInstance = SectionRules(
        full: """
            neighbor_ip source_ip min_rx min_tx idle_tx multiplier passive ttl hoplimit max_hops
            weight
            """,
        required: "source_ip min_rx min_tx idle_tx multiplier ttl hoplimit max_hops weight")

    static let virtualServer = SectionRules(
        full: """
            delay_loop lb_algo lvs_sched lb_kind lvs_method persistence_timeout
            persistence_granularity persistence_engine protocol flag-1 flag-2 flag-3 sh-port
            sh-fallback mh-port mh-fallback hashed ops ha_suspend alpha omega quorum hysteresis
            quorum_up quorum_down sorry_server sorry_server_inhibit sorry_server_lvs_method
            inhibit_on_failure virtualhost snmp_name ip_family smtp_alert weight connect_timeout
            retry delay_before_retry warmup
            """,
        blocks: ["real_server": .realServer],
        required: """
            delay_loop lb_algo lvs_sched lb_kind lvs_method persistence_granularity
            persistence_engine protocol quorum hysteresis quorum_up quorum_down sorry_server
            ip_family weight real_server connect_timeout retry delay_before_retry warmup
            """)

    static let realServer = SectionRules(
        full: """
            weight lvs_method uthreshold lthreshold inhibit_on_failure notify_up notify_down alpha
            connect_timeout retry delay_before_retry warmup delay_loop virtualhost snmp_name
            smtp_alert
            """,
        blocks: [
            "TCP_CHECK": .tcpCheck, "HTTP_GET": .httpGet, "SSL_GET": .httpGet,
            "SMTP_CHECK": .smtpCheck, "DNS_CHECK": .dnsCheck, "MISC_CHECK": .miscCheck,
            "PING_CHECK": .pingCheck, "UDP_CHECK": .udpCheck, "FILE_CHECK": .fileCheck,
            "BFD_CHECK": .bfdCheck,
        ],
        required: """
            weight lvs_method uthreshold lthreshold notify_up notify_down connect_timeout retry
            delay_before_retry warmup delay_loop
            """)

    static let httpGet = SectionRules(
        checker: "nb_get_retry http_protocol fast_recovery enable_sni virtualhost",
        required: "nb_get_retry", blocks: ["url": .url])

    static let url = SectionRules(
        full: """
            path digest status_code virtualhost regex regex_no_match regex_options regex_stack
            regex_min_offset regex_max_offset
            """,
        required: "path digest")

    static let miscCheck = SectionRules(
        full: """
            misc_path misc_timeout misc_dynamic user retry delay_before_retry warmup delay_loop
            alpha log_all_failures
            """,
        required: "retry delay_before_retry warmup delay_loop misc_timeout")
}
