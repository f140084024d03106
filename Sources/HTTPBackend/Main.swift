import ArgumentParser
import Glibc
import LinuxSystem
import NIOCore
import SystemPackage

/// The toy web server of labs, and their toy echo server.
@main
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http-backend",
        abstract: "Serves the files of a folder over HTTP.",
        discussion: """
            Files are read when they are asked for, so that an edit shows at once. A symbolic \
            link is followed while it stays below the folder. SIGTERM and SIGINT end the server.

            With --echo it is another server: what comes to the port by TCP or UDP goes back as it \
            is.

            When NOTIFY_SOCKET is set, it is told READY=1 once the server listens.
            """)

    @Option(help: "The folder to serve.")
    var root = "/var/www/html"

    @Option(help: "The address to listen on (default: all, IPv6 and IPv4).")
    var listen: String?

    @Option(help: "The port to listen on.")
    var port = 80

    @Option(help: "Where the access log goes, in the Common Log Format; - is standard output.")
    var accessLog = "-"

    @Flag(help: "Echo what comes by TCP and UDP instead of serving files.")
    var echo = false

    func validate() throws {
        guard (0...65535).contains(port) else {
            throw ValidationError("\(port) is not a port: 0 to 65535")
        }
        if let listen, (try? SocketAddress(ipAddress: listen, port: port)) == nil {
            throw ValidationError("\(listen) is not an IP address")
        }
    }

    /// Exit status: 0 ended by a signal or --help, 1 could not start, 2 wrong usage.
    static func main() {
        do {
            try parse().serve()
        } catch let error as Server.StartError {
            Diagnostics.write("\(error)")
            Glibc.exit(1)
        } catch {
            let isHelp = exitCode(for: error).isSuccess
            let message = fullMessage(for: error)
            if isHelp { print(message) } else { Diagnostics.write(message) }
            Glibc.exit(isHelp ? 0 : 2)
        }
    }

    /// Serves until a signal ends it.
    private func serve() throws(Server.StartError) {
        // Before any other thread exists, so that all inherit the mask and only sigwait takes the
        // signals. A client that goes while it is written to is an error, not a signal.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
        // A reload, to which there is nothing: pages are read anew for every request.
        signal(SIGHUP, SIG_IGN)

        do {
            let stop: () throws -> Void
            if echo {
                let server = try EchoServer(address: listen, port: port)
                Diagnostics.write("echoing on \(place(server.address))")
                stop = server.stop
            } else {
                let log = AccessLog(output: try openLog())
                let server = try Server(
                    site: Site(root: root), address: listen, port: port, log: log)
                Diagnostics.write("serving \(root) on \(place(server.address))")
                stop = { try server.stop() }
            }
            try ReadyNotification.send()
            var received: CInt = 0
            sigwait(&signals, &received)
            try stop()
        } catch let error as Server.StartError {
            throw error
        } catch {
            throw Server.StartError(description: "cannot \(error)")
        }
    }

    private func place(_ address: SocketAddress?) -> String {
        guard let address else { return "" }
        let host = address.ipAddress ?? ""
        return "\(host.contains(":") ? "[\(host)]" : host):\(address.port ?? port)"
    }

    private func openLog() throws(SystemError) -> SystemPackage.FileDescriptor {
        guard accessLog != "-" else { return .standardOutput }
        let path = accessLog
        return SystemPackage.FileDescriptor(
            rawValue: try systemCall("open \(path)") {
                open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            })
    }
}
