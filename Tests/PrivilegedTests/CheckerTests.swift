import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

/// A machine with servers on its loopback, which are broken while a file is there.
private final class CheckerStage {
    /// Where the servers are, and what they leave.
    let folder: String
    private let test: String
    private let machine: TestNamespace
    private let servers: RunningProgram

    init(test: String, servers text: String) throws {
        self.test = test
        let folder = "/tmp/vrrp-agent-\(getpid())-\(test)-servers"
        self.folder = folder
        machine = try TestNamespace()
        try machine.socket.perform(.set(.loopback, .up))
        try FileSystem.removeTree(folder)
        try FileSystem.makeFolders(folder)
        for (name, text) in [
            ("servers.py", text), ("check", "#!/bin/sh\ntest ! -e \(folder)/broken\n"),
            ("reader", "#!/bin/sh\nexec cat \"$1\" > \(folder)/told\n"),
            ("noter", "#!/bin/sh\necho \"$*\" >> \(folder)/noted\n"),
        ] {
            try FileSystem.write(Array(text.utf8), to: "\(folder)/\(name)")
            chmod("\(folder)/\(name)", 0o755)
        }
        let made = try Labctl.tool(
            "/bin/sh", "-c",
            "cd \(folder) && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test -days 1"
                + " -keyout key.pem -out cert.pem && cat key.pem cert.pem > pair.pem")
        try #require(made.status == 0, "\(made.errors)")
        servers = try machine.namespace.run {
            try RunningProgram(
                "/usr/bin/python3", ["\(folder)/servers.py", folder], folder: "/", input: "",
                environment: [])
        }
        try waitUntil("the servers listen") { FileSystem.exists("\(folder)/ready") }
    }

    deinit {
        servers.signal(SIGKILL)
        _ = try? servers.finish()
        try? FileSystem.removeTree(folder)
    }

    /// A file with these services; `SIDE` in it is the servers' folder.
    func configuration(_ services: String) -> String {
        """
        global_defs {
            script_user root
            lvs_notify_fifo FOLDER/fifo
            lvs_notify_fifo_script "\(folder)/reader"
        }

        """ + services.replacing("SIDE", with: folder)
    }

    func start(_ services: String) throws -> AgentProcess {
        try AgentProcess(
            configuration(services), in: machine.namespace, test: test,
            options: ["-c", "/tmp/vrrp-agent-\(getpid())-\(test)/checkers.pid"])
    }

    /// Waits until all these lines are in the log, in whatever order.
    func expect(_ lines: [String], in agent: AgentProcess) throws {
        for line in lines.map({ $0.replacing("SIDE", with: folder) }) where !line.isEmpty {
            try waitUntil("\(line) is logged:\n\(agent.log)") { agent.log.contains(line) }
        }
    }
}

/// The checkers' process on this kernel, with servers that can be made to fail: what is forwarded
/// is `LVSTableTests`'.
@Suite("Health checks", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct CheckerTests {
    /// Servers for every kind of check, on the loopback; its answers change with the file `broken`.
    private static let servers = #"""
        import os, socket, ssl, sys, threading
        folder = sys.argv[1]
        broken = lambda: os.path.exists(folder + "/broken")
        def serve(port, talk, tls=None):
            server = socket.create_server(("127.0.0.1", port))
            def run():
                while True:
                    client, _ = server.accept()
                    try:
                        talk(tls.wrap_socket(client, server_side=True) if tls else client)
                    except OSError:
                        pass
                    client.close()
            threading.Thread(target=run, daemon=True).start()
        def http(client):
            request = client.recv(4096).decode()
            with open(folder + "/requests", "a") as file:
                file.write(request)
            status = "500 Broken" if broken() else "200 OK"
            client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 6\r\n\r\nhello\n".encode())
            client.shutdown(socket.SHUT_WR)
        def smtp(client):
            client.sendall(b"421 busy\r\n" if broken() else b"220 mail\r\n")
            for line in client.makefile():
                client.sendall(b"250 yes\r\n")
        def udp(port, answer):
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind(("127.0.0.1", port))
            def run():
                while True:
                    data, sender = server.recvfrom(4096)
                    reply = answer(data)
                    if reply: server.sendto(reply, sender)
            threading.Thread(target=run, daemon=True).start()
        serve(80, http)
        serve(25, smtp)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder + "/pair.pem")
        serve(443, http, tls)
        udp(53, lambda data: data[:2] + (b"\x80\x03" if broken() else b"\x80\x00") + data[4:])
        udp(7, lambda data: None if broken() else data)
        open(folder + "/ready", "w").close()
        threading.Event().wait()
        """#

    private static func service(_ port: Int, _ transport: String, _ checker: String) -> String {
        """
        virtual_server 192.0.2.100 \(port) {
            delay_loop 1
            lb_algo rr
            lb_kind NAT
            protocol \(transport)
            real_server 127.0.0.1 \(port) {
        \(checker)
            }
        }

        """
    }

    private static let common = "warmup 0\nretry 0\nconnect_timeout 1\ndelay_before_retry 1\n"

    /// The checkers, each with what is logged when it succeeds and when it fails.
    private static let kinds: [(checker: String, success: String, failure: String)] = [
        (
            service(
                80, "TCP", "HTTP_GET {\n\(common)url {\npath /a\ndigest \(hello)\n}\n}"),
            "Remote Web server [127.0.0.1]:tcp:80 succeed on service.",
            "HTTP_CHECK on service [127.0.0.1]:tcp:80 failed."
        ),
        (
            service(
                443, "TCP",
                "SSL_GET {\n\(common)url {\npath /b\nstatus_code 200\nregex ^hel+o\n}\n}"),
            "Remote Web server [127.0.0.1]:tcp:443 succeed on service.",
            "HTTP_CHECK on service [127.0.0.1]:tcp:443 failed."
        ),
        (
            service(25, "TCP", "SMTP_CHECK {\n\(common)helo_name test\n}"),
            "Remote SMTP server [127.0.0.1]:tcp:25 succeed on service.",
            "SMTP_CHECK Bad greeting banner from server [127.0.0.1]:25"
        ),
        (
            service(53, "UDP", "DNS_CHECK {\n\(common)type A\nname example.org\n}"),
            "Activating healthchecker for service [127.0.0.1]:udp:53 for VS [192.0.2.100]:udp:53",
            "DNS_CHECK ([127.0.0.1]:udp:53) read error occurred. (rcode = 3) after 0 retries"
        ),
        (
            service(
                7, "UDP",
                "UDP_CHECK {\n\(common)payload 68656c6c6f\nrequire_reply 68656c6c6f\n}"),
            "UDP connection to [127.0.0.1]:udp:7 success.",
            "UDP_CHECK on service [127.0.0.1]:udp:7 failed."
        ),
        (
            service(81, "TCP", "MISC_CHECK {\nwarmup 0\nmisc_path \"SIDE/check\"\n}"),
            "Misc check for [[127.0.0.1]:tcp:81 VS [192.0.2.100]:tcp:81] by [SIDE/check]"
                + " succeeded.",
            "Misc check for [[127.0.0.1]:tcp:81 VS [192.0.2.100]:tcp:81] by [SIDE/check] failed"
                + " with retry disabled (exited with status 1)."
        ),
        (
            service(82, "TCP", "PING_CHECK {\n\(common)}"),
            "ICMP connection to [127.0.0.1]:tcp:82 success.", ""
        ),
    ]

    /// The MD5 sum of what the servers say.
    private static let hello = "b1946ac92492d2347c6235b4d2611184"

    @Test("every kind succeeds, fails with its server, and recovers")
    func results() throws {
        let stage = try CheckerStage(test: "checks", servers: Self.servers)
        let agent = try stage.start(Self.kinds.map(\.checker).joined())
        try stage.expect(Self.kinds.map(\.success), in: agent)
        let requests = try FileSystem.readText("\(stage.folder)/requests")
        #expect(
            requests.contains(
                "GET /a HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:80\r\n\r\n"))
        try FileSystem.write([], to: "\(stage.folder)/broken")
        try stage.expect(Self.kinds.map(\.failure), in: agent)
        let services = [80, 443, 25, 81]
        try stage.expect(
            services.map {
                "Removing service [127.0.0.1]:tcp:\($0) from VS [192.0.2.100]:tcp:\($0)"
            }, in: agent)
        try FileSystem.remove("\(stage.folder)/broken")
        try stage.expect(
            services.map {
                "Adding service [127.0.0.1]:tcp:\($0) to VS [192.0.2.100]:tcp:\($0)"
            }, in: agent)
        try waitUntil("the FIFO's reader is told") {
            let told = (try? FileSystem.readText("\(stage.folder)/told")) ?? ""
            return told.contains("RS [127.0.0.1]:tcp:80 [192.0.2.100]:tcp:80 DOWN\n")
                && told.contains("VS [192.0.2.100]:tcp:80 UP\n")
        }
    }

    @Test("a reload takes away what is gone; the end is told of, and the pid file goes")
    func reloadAndEnd() throws {
        let stage = try CheckerStage(test: "checks-reload", servers: Self.servers)
        let server = "real_server 127.0.0.1 80 {"
        let going = Self.kinds[0].checker.replacing(
            server, with: "\(server)\nnotify_down \"SIDE/noter 80 down\"")
        let agent = try stage.start(going + Self.kinds[2].checker)
        try stage.expect([Self.kinds[0].success, Self.kinds[2].success], in: agent)
        try agent.configure(stage.configuration(Self.kinds[2].checker))
        agent.signal(SIGHUP)
        try stage.expect(["Removing Virtual Server [192.0.2.100]:tcp:80"], in: agent)
        try waitUntil("the script of what is gone is run") {
            (try? FileSystem.readText("\(stage.folder)/noted")) == "80 down\n"
        }
        #expect(FileSystem.exists("\(agent.folder)/checkers.pid"))
        #expect(try agent.end() == 0)
        #expect(
            agent.log.contains(
                "Shutting down service [127.0.0.1]:tcp:25 from VS [192.0.2.100]:tcp:25"))
        #expect(!FileSystem.exists("\(agent.folder)/checkers.pid"))
    }

    @Test("a checkers' process that is killed is started again, and the virtual routers go on")
    func respawn() throws {
        let machine = try TestNamespace()
        try machine.socket.perform(.set(.loopback, .up))
        let test = "respawn"
        let folder = "/tmp/vrrp-agent-\(getpid())-\(test)"
        let agent = try AgentProcess(
            Self.service(80, "TCP", "TCP_CHECK {\n\(Self.common)}"), in: machine.namespace,
            test: test, options: ["-c", "\(folder)/checkers.pid"])
        func checker() -> Int32? {
            (try? FileSystem.readText("\(folder)/checkers.pid")).flatMap {
                Int32($0.prefix { $0 != "\n" })
            }
        }
        let failed = "TCP_CHECK on service [127.0.0.1]:tcp:80 failed."
        try agent.awaitLine(failed)
        let first = try #require(checker())
        #expect(first != agent.pid)
        kill(first, SIGKILL)
        try agent.awaitLine(failed)
        #expect(checker() != first)
        #expect(try agent.end() == 0)
    }

    @Test("the checkers' process ends with a daemon that is killed")
    func orphan() throws {
        let machine = try TestNamespace()
        try machine.socket.perform(.set(.loopback, .up))
        let test = "checks-orphan"
        let file = "/tmp/vrrp-agent-\(getpid())-\(test)/checkers.pid"
        let agent = try AgentProcess(
            Self.service(80, "TCP", "TCP_CHECK {\n\(Self.common)}"), in: machine.namespace,
            test: test, options: ["-c", file])
        try agent.awaitLine("TCP_CHECK on service [127.0.0.1]:tcp:80 failed.")
        let checker = try #require(Int32(try FileSystem.readText(file).prefix { $0 != "\n" }))
        agent.signal(SIGKILL)
        try waitUntil("the checkers end") {
            // Whoever has inherited it may not have reaped it.
            guard let status = try? FileSystem.readText("/proc/\(checker)/status") else {
                return true
            }
            return status.contains("State:\tZ")
        }
    }
}
