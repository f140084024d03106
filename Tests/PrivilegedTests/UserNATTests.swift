import CLinux
import Glibc
import LinuxSystem
import Testing

@Suite(
    "external: networks of ordinary users' labs that get out by NAT", .serialized,
    .enabled(if: geteuid() == 0, "needs root"),
    .enabled(if: hasNAT, "this kernel has no NAT by nf_tables"))
struct UserNATTests {
    private static func lab(_ name: String) throws -> LabUnderTest {
        try LabUnderTest(
            name,
            """
            networks: { lan: { subnet: 10.0.0.0/24, external: nat } }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
              b: { interfaces: { eth0: { network: lan } } }

            """)
    }

    /// What says to everybody in a namespace that connects to port 7000 whose address they come
    /// with.
    private func serve(
        in namespace: borrowing TestNamespace
    ) throws -> RunningProgram {
        let script = """
            import socket, sys
            listener = socket.create_server(("0.0.0.0", 7000))
            print("ready", flush=True)
            while True:
                connection, peer = listener.accept()
                connection.sendall(f"{peer[0]}\\n".encode())
                connection.close()
            """
        let server = try namespace.namespace.run {
            try RunningProgram(
                "/usr/bin/python3", ["-c", script], folder: "/", input: "", environment: [])
        }
        _ = try server.awaitOutput("ready")
        return server
    }

    /// A shell function of the tests' scripts: what a node gets from there, or `nothing`.
    private static let call = """
        call() { $LABCTL exec $1 -- timeout 2 bash -c "cat < /dev/tcp/$2/7000" || echo nothing; }
        """

    @Test(
        "nodes get out with the host's address, and not to the host; then nothing is left",
        arguments: OrdinaryUser.allCases)
    func life(user: OrdinaryUser) throws {
        let machine = try PlayedHost()
        let world = try serve(in: machine.world)
        defer { world.signal(SIGKILL) }
        let host = try serve(in: machine.host)
        defer { host.signal(SIGKILL) }
        let lab = try Self.lab("user-nat")
        let run = try machine.host.namespace.run {
            try user.start(
                """
                \(Self.call)
                $LABCTL up $LAB
                $LABCTL status $NAME | grep external:
                call a 192.0.2.2
                call b 192.0.2.2
                call a 192.0.2.1
                $LABCTL exec a -- ip -brief route get 192.0.2.2
                $LABCTL down $NAME
                """, lab: lab)
        }.finish(within: .seconds(90))
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.output.hasPrefix(
                """
                external: lan by NAT, gateway 10.0.0.254, through slirp4netns
                192.0.2.1
                192.0.2.1
                nothing
                192.0.2.2 via 10.0.0.254 dev eth0
                """), "\(run.output)\(run.errors)")
        #expect(try machine.leftOvers == [], "the host has not been touched")
        #expect(try !machine.forwards)
        try eventually("no process is left") { try OrdinaryUser.processes().isEmpty }
        try expectNothingLeft(of: lab.name)
    }

    @Test(
        "slirp4netns ends with a supervisor that is killed; without it nothing but the way is gone")
    func killed() throws {
        let machine = try PlayedHost()
        let world = try serve(in: machine.world)
        defer { world.signal(SIGKILL) }
        let lab = try Self.lab("user-nat-killed")
        let run = try machine.host.namespace.run {
            try OrdinaryUser.own.start(
                """
                \(Self.call)
                $LABCTL up $LAB
                kill -9 $(pgrep -U \(OrdinaryUser.number) slirp4netns)
                until $LABCTL status $NAME | grep -o 'closed: its program has ended'; do :; done
                $LABCTL exec a -- ping -c 1 -W 5 10.0.0.2 > /dev/null && echo reached
                call a 192.0.2.2
                $LABCTL down $NAME
                $LABCTL up $LAB
                call a 192.0.2.2
                kill -9 $(pgrep -f "^labctl supervise $NAME ")
                while pgrep -r R,S,D -U \(OrdinaryUser.number) slirp4netns > /dev/null; do :; done
                until $LABCTL list > /dev/null; [ -z "$(ls -A /tmp/labctl-\(OrdinaryUser.number))" ]
                do :; done
                $LABCTL up $LAB
                call a 192.0.2.2
                """, lab: lab)
        }.finish(within: .seconds(90))
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.output == """
                closed: its program has ended
                reached
                nothing
                192.0.2.1
                192.0.2.1

                """, "\(run.errors)")
    }

    @Test(
        "without slirp4netns or its device the lab is refused before anything is made, and told how"
    )
    func missing() throws {
        let lab = try Self.lab("user-nat-missing")
        let run = try OrdinaryUser.own.run(
            "$LABCTL up $LAB || echo status $?; ls -A /tmp/labctl-\(OrdinaryUser.number)", lab: lab,
            prologue: "mount --bind /dev/null /usr/bin/slirp4netns")
        #expect(run.output == "status 3\n", "\(run.output)\(run.errors)")
        #expect(
            run.errors.contains(
                "networks of an ordinary user get out by NAT with slirp4netns: slirp4netns is not "
                    + "installed: apt-get install slirp4netns"), "\(run.errors)")
    }
}
