import KeepalivedConf
import LinuxSystem
import Testing

@testable import VRRPAgent

@Suite("The command line, which is keepalived's")
struct OptionsTests {
    @Test("without options keepalived's defaults hold")
    func defaults() throws {
        let options = try Options([])
        #expect(options.configurationFile == "/etc/keepalived/keepalived.conf")
        #expect(!options.staysInForeground && !options.testsConfiguration)
        #expect(options.log == Options.LogOptions())
    }

    @Test(
        "one meaning, several spellings",
        arguments: [
            ["-n", "-l", "-D", "-P", "-f", "x.conf", "-p", "x.pid"],
            ["-nlDP", "-fx.conf", "-px.pid"],
            ["-nlDPf", "x.conf", "-p", "x.pid"],
            [
                "--dont-fork", "--log-console", "--log-detail", "--vrrp", "--use-file=x.conf",
                "--pid", "x.pid",
            ],
        ])
    func spellings(_ arguments: [String]) throws {
        let options = try Options(arguments)
        #expect(options.configurationFile == "x.conf")
        #expect(options.pidFile == "x.pid")
        #expect(options.staysInForeground && options.log.isDetailed && options.log.isStamped)
        #expect(options.notes == [])
    }

    @Test("-t takes its file only with it, never from the next word")
    func configurationTest() throws {
        #expect(try Options(["-t"]).testOutput == nil)
        #expect(try Options(["-tout"]).testOutput == "out")
        #expect(try Options(["--config-test=out"]).testOutput == "out")
        let options = try Options(["-t", "-f", "x.conf"])
        #expect(options.testsConfiguration && options.configurationFile == "x.conf")
    }

    @Test("what a daemon is told besides: namespace, id, files, log, addresses")
    func settings() throws {
        let options = try Options([
            "-s", "blue", "-i", "lb01", "-p", "/a.pid", "-r", "/b.pid", "-u", "022", "-V", "-e",
            "-S", "local3", "-G", "-g/var/log/x", "--log-format", "json", "--start-as-master", "-d",
        ])
        #expect(options.networkNamespace == "blue" && options.configID == "lb01")
        #expect(options.pidFile == "/a.pid" && options.vrrpPIDFile == "/b.pid")
        #expect(options.umask == 0o022 && options.keepsAddresses && options.checksIncludes)
        #expect(options.startsAsMaster && options.logsConfiguration)
        #expect(try !options.printsConfiguration && Options(["--dump-conf"]).printsConfiguration)
        #expect(options.log.facility == .local(3) && options.log.avoidsSyslog)
        #expect(options.log.file == "/var/log/x" && options.log.isJSON)
        #expect(try Options(["-g"]).log.file == "keepalived.log")
        #expect(try Options(["--log-facility=5"]).log.facility == .local(5))
        #expect(try Options(["-S", "user"]).log.facility == .user)
    }

    @Test("a daemon in the background means by a path what it meant where it was started")
    func detached() throws {
        let options = try Options(["-f", "x.conf", "-p", "/run/a.pid", "--detached", "/etc/ha"])
        #expect(options.detachedFrom == "/etc/ha")
        #expect(options.configurationFile == "/etc/ha/x.conf" && options.pidFile == "/run/a.pid")
        #expect(try Options(["-fx", "--detached", "/"]).configurationFile == "/x")
    }

    @Test("which of the two processes there are, and what the checkers' leaves behind")
    func checkers() throws {
        #expect(try Options(["-P"]).omitsCheckers)
        let options = try Options(["-CIR", "-c", "checkers.pid", "--detached", "/etc"])
        #expect(options.checksOnly && options.keepsServices && options.avoidsRespawn)
        #expect(options.checkersPIDFile == "/etc/checkers.pid")
    }

    @Test("options that make no difference here are accepted, with the reason why they make none")
    func accepted() throws {
        let options = try Options(["-x", "-a", "-X", "--all", "-b", "bfd.pid"])
        #expect(options.notes.count == 4)
        #expect(options.notes.first == "option '-x' has no effect: there is no SNMP")
    }

    @Test(
        "every option of keepalived 2.2.7 is known",
        arguments: [
            "-a", "-B", "-D", "-d", "-e", "-G", "-g", "-I", "-l", "-M", "-m", "-n", "-P", "-R",
            "-t", "-V", "-X", "-x", "--all", "--flush-log-file", "-Ax", "-bx", "-cx", "-fx", "-ix",
            "-px", "-rx", "-S0", "-sx", "-u0", "--signum=STOP",
        ])
    func known(_ option: String) throws { _ = try Options([option]) }

    @Test("what cannot be done is refused, not ignored")
    func refused() {
        func error(_ arguments: String...) -> String? {
            do throws(Options.UsageError) {
                _ = try Options(arguments)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(error("-T") == "option '-T': use curl and md5sum")
        #expect(error("-f") == "option '-f' requires an argument")
        #expect(error("--use-file=") == "option '--use-file' requires an argument")
        #expect(error("--pid") == "option '--pid' requires an argument")
        #expect(error("-Z") == "unrecognized option '-Z'")
        #expect(error("--nonsense=1") == "unrecognized option '--nonsense=1'")
        #expect(error("--vrrp=1") == "unexpected argument '--vrrp=1'")
        #expect(error("x.conf") == "unexpected argument 'x.conf'")
        #expect(error("-u", "1000") == "option '-u': '1000' is not a mask from 0 to 0777")
        #expect(error("--log-format=xml") == "option '--log-format': 'xml' is not json or text")
        #expect(
            error("-S", "8")?.hasSuffix("is not 0 to 7, local0 to local7, user or daemon") == true)
    }

    @Test("help names every option that does something")
    func usage() {
        for option in [
            "--use-file", "--log-detail", "--config-test[=FILE]", "--signum=VALUE", "--namespace",
            "--start-as-master", "--log-format",
        ] {
            #expect(Options.usage.contains(option))
        }
    }
}

@Suite("Where a daemon is")
struct DaemonPlaceTests {
    private func place(
        _ arguments: [String], _ change: (inout GlobalDefinitions) -> Void = { _ in }
    ) throws -> DaemonPlace {
        var global = GlobalDefinitions()
        change(&global)
        return DaemonPlace(try Options(arguments), global)
    }

    @Test("pid files are where keepalived has them")
    func plain() throws {
        let plain = try place([])
        #expect(plain.pidFile == "/run/keepalived.pid" && plain.vrrpPIDFile == "/run/vrrp.pid")
        #expect(plain.folder == nil && plain.networkNamespace == nil)
        let folder = try place([]) { $0.usesPIDDirectory = true }
        #expect(folder.pidFile == "/run/keepalived/keepalived.pid")
        #expect(folder.folder == "/run/keepalived")
    }

    @Test("an instance has pid files of its own, and a name in syslog")
    func instance() throws {
        let one = try place([]) { $0.instanceName = "one" }
        #expect(one.pidFile == "/run/keepalived/keepalived_one.pid")
        #expect(one.vrrpPIDFile == "/run/keepalived/vrrp_one.pid")
        #expect(one.identity == "vrrp-agent_one")
    }

    @Test("a namespace has a folder of its own, and -s overrides net_namespace")
    func namespace() throws {
        let blue = try place([]) { $0.networkNamespace = "blue" }
        #expect(blue.networkNamespace == "blue" && blue.identity == "vrrp-agent_blue")
        #expect(blue.pidFile == "/run/keepalived/blue/keepalived.pid")
        let red = try place(["-s", "red", "-r", "/x"]) { $0.networkNamespace = "blue" }
        #expect(red.networkNamespace == "red" && red.vrrpPIDFile == "/x")
        #expect(red.dataSuffix == nil)
        let data = try place([]) {
            ($0.networkNamespace, $0.instanceName) = ("blue", "one")
            $0.namesInstanceInData = true
        }
        #expect(data.dataSuffix == "blue_one")
    }
}

@Suite("Signals")
struct SignalFunctionTests {
    @Test(
        "numbers are keepalived's, for --signum too",
        arguments: [
            ("STOP", 15), ("RELOAD", 1), ("DATA", 10), ("STATS", 12), ("STATS_CLEAR", 63),
            ("JSON", 36),
        ] as [(String, Int32)])
    func numbers(_ name: String, _ number: Int32) throws {
        let function = try #require(SignalFunction(rawValue: name))
        #expect(function.number == number && SignalFunction(signal: number) == function)
        #expect(SignalFunction.signals.contains(number))
    }

    @Test("SIGINT stops as SIGTERM does, and SIGCHLD means nothing")
    func others() {
        #expect(SignalFunction(signal: 2) == .stop)
        #expect(SignalFunction(signal: 17) == nil && SignalFunction(rawValue: "TDUMP") == nil)
    }

    @Test("signals that arrive together: dumps first, the end last and instead of a reload")
    func order() {
        #expect(
            SignalFunction.functions(of: [15, 1, 36, 12, 12, 10])
                == [.dumpState, .dumpStatistics, .dumpJSON, .stop])
        #expect(SignalFunction.functions(of: [1, 63, 1]) == [.clearStatistics, .reload])
        #expect(SignalFunction.functions(of: []) == [])
    }
}
