import LabModel
import NetworkTypes
import NodeProtocol

/// How FRR's vrrpd is run in a node: as one service, with the zebra that it speaks to the kernel
/// through and the macvlans that it expects to find.
enum FRRService {
    /// Where Debian puts FRR's daemons.
    static let folder = "/usr/lib/frr"
    /// Where its daemons put their sockets.
    private static let runFolder = "/run/frr"

    /// The command of the service: a shell that prepares, starts the two, passes SIGTERM on and
    /// takes the macvlans away at the end.
    static func command(_ configuration: FRRConfiguration, path: String) -> [String] {
        ["/bin/sh", "-c", script(configuration), "frr", path]
    }

    /// Exits with 0 once vrrpd takes part in every election that it is configured for.
    ///
    /// Its pid file says nothing of the kind: it may be there before vrrpd has read its
    /// configuration, and before zebra has told it of the interfaces. A virtual router whose
    /// interface has no carrier stays in Initialize, as it should.
    static func readiness(_ configuration: FRRConfiguration) -> [String] {
        let conditions = configuration.routers.map { router in
            let show = "show vrrp interface \(router.interface) \(router.vrid)"
            let family = router.family == .v4 ? "v4" : "v6"
            return """
                if ip -o link show dev \(router.interface) | grep -q LOWER_UP; then
                    vtysh --vty_socket \(runFolder) -d vrrpd -c '\(show)' |
                        grep -Eq '^ Status \\(\(family)\\) +(Backup|Master)'
                fi
                """
        }
        return ["/bin/sh", "-ec", conditions.joined(separator: "\n"), "frr-ready"]
    }

    private static func script(_ configuration: FRRConfiguration) -> String {
        let options =
            "-i \"$run/$name.pid\" -z $run/zserv.api --vty_socket $run -u frr -g frr"
            + " --log stdout --log-level informational"
        return """
            set -eu
            run=\(runFolder)
            mkdir -p $run
            rm -f $run/*.pid
            chown frr:frr $run
            \(configuration.routers.map(makeDevice).joined(separator: "\n"))
            # Of the file zebra gets what is not vrrpd's: it does not know those commands.
            grep -Ev '^[[:space:]]*(no[[:space:]]+)?vrrp[[:space:]]' "$1" >$run/zebra.conf || :
            name=zebra
            # In the background once it serves its socket. It wants more than a node has.
            keep-capabilities \(folder)/zebra -d -f $run/zebra.conf \(options)
            name=vrrpd
            \(folder)/vrrpd -f "$1" \(options) &
            vrrpd=$!
            trap 'kill -TERM $vrrpd' TERM
            status=0
            wait $vrrpd || status=$?
            # A signal ends the wait, not the daemon.
            while kill -0 $vrrpd 2>/dev/null; do wait $vrrpd || status=$?; done
            kill -TERM "$(cat $run/zebra.pid)" 2>/dev/null || :
            \(configuration.routers.map { "ip link del \($0.device) 2>/dev/null || :" }
                .joined(separator: "\n"))
            [ $status -eq 143 ] && status=0
            exit $status
            """
    }

    /// With arp_ignore the interface below leaves it to the macvlan to answer for the virtual
    /// addresses: otherwise it would do so while the macvlan is held down, too. It is held down
    /// from the start: until vrrpd runs, half a second later, a node that comes back would answer
    /// beside the master of that time.
    private static func makeDevice(_ router: FRRConfiguration.Router) -> String {
        let addresses = router.addresses.map { address in
            "ip address add \(address)/\(address.bitWidth) dev \(router.device) nodad"
        }
        return """
            echo 1 >/proc/sys/net/ipv4/conf/\(router.interface)/arp_ignore
            ip link del \(router.device) 2>/dev/null || :
            ip link add name \(router.device) link \(router.interface) address \(router.mac) \
            type macvlan mode bridge
            ip link set \(router.device) protodown on
            ip link set \(router.device) up
            \(addresses.joined(separator: "\n"))
            """
    }
}
