import LabModel
import LinuxSystem
import NetworkTypes
import SystemPackage
import Testing

@testable import LabKit

@Suite("run directories, kernel parameters, and kept lines")
struct LabDirectoryTests {
    @Test("everything of a lab lies in its folder, and is named after it")
    func paths() {
        let directory = LabDirectory("two-node")
        let root = LabDirectory.root
        #expect(directory.path == "\(root)/two-node")
        #expect(directory.lockPath == "\(root)/two-node/lock")
        #expect(directory.socketPath == "\(root)/two-node/supervisor.sock")
        #expect(directory.logPath == "\(root)/two-node/supervisor.log")
        #expect(directory.eventsPath == "\(root)/two-node/events.jsonl")
        #expect(directory.outputPath == "\(root)/two-node/output")
        #expect(directory.diskPath == "\(root)/two-node/disk")
        #expect(directory.namespaceName(of: "master") == "two-node-master")
    }

    @Test("unix(7): the socket's path fits 107 bytes even for the longest name")
    func socketPathLength() {
        let longest = LabDirectory(String(repeating: "a", count: 32))
        #expect(longest.socketPath.utf8.count <= 107)
    }

    @Test("a lab that never was is not up")
    func unknownLab() {
        #expect(!LabDirectory("labkit-tests-no-such-lab").isUp)
    }

    @Test(
        "sysctl(8): the first separator decides, the other stands for a dot inside a part",
        arguments: [
            ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
            ("net/ipv4/ip_forward", "/proc/sys/net/ipv4/ip_forward"),
            ("net.ipv4.conf.eth0/100.forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"),
            ("net/ipv4/conf/eth0.100/forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"),
            ("kernel.hostname", "/proc/sys/kernel/hostname"), ("single", "/proc/sys/single"),
        ])
    func procPath(name: String, path: String) {
        #expect(Sysctl(name: name, value: "1").procPath == path)
    }

    @Test(
        "which parameters belong to a node's network",
        arguments: [
            ("net.ipv4.ip_forward", true), ("net/core/somaxconn", true),
            ("kernel.hostname", false), ("netx.y", false),
        ])
    func isNetwork(name: String, isNetwork: Bool) {
        #expect(Sysctl(name: name, value: "1").isNetwork == isNetwork)
    }

    @Test(
        "a kept line reads back as it was printed",
        arguments: [
            "", "plain", "with  spaces ", " o e 7", "tab\tand \u{1b}[1mcolour", "é\u{fffd}",
        ])
    func storedLine(text: String) throws {
        for isError in [false, true] {
            let line = LogLine(
                node: "a", service: "web", time: MonotonicInstant(nanoseconds: 1_234_567_890_123),
                isError: isError, text: text)
            #expect(line.stored.last == UInt8(ascii: "\n"))
            #expect(LogLine(node: "a", service: "web", stored: line.stored.dropLast()) == line)
        }
    }

    @Test(
        "a line that was cut off when the disk was full is none",
        arguments: ["", "12", "12 o", "x o text", "12 oo text", " o text"])
    func cutLine(stored: String) {
        #expect(LogLine(node: "a", service: "web", stored: Array(stored.utf8)[...]) == nil)
    }

    @Test("a refusal that has a usual remedy names it")
    func remedies() {
        func text(_ code: Errno) -> String {
            LabError(refusal: SystemError("open /x", code)).description
        }
        #expect(
            text(.tooManyOpenFiles)
                == "open /x: too many open files: raise the limit with `ulimit -n`")
        #expect(text(.noSpace).hasPrefix("open /x: no space left on device: make room"))
        #expect(text(.permissionDenied) == "open /x: permission denied")
        guard case .state = LabError(refusal: LabError.state("taken")) else {
            Issue.record("an error that has its kind keeps it")
            return
        }
    }
}
