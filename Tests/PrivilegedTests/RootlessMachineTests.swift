import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite(
    "What a machine lets ordinary users do", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct RootlessMachineTests {
    @Test(
        "doctor: what labs are built of is there, and what is not is named with its remedy",
        arguments: OrdinaryUser.allCases)
    func doctor(user: OrdinaryUser) throws {
        let run = try user.run("$LABCTL doctor --format json")
        #expect(run.status == 0, "\(run)")
        let found = try DoctorFinding.all(in: run)
        for capability in [
            "user namespace", "programs", "run directory", "namespaces", "/proc and /sys",
            "overlayfs", "bridge", "veth", "packet capture", "netlink of all namespaces",
        ] {
            let finding = try #require(found[capability], "\(capability)")
            #expect(finding.isPresent && finding.isRequired, "\(finding)")
        }
        #expect(found["disk limits"]?.isPresent == true)
        let users = try #require(found["users"])
        #expect(users.isPresent == (user == .range))
        let words = user == .range ? "the users 0 to 65535" : "nginx, apache2, haproxy"
        #expect(users.detail.contains(words), "\(users)")
        for capability in ["cgroup v2", "memory limits", "ip netns", "host's network"] {
            let finding = try #require(found[capability], "\(capability)")
            #expect(!finding.isPresent && !finding.isRequired, "\(finding)")
            #expect(finding.detail.contains("labctl"), "\(finding)")
        }
        #expect(found["root"] == nil)
    }

    @Test(
        "a folder of labs that others could have made or can write to is not used",
        arguments: [
            ("ln -s $HOME $RUN/labctl", "must be a folder, and no link to one"),
            ("mkdir $RUN/labctl; chmod 777 $RUN/labctl", "in which nobody else can write"),
            ("RUN=/run/labctl-test-of-root", "permission denied"),
        ])
    func plantedFolder(planting: String, words: String) throws {
        let theirs = "/run/labctl-test-of-root"
        try FileSystem.makeFolders("\(theirs)/labctl")
        defer { try? FileSystem.removeTree(theirs) }
        let lab = try LabUnderTest("rootless-planted", "nodes: { a: {} }")
        let run = try OrdinaryUser.own.run(
            """
            RUN=$HOME/run; mkdir -m 700 $RUN; \(planting); export XDG_RUNTIME_DIR=$RUN
            $LABCTL list || echo status $?
            $LABCTL up $LAB && echo up || echo status $?
            $LABCTL doctor | grep 'run directory'
            """, lab: lab)
        #expect(run.errors.contains(words), "\(run)")
        #expect(run.output.contains("status 3\nMISSING  run directory"), "\(run)")
        #expect(run.output.contains(words), "\(run)")
        try eventually("its processes are gone") { try OrdinaryUser.processes().isEmpty }
    }

    @Test("$XDG_RUNTIME_DIR: labs are in a folder there that is the user's alone")
    func runtimeFolder() throws {
        let lab = try LabUnderTest("rootless-xdg", "nodes: { a: {} }")
        let run = try OrdinaryUser.own.run(
            """
            export XDG_RUNTIME_DIR=$HOME/run; mkdir -m 700 $HOME/run
            $LABCTL up $LAB
            stat -c %a $HOME/run/labctl; ls $HOME/run/labctl
            $LABCTL down $NAME
            ls $HOME/run/labctl
            """, lab: lab)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == "700\n\(lab.name)\n", "\(run.errors)")
    }

    @Test("a machine that lets nobody have a user namespace is named as the obstacle")
    func forbidden() throws {
        let lab = try LabUnderTest("rootless-forbidden", "nodes: { a: {} }")
        #expect(try Labctl.tool("/bin/chmod", "-R", "a+rX", lab.folder).status == 0)
        // The limit is that of a user namespace: of one that is made for this.
        let run = try RunningProgram(
            "/bin/sh",
            [
                "-c",
                """
                unshare --user sleep 60 & holder=$!
                trap 'kill $holder' EXIT
                until [ "$(readlink /proc/$holder/ns/user)" != "$(readlink /proc/self/ns/user)" ]
                do :; done
                echo 0 0 4294967295 > /proc/$holder/uid_map
                echo 0 0 4294967295 > /proc/$holder/gid_map
                nsenter --user --target $holder /bin/sh -c '
                    echo 0 > /proc/sys/user/max_user_namespaces
                    setpriv --reuid=65533 --regid=65533 --clear-groups \
                        \(Labctl.folder)/labctl up \(lab.folder)'
                status=$?
                nsenter --user --target $holder setpriv --reuid=65533 --regid=65533 \
                    --clear-groups \(Labctl.folder)/labctl doctor
                rmdir /tmp/labctl-65533
                exit $status
                """,
            ], folder: Labctl.repository, input: "", environment: []
        ).finish()
        #expect(run.status == 3, "\(run)")
        let remedy = "as root, sysctl user.max_user_namespaces=10000"
        #expect(run.errors.contains("needs a user namespace: "), "\(run.errors)")
        #expect(run.errors.contains(remedy), "\(run.errors)")
        #expect(run.output.contains("MISSING  user namespace"), "\(run.output)")
        #expect(run.output.contains(remedy))
    }

    @Test("in a control group that is delegated, whole nodes are frozen by one of their own")
    func delegatedGroup() throws {
        guard let folder = try controlGroupFolder() else {
            Issue.record("every kernel that this runs on has cgroup v2")
            return
        }
        let group = "\(folder)/labctl-test-\(getpid())"
        try FileSystem.makeFolders(group)
        defer { rmdir(group) }
        let lab = try LabUnderTest(
            "rootless-group",
            """
            nodes: { a: { services: { s: { kind: command, command: [ sleep, "60" ] } } } }
            """)
        let run = try OrdinaryUser.own.run(
            """
            $LABCTL up $LAB
            $LABCTL freeze a
            grep frozen \(group)/labctl.$NAME.a/cgroup.events
            $LABCTL thaw a
            grep frozen \(group)/labctl.$NAME.a/cgroup.events
            $LABCTL doctor | grep -c '^ok *cgroup v2'
            $LABCTL down $NAME
            find \(group) -mindepth 1 -type d
            """, lab: lab,
            prologue: """
                chown \(OrdinaryUser.number) \(group) \(group)/cgroup.procs \
                    \(group)/cgroup.subtree_control; echo $$ > \(group)/cgroup.procs
                """)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == "frozen 1\nfrozen 0\n1\n", "\(run.errors)")
        try eventually("nothing is in it any more") { rmdir(group) == 0 || errno == ENOENT }
    }
}
