import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite("Labs of ordinary users", .serialized, .enabled(if: geteuid() == 0, "needs root"))
struct RootlessTests {
    private static let yaml = """
        networks: { lan: { subnet: 10.0.0.0/24 } }
        nodes:
          a:
            interfaces: { eth0: { network: lan, address: 10.0.0.1 } }
            files: { /var/www/html/index.html: { text: "this is a\\n" } }
            services: { httpd: { kind: http } }
          b: { interfaces: { eth0: { network: lan, address: 10.0.0.2 } } }
        """

    @Test(
        "a lab comes up, its nodes answer and can be written to, and nothing of it is left",
        arguments: OrdinaryUser.allCases)
    func life(user: OrdinaryUser) throws {
        let lab = try LabUnderTest("rootless-life", Self.yaml)
        let run = try user.run(
            """
            $LABCTL up $LAB
            $LABCTL exec b -- curl -s http://10.0.0.1/
            $LABCTL exec a -- id -un
            # What is the host's, what is made anew, and what the host's own services have written.
            $LABCTL exec a -- sh -c 'echo 10.0.0.9 c >> /etc/hosts; echo x > /etc/ssl/x
                cd / && touch etc/made var/lib/made var/log/made root/made tmp/made srv/made
                ls -ld etc/made var/log/made | cut -c 1-10; echo written'
            $LABCTL exec a -- sh -c 'touch /usr/made 2>&1 | grep -o "Read-only file system"'
            $LABCTL exec a -- sh -c 'ls -A /root'
            # A web server's package may have put a page there on the host.
            $LABCTL exec b -- sh -c 'cd /var/www/html && echo mine >index.html && cat index.html'
            ls -A /tmp/labctl-\(OrdinaryUser.number); stat -c %a /tmp/labctl-\(OrdinaryUser.number)
            $LABCTL down $NAME
            ls -A /tmp/labctl-\(OrdinaryUser.number)
            """, lab: lab)
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.output == """
                this is a
                root
                -rw-r--r--
                -rw-r--r--
                written
                Read-only file system
                made
                mine
                \(lab.name)
                700

                """, "\(run.errors)")
        try eventually("its processes are gone") { try OrdinaryUser.processes().isEmpty }
        try expectNothingLeft(of: lab.name)
    }

    @Test("with a range of ids, nodes have www-data: files, commands, sudo and services")
    func users() throws {
        let lab = try LabUnderTest(
            "rootless-users",
            """
            needs: users
            nodes:
              a:
                files: { /srv/x: { text: "x\\n", owner: www-data, group: adm } }
                services: { s: { kind: command, command: [ setpriv, --reuid, www-data, --regid,
                    www-data, --init-groups, sleep, "60" ] } }
            """)
        let run = try OrdinaryUser.range.run(
            """
            $LABCTL up $LAB
            $LABCTL exec a -- stat -c '%U %G' /srv/x
            $LABCTL exec --user www-data a -- id -un
            $LABCTL exec a -- sudo -u nobody id -un
            $LABCTL exec a -- ps -o user= -C sleep
            $LABCTL exec a -- stat -c %U /etc/passwd /var/cache/man
            """, lab: lab)
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.output == "www-data adm\nwww-data\nnobody\nwww-data\nroot\nman\n", "\(run.errors)")
    }

    @Test("without a range, root is alone, and whoever wants somebody else is told so")
    func rootAlone() throws {
        let lab = try LabUnderTest(
            "rootless-alone", "nodes: { a: { services: { mail: { kind: smtp } } } }",
            files: ["message": "Subject: hello\n\nworld\n"])
        let run = try OrdinaryUser.own.run(
            """
            $LABCTL up $LAB
            $LABCTL exec --user root a -- id -un
            $LABCTL exec --user www-data a -- id -un || echo status $?
            $LABCTL exec -i a -- sendmail root < $LAB/message
            until $LABCTL mail a root | grep hello; do :; done
            """, lab: lab)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == "root\nstatus 126\nSubject: hello\n")
        let hint = "only root is there in a lab of an ordinary user without a range of user ids"
        #expect(run.errors.contains(hint), "\(run.errors)")
        let owned = try LabUnderTest(
            "rootless-owned",
            "nodes: { a: { files: { /srv/x: { text: x, owner: www-data } } } }")
        let refused = try OrdinaryUser.own.run("$LABCTL up $LAB", lab: owned)
        #expect(refused.status == 3)
        #expect(
            refused.errors.contains("change the owner of /srv/x: invalid argument: \(hint)"),
            "\(refused.errors)")
        let needy = try LabUnderTest("rootless-needy", "needs: users\nnodes: { a: {} }")
        let unmet = try OrdinaryUser.own.run("$LABCTL up $LAB", lab: needy)
        #expect(unmet.status == 3)
        #expect(unmet.errors.contains("lab \(needy.name) needs users: "), "\(unmet.errors)")
    }

    @Test("a port that is published is answered")
    func published() throws {
        let lab = try LabUnderTest("rootless-publish", Self.yaml)
        let run = try OrdinaryUser.own.run(
            """
            $LABCTL up -p 0:10.0.0.1:80 $LAB
            port=$($LABCTL status $NAME | grep -o '127.0.0.1:[0-9]*')
            curl -s http://$port/
            $LABCTL down $NAME
            curl -s http://$port/ || echo status $?
            """, lab: lab)
        #expect(run.output == "this is a\nstatus 7\n", "\(run.errors)")
    }

    @Test("a supervisor that is killed takes its lab with it, and the next one comes up")
    func killed() throws {
        let lab = try LabUnderTest("rootless-killed", Self.yaml)
        let run = try OrdinaryUser.own.run(
            """
            $LABCTL up $LAB
            kill -9 $(pgrep -f "^labctl supervise $NAME ")
            # Every labctl sweeps, once the kernel has buried it.
            until $LABCTL list > /dev/null; [ -z "$(ls -A /tmp/labctl-\(OrdinaryUser.number))" ]
            do :; done
            $LABCTL up $LAB
            """, lab: lab)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == "")
        try eventually("its processes are gone") { try OrdinaryUser.processes().isEmpty }
        try expectNothingLeft(of: lab.name)
    }

    @Test("services whose clocks are off, and a wire that loses every frame until it is healed")
    func clocksAndWires() throws {
        let lab = try LabUnderTest(
            "rootless-clocks",
            Self.yaml + """

                  c:
                    services:
                      watch: { kind: command, command: [ sh, -c, "cat /proc/uptime; sleep 60" ] }
                """)
        let run = try OrdinaryUser.own.run(
            """
            $LABCTL up $LAB
            $LABCTL restart c/watch --clock +1000h
            until $LABCTL logs c/watch | grep -qE '^[0-9]{7,}\\.'; do :; done
            $LABCTL impair a:eth0 in loss 100%
            $LABCTL exec b -- ping -c 2 -i 0.2 -W 1 10.0.0.1 | grep -o '[0-9]* received'
            $LABCTL heal
            $LABCTL exec b -- ping -c 2 -i 0.2 10.0.0.1 | grep -o '[0-9]* received'
            """, lab: lab)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == "0 received\n2 received\n", "\(run.errors)")
    }
}
