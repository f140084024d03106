import Glibc
import LabModel
import LinuxSystem
import Testing

/// One way to break a lab, how that shows, and what takes it back. Every kind of fault and every
/// verb that breaks something has a row (``FaultTableTests/complete()``).
struct FaultRow: Sendable, CustomTestStringConvertible {
    /// The verb of `labctl` and its arguments, without the lab.
    var words: String
    /// The verbs that take it back, one after the other.
    var undo: [String] = ["heal"]
    /// Whether `--for` takes it back as well.
    var canLast = true
    /// Expects the effect, from inside the node and from outside.
    var shows: @Sendable (FaultStage) throws -> Void

    var testDescription: String { words }
    var verb: String { String(words.prefix { $0 != " " }) }
}

/// A lab in which rows are tried: a, b and c on lan, d on another network, but with an address of
/// lan's subnet. Node a has a web server and a service that counts.
final class FaultStage {
    static let yaml = """
        networks: { lan: { subnet: 10.10.10.0/24 }, dmz: { subnet: 10.10.20.0/24 } }
        nodes:
          a:
            interfaces: { eth0: { network: lan, address: 10.10.10.1 } }
            sysctls: &quiet { net.ipv6.conf.all.disable_ipv6: 1 }
            files: { /var/www/html/index.html: { text: "this is a" } }
            services:
              web: { kind: http }
              count: { kind: command, command: [ python3, -c, "\(counting)" ] }
          b: { interfaces: { eth0: { network: lan, address: 10.10.10.2 } }, sysctls: *quiet }
          c: { interfaces: { eth0: { network: lan, address: 10.10.10.3 } }, sysctls: *quiet }
          d: { interfaces: { eth0: { network: dmz, address: 10.10.20.4 } }, sysctls: *quiet }
        """

    /// Counts up in /tmp/count as long as it runs, says in /tmp/hangup when it gets SIGHUP, and in
    /// /tmp/clock what its clock said when it began.
    private static let counting =
        "import signal, time\\n"
        + "signal.signal(signal.SIGHUP, lambda *_: open('/tmp/hangup', 'a').write('x'))\\n"
        + "open('/tmp/clock', 'w').write(str(time.clock_gettime(time.CLOCK_BOOTTIME)))\\n"
        + "while True: open('/tmp/count', 'a').write('x'); time.sleep(0.01)"

    let lab: LabUnderTest
    let before: FaultTraces
    /// How often each node's carrier had changed when the present row began.
    private var carrierChanges = 0

    init(_ name: String) throws {
        lab = try LabUnderTest(name, Self.yaml)
        try lab.up()
        _ = try lab.shell("d", "ip address add 10.10.10.4/24 dev eth0")
        #expect(try lab.reaches("b", "10.10.10.1"))
        before = try FaultTraces(lab)
        try begin()
    }

    /// Runs `labctl` with words, which must succeed.
    func perform(_ words: String, _ more: String...) throws {
        let all = words.split(separator: " ").map(String.init)
        let run = try Labctl.start([all[0], "-l", lab.name] + all.dropFirst() + more).finish()
        try #require(run.status == 0, "\(words): \(run.errors)")
    }

    /// Remembers how things are before a row.
    func begin() throws { carrierChanges = try changes() }

    /// Whether a's interface has a carrier, as a sees it.
    func hasCarrier() throws -> Bool {
        try lab.shell("a", "cat /sys/class/net/eth0/carrier") == "1\n"
    }

    private func changes() throws -> Int {
        let text = try lab.shell("a", "cat /sys/class/net/eth0/carrier_changes")
        return try #require(Int(text.dropLast()))
    }

    /// How often a's carrier has gone or come since the row began, as a sees it.
    func carrierChangesSince() throws -> Int { try changes() - carrierChanges }

    /// How the fabric has a's port: one line of `ip link`.
    func port() throws -> String { try lab.inFabric("ip", "-o", "link", "show", "dev", "a.eth0") }

    /// What nf_tables throws away in the fabric.
    func rules() throws -> String { try lab.inFabric("nft", "list", "ruleset") }

    /// Frames of one ping from b to a, by what the kernels of both have counted: which got there,
    /// and whether the answer came back.
    func ping() throws -> (arrived: Bool, answered: Bool) {
        try lab.introduce(("a", "10.10.10.1"), ("b", "10.10.10.2"))
        let (a, b) = (try echoes("a", "InEchos"), try echoes("b", "InEchoReps"))
        _ = try lab.exec("b", "ping", "-c", "1", "-W", "1", "10.10.10.1")
        let result = (try echoes("a", "InEchos") > a, try echoes("b", "InEchoReps") > b)
        for (node, peer) in [("a", "10.10.10.2"), ("b", "10.10.10.1")] {
            _ = try lab.shell(node, "ip neigh del \(peer) dev eth0")
        }
        return result
    }

    private func echoes(_ node: String, _ name: String) throws -> Int {
        let lines = try lab.shell(node, "grep ^Icmp: /proc/net/snmp").split(separator: "\n")
            .map { $0.split(separator: " ") }
        let place = try #require(lines[0].firstIndex(of: Substring(name)))
        return try #require(Int(lines[1][place]))
    }

    /// How far a's service has counted: seen from outside, since the node may stand still.
    func counted() throws -> Int {
        let pid = try #require(try lab.status().node("a").pid)
        return try FileSystem.read("/proc/\(pid)/root/tmp/count").count
    }

    /// Whether a's service counts on.
    func counts() throws -> Bool {
        let before = try counted()
        // As long as it takes to count to twenty.
        usleep(200_000)
        return try counted() > before
    }

    /// How far ahead the clock of a's service was when it began, in seconds.
    func clockOffset() throws -> Double {
        let text = try lab.exec("a", "cat", "/tmp/clock").output
        let machine = try FileSystem.readText("/proc/uptime").prefix { $0 != " " }
        return (Double(text) ?? 0) - (try #require(Double(machine)))
    }

    /// Whether b gets a's page.
    func servesPage() throws -> Bool {
        try lab.exec("b", "curl", "-s", "-m", "1", "http://10.10.10.1/").output == "this is a"
    }

    /// The process id of a's first process.
    func pid() throws -> Int32? { try lab.status().node("a").pid }
}

extension FaultRow {
    /// All of them, the network's first.
    static let all: [FaultRow] = links + cables + cuts + imposters + nodes + limits + services

    private static let links: [FaultRow] = [
        FaultRow(words: "link a:eth0 down") { (stage) throws in
            #expect(try !stage.hasCarrier())
            #expect(try stage.port().contains("state DOWN"))
            #expect(try stage.lab.misses("b", "10.10.10.1"))
        },
        FaultRow(words: "link a:eth0 blackhole") { (stage) throws in
            #expect(try stage.hasCarrier() && stage.carrierChangesSince() == 0)
            #expect(try stage.rules().contains("set mute") && stage.rules().contains("set deaf"))
            let ping = try stage.ping()
            #expect(!ping.arrived && !ping.answered)
        },
        FaultRow(words: "link a:eth0 blackhole --direction out") { (stage) throws in
            #expect(try stage.hasCarrier())
            let ping = try stage.ping()
            #expect(ping.arrived && !ping.answered)
        },
        FaultRow(words: "link a:eth0 flap --period 300ms --duty 40%") { (stage) throws in
            try waitUntil("a has seen its carrier go and come twice") {
                try stage.carrierChangesSince() >= 4
            }
            try waitUntil("the fabric's end is down") { try stage.port().contains("state DOWN") }
            try waitUntil("the fabric's end is up") { try stage.port().contains("state UP") }
            try waitUntil("a frame of b gets to a") { try stage.ping().answered }
        },
        FaultRow(words: "plug a:eth0 dmz") { (stage) throws in
            #expect(try stage.hasCarrier() && stage.carrierChangesSince() == 2)
            #expect(try stage.port().contains("master dmz"))
            #expect(try stage.lab.misses("b", "10.10.10.1"))
            #expect(try stage.lab.reaches("d", "10.10.10.1"))
        },
        FaultRow(words: "unplug a:eth0", undo: ["plug a:eth0"]) { (stage) throws in
            #expect(try !stage.hasCarrier())
            #expect(try !stage.port().contains("master"))
            #expect(try stage.lab.misses("b", "10.10.10.1"))
            #expect(try stage.lab.misses("d", "10.10.10.1"))
        },
    ]

    private static let cables: [FaultRow] = [
        FaultRow(words: "impair a:eth0 delay 40ms") { (stage) throws in
            #expect(try stage.hasCarrier() && stage.carrierChangesSince() == 0)
            #expect(try !stage.port().contains("master"), "a pair stands in its place")
            let text = try stage.lab.shell("b", "ping -c 3 -i 0.1 10.10.10.1")
            let times = text.matches(of: /time=([0-9.]+) ms/).compactMap { Double($0.output.1) }
            #expect(times.count == 3 && times.allSatisfy { $0 >= 80 }, "\(text)")
        },
        FaultRow(words: "impair a:eth0 in mtu 1000") { (stage) throws in
            let probe = "ping -c 1 -W 1 -M do -s"
            #expect(try stage.lab.exec("b", "sh", "-c", "\(probe) 972 10.10.10.1").status == 0)
            #expect(try stage.lab.exec("b", "sh", "-c", "\(probe) 973 10.10.10.1").status == 1)
            #expect(
                try stage.lab.shell("a", "cat /sys/class/net/eth0/mtu") == "1500\n",
                "nobody is told")
        },
    ]

    private static let cuts: [FaultRow] = [
        FaultRow(words: "partition a,b c") { (stage) throws in
            #expect(try stage.hasCarrier() && stage.carrierChangesSince() == 0)
            #expect(try stage.rules().contains("set from0"))
            #expect(try stage.lab.reaches("b", "10.10.10.1"))
            #expect(try stage.lab.misses("c", "10.10.10.1"))
        },
        FaultRow(words: "partition isolate a --network lan") { (stage) throws in
            #expect(try stage.lab.misses("b", "10.10.10.1"))
            #expect(try stage.lab.reaches("b", "10.10.10.3"))
        },
        FaultRow(words: "cut a to b", undo: ["cut none"]) { (stage) throws in
            #expect(try stage.hasCarrier() && stage.carrierChangesSince() == 0)
            let ping = try stage.ping()
            #expect(ping.arrived && !ping.answered, "a hears b, and b does not hear a")
            #expect(try stage.lab.reaches("c", "10.10.10.1"))
        },
    ]

    private static let nodes: [FaultRow] = [
        FaultRow(words: "kill a", undo: ["start a"], canLast: false) { (stage) throws in
            #expect(try stage.pid() == nil)
            #expect(try stage.lab.misses("b", "10.10.10.1"))
        },
        FaultRow(words: "stop a", undo: ["start a"], canLast: false) { (stage) throws in
            #expect(try stage.pid() == nil)
            // A namespace outlives its last process until the kernel gets round to it.
            try waitUntil("nobody answers") { try stage.lab.misses("b", "10.10.10.1") }
        },
        FaultRow(words: "restart a", undo: [], canLast: false) { (stage) throws in
            #expect(try stage.counts(), "it has come up again")
            #expect(try stage.lab.reaches("b", "10.10.10.1"))
        },
        FaultRow(words: "freeze a", undo: ["thaw a"], canLast: false) { (stage) throws in
            #expect(try !stage.counts())
            #expect(try !stage.servesPage(), "the kernel takes connections, and nobody answers")
        },
    ]

    private static let imposters: [FaultRow] = [
        FaultRow(words: "imposter lan arp 10.10.10.9", undo: ["imposter lan none"]) {
            (stage) throws in
            #expect(try stage.hasCarrier() && stage.carrierChangesSince() == 0)
            // Nobody answers a ping; who has the address is known all the same.
            let known = try stage.lab.shell(
                "b", "ping -c 1 -W 1 10.10.10.9 >/dev/null; ip neigh show 10.10.10.9")
            #expect(known.contains("lladdr"), "\(known)")
            _ = try stage.lab.shell("b", "ip neigh flush dev eth0")
        }
    ]

    private static let limits: [FaultRow] = [
        FaultRow(words: "limit a disk full", undo: ["limit a none"]) { (stage) throws in
            let write = "head -c 65536 /dev/zero > /root/more"
            let refused = try stage.lab.exec("a", "sh", "-c", write)
            #expect(refused.errors.contains("No space left"), "\(refused)")
            #expect(try stage.lab.exec("b", "sh", "-c", write).status == 0, "others have room")
            #expect(try stage.servesPage(), "what is there can be read")
        },
        FaultRow(
            words: "restart a/count --clock +1h", undo: ["restart a/count"], canLast: false
        ) { (stage) throws in
            try waitUntil("its clock is an hour ahead") {
                try (3500..<3700).contains(stage.clockOffset())
            }
            #expect(try stage.counts())
        },
    ]

    private static let services: [FaultRow] = [
        FaultRow(words: "freeze a/count", undo: ["thaw a/count"], canLast: false) {
            (stage) throws in
            #expect(try !stage.counts())
            #expect(try stage.servesPage(), "others go on")
        },
        FaultRow(words: "stop a/web", undo: ["start a/web"], canLast: false) { (stage) throws in
            #expect(try !stage.servesPage())
            #expect(try stage.counts())
        },
        FaultRow(words: "kill a/web", undo: ["start a/web"], canLast: false) { (stage) throws in
            #expect(try !stage.servesPage())
            #expect(try stage.lab.status().node("a").state(of: "web") == "exited")
        },
        FaultRow(words: "restart a/count", undo: [], canLast: false) { (stage) throws in
            #expect(try stage.counts())
        },
        FaultRow(words: "reload a/count", undo: [], canLast: false) { (stage) throws in
            try waitUntil("it has got its SIGHUP") {
                try stage.lab.exec("a", "test", "-s", "/tmp/hangup").status == 0
            }
            #expect(try stage.counts())
        },
    ]
}
