import Testing

@testable import VRRPAgent

@Suite("The command line, which is keepalived's")
struct OptionsTests {
    @Test("without options keepalived's defaults hold")
    func defaults() throws {
        let options = try Options([])
        #expect(options.configurationFile == "/etc/keepalived/keepalived.conf")
        #expect(options.pidFile == "/run/keepalived.pid")
        #expect(options.vrrpPIDFile == "/run/vrrp.pid")
        #expect(!options.logsDetail && !options.stampsLog && !options.testsConfiguration)
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
        #expect(options.logsDetail && options.stampsLog)
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

    @Test("options that make no difference here are accepted, with the reason why they make none")
    func accepted() throws {
        let options = try Options(["-S", "3", "-x", "--no-syslog", "-i", "lb01", "-R"])
        #expect(options.notes.count == 4)
        #expect(options.notes.first?.hasPrefix("option '-S' has no effect: ") == true)
    }

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
        #expect(error("-s", "blue") == "option '-s': start it with ip netns exec")
        #expect(error("-C") == "option '-C': there are no health checkers")
        #expect(error("-f") == "option '-f' requires an argument")
        #expect(error("--pid") == "option '--pid' requires an argument")
        #expect(error("-Z") == "unrecognized option '-Z'")
        #expect(error("--nonsense=1") == "unrecognized option '--nonsense=1'")
        #expect(error("--vrrp=1") == "unexpected argument '--vrrp=1'")
        #expect(error("x.conf") == "unexpected argument 'x.conf'")
    }

    @Test("help names every option that does something")
    func usage() {
        for option in ["--use-file", "--log-detail", "--config-test[=FILE]", "--signum=VALUE"] {
            #expect(Options.usage.contains(option))
        }
    }
}
