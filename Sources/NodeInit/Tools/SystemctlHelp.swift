/// What `systemctl --help` and `--version` print.
enum SystemctlHelp {
    /// The version of systemd whose words and exit statuses these are; scripts look at the number.
    static let version = "systemd 252 (labctl's node-init, which speaks as systemd does)"

    static let text = """
        systemctl [OPTIONS...] COMMAND [UNIT...]

        Query or control the services of this node. Patterns mean the units they match.

        Units:    list-units status show cat is-active is-failed is-enabled is-system-running
                  start stop restart try-restart reload reload-or-restart kill reset-failed
        At boot:  list-unit-files enable disable daemon-reload
        Machine:  reboot poweroff halt

          -t --type=TYPE       only units of that kind; a node has services
             --state=STATE     only units in that state
             --failed          the same as --state=failed
          -a --all             inactive units as well
          -p --property=NAME   only that property
          -P NAME              the same as --value --property=NAME
             --value           values without names
          -n --lines=COUNT     so many lines of the journal
          -s --signal=SIGNAL   what kill sends
             --kill-whom=WHOM  to whom: main or all
             --no-block        do not wait until it is done
             --now             start or stop what is enabled or disabled
          -q --quiet           say less
             --no-legend       neither headings nor counts
        """
}
