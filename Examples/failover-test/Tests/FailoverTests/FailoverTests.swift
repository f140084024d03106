import Foundation
import LabKit
import Testing

@Suite("a client of two web servers behind one address", .serialized)
struct FailoverTests {
    @Test("is served by the other one when the first dies, at the same port")
    func client() throws {
        try withLab("lab", publish: ["0:10.0.0.100:80"]) { lab in
            try lab.run("- expect: { vip: 10.0.0.100, on: first }")
            let port = try #require(try lab.published().first).hostPort
            #expect(try page(at: port) == "this is first")
            try lab.run("[ { kill: first }, { expect: { vip: 10.0.0.100, on: second } } ]")
            #expect(try page(at: port) == "this is second")
        }
    }

    @Test("is told of a good-bye sooner than of a death")
    func goodbye() throws {
        try withLab("lab") { lab in
            var reactions: [Duration] = []
            for way in ["stop: first/vrrp", "kill: first"] {
                try lab.run("- expect: { vip: 10.0.0.100, on: first }")
                let reports = try lab.run(
                    "[ { \(way) }, { expect: { vip: 10.0.0.100, on: second } } ]")
                guard case .passed(let result)? = reports.last?.phase, let after = result.after
                else { continue }
                reactions.append(after)
                try lab.start(way.hasSuffix("vrrp") ? "first/vrrp" : "first")
            }
            try #require(reactions.count == 2)
            #expect(reactions[0] < reactions[1])
        }
    }

    /// What a client of this machine gets.
    private func page(at port: UInt16) throws -> String {
        let curl = Process()
        let output = Pipe()
        curl.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        curl.arguments = ["--silent", "--fail", "--max-time", "10", "http://127.0.0.1:\(port)/"]
        curl.standardOutput = output
        try curl.run()
        let page = output.fileHandleForReading.readDataToEndOfFile()
        curl.waitUntilExit()
        return String(decoding: page, as: UTF8.self)
    }
}
