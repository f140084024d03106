import Glibc
import LinuxSystem
import NetworkTypes
import Testing

/// The machine that configuration files were recorded on, and `vrrp-agent` run there with one of
/// them: in namespaces of its own, with eth0 and eth1, a private /run and /tmp, called `vm`, and
/// nobody else speaking VRRP.
struct RecordedMachine {
    /// What came of it.
    struct Outcome: Sendable {
        /// The exit status of `-t`.
        var testStatus = ""
        var testOutput = ""
        /// The exit status of the run.
        var status = ""
        /// Its log, without the time.
        var log: [String] = []
        /// Its instances after 5.2 s, as it dumps them; empty when it had ended by then.
        var dump = ""
        /// The interfaces then, as `ip -br address` prints them.
        var interfaces: [String] = []
        /// Whether that was so much later than 5.2 s that another interval may have passed.
        var isLate = false
    }

    /// The machine could not be made; what it said.
    struct Broken: Error, CustomStringConvertible { var description: String }

    /// Where the machine's /tmp and /run are.
    private let folder: String
    private let pid: Int32

    /// Starts it.
    ///
    /// - Parameters:
    ///   - name: the file, in `files`.
    ///   - arguments: further ones of the agent.
    init(_ name: String, in files: String, arguments: String = "") throws {
        let folder = "/tmp/labctl-recorded-\(getpid())-\(name)"
        self.folder = folder
        try FileSystem.removeTree(folder)
        for part in ["tmp", "run"] { try FileSystem.makeFolders("\(folder)/\(part)") }
        let output = OwnedDescriptor(
            try systemCall("make a log") { creat("\(folder)/script", 0o644) })
        let input = try OwnedDescriptor.null()
        pid = try Program(
            path: "/usr/bin/unshare",
            arguments: [
                "unshare", "-n", "-m", "-p", "-u", "-i", "-f", "--mount-proc", "--kill-child",
                "timeout", "60", "bash", "-ec", Self.script, "bash", try Self.agent(), folder,
                files, name,
                arguments,
            ],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            descriptors: [input.rawValue, output.rawValue, output.rawValue]
        ).start().pid
    }

    /// Waits for its end.
    func finish() throws -> Outcome {
        var status: Int32 = 0
        try systemCall("wait for a machine") { waitpid(pid, &status, 0) }
        defer { try? FileSystem.removeTree(folder) }
        func read(_ name: String) -> String {
            (try? FileSystem.readText("\(folder)/\(name)")) ?? ""
        }
        guard status == 0 else { throw Broken(description: read("script")) }
        var outcome = Outcome()
        outcome.testStatus = String(read("tmp/test.status").dropLast())
        outcome.testOutput = read("tmp/test.log")
        outcome.status = String(read("tmp/status").dropLast())
        outcome.log = read("tmp/log").split(separator: "\n").map { String($0.dropFirst(26)) }
        outcome.dump = read("tmp/dump")
        outcome.interfaces = read("tmp/interfaces").split(separator: "\n").map(String.init)
        outcome.isLate = Int(read("tmp/microseconds").dropLast()) ?? 0 > 6_000_000
        return outcome
    }

    /// The program under test.
    static func agent() throws -> String {
        let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
        return bundle.prefix(upTo: try #require(bundle.lastIndex(of: "/"))) + "/vrrp-agent"
    }

    /// What runs in the machine. The 5.2 s are the recordings', counted from when the daemon says
    /// that it has started.
    private static let script = """
        agent=$1 out=$2 name=$4 extra=$5
        cd "$3"
        exec 0</dev/null
        hostname vm
        cd /proc/sys/net/ipv6/conf; echo 0 > all/accept_dad; echo 0 > default/accept_dad; cd "$3"
        ip -batch - <<-END
        link set lo up
        link add eth0 address 02:00:00:00:00:01 type veth peer name peer0
        link add eth1 address 02:00:00:00:01:01 type veth peer name peer1
        link set eth0 up
        link set eth1 up
        link set peer0 up
        link set peer1 up
        address add 10.10.10.1/24 dev eth0
        address add fd00:10::1/64 dev eth0 nodad
        address add 10.20.20.1/24 dev eth1
        END
        for i in eth0 eth1; do
            until ip -6 -br address show $i scope link -tentative | grep -q fe80; do sleep 0.05; done
        done
        touch "$out/run/agent"
        mount --bind "$agent" "$out/run/agent"
        mount --rbind "$out/run" /run
        mount --bind "$out/tmp" /tmp
        status=0; /run/agent -t -f "$name" $extra >/tmp/test.log 2>&1 || status=$?
        echo $status >/tmp/test.status
        /run/agent -n -l -D -P -f "$name" $extra >/tmp/log 2>&1 &
        pid=$!
        until grep -q 'Startup complete' /tmp/log || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
        begin=${EPOCHREALTIME/./}
        timeout 5.2 tail --pid=$pid -s 0.1 -f /dev/null || true
        if kill -36 $pid 2>/dev/null; then
            until grep -q json /tmp/log; do sleep 0.05; done
            # A daemon without an instance writes none.
            for ((i = 0; i < 40; i++)); do
                test -s /tmp/keepalived.json && break; sleep 0.05
            done
            test ! -s /tmp/keepalived.json || cp /tmp/keepalived.json /tmp/dump
            ip -br address >/tmp/interfaces
            echo $((${EPOCHREALTIME/./} - begin)) >/tmp/microseconds
            kill $pid
        fi
        status=0; wait $pid || status=$?
        echo $status >/tmp/status
        """
}
