import CLinux
import Glibc
import LinuxSystem
import NodeProtocol

/// `hostnamectl`, and `hostname` where the host has none.
struct HostTool {
    private let console: Console
    /// Where the name is kept for the next boot.
    private static let file = "/etc/hostname"
    /// The longest name the kernel keeps (HOST_NAME_MAX).
    private static let maximumLengthBytes = 64
    /// The kinds of names that hostnamectl can be asked for alone.
    private static let kinds: Set<String> = ["--static", "--transient"]

    init(_ console: Console) { self.console = console }

    /// Does what the arguments of `hostname` say.
    func hostname(_ arguments: [String]) -> Int32 {
        switch arguments {
        case [], ["-f"], ["--fqdn"]: console.print(console.hostname)
        case ["-s"], ["--short"]: console.print(String(console.hostname.prefix { $0 != "." }))
        case let words where words.count == 1 && !words[0].hasPrefix("-"):
            return set(words[0], program: "hostname", keeps: false)
        default:
            console.printError("Usage: hostname [-f|-s] [NAME]")
            return 1
        }
        return 0
    }

    /// Does what the arguments of `hostnamectl` say.
    func hostnamectl(_ arguments: [String]) -> Int32 {
        let words = arguments.filter { $0 != "--no-ask-password" && !Self.kinds.contains($0) }
        let isAboutName = arguments.contains(where: Self.kinds.contains)
        switch words {
        // Asked for one kind of name it says nothing else. A node has only one.
        case [] where isAboutName, ["status"] where isAboutName:
            console.print(console.hostname)
        case [], ["status"]:
            console.print(" Static hostname: \(console.hostname)")
            console.print("          Kernel: \(HostInformation.kernel)")
        case ["hostname"]: console.print(console.hostname)
        case _ where words.count == 2 && ["set-hostname", "hostname"].contains(words[0]):
            return set(words[1], program: "hostnamectl", keeps: true)
        default:
            console.printError("Unknown command verb \(words.joined(separator: " ")).")
            return 1
        }
        return 0
    }

    private func set(_ name: String, program: String, keeps: Bool) -> Int32 {
        guard Self.isValid(name) else {
            console.printError("\(program): the specified hostname is invalid: '\(name)'")
            return 1
        }
        do {
            // PID 1 does it: it takes CAP_SYS_ADMIN, which no other process of a node has.
            switch try console.ask(.setHostname(name)) {
            case .refused:
                console.printError("\(program): must be superuser.")
                return 1
            case .failed(let reason):
                console.printError("\(program): \(reason)")
                return 1
            case .done, .units: break
            }
            if keeps { try FileSystem.write(Array("\(name)\n".utf8), to: Self.file) }
            return 0
        } catch {
            console.printError("\(program): \(error)")
            return 1
        }
    }

    /// Whether a name is one for a host: labels of letters, digits and inner hyphens, joined by
    /// dots (RFC 1123, section 2.1).
    static func isValid(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return name.utf8.count <= maximumLengthBytes
            && labels.allSatisfy { label in
                !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy {
                        (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0)
                            || (0x30...0x39).contains($0) || $0 == 0x2d
                    }
            }
    }
}
