import LabKit
import LabModel
import NetworkTypes

import struct Foundation.Data
import class Foundation.JSONDecoder
import class Foundation.JSONEncoder

extension FuzzTarget {
    static let labFile = FuzzTarget("lab-file", "a lab file") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let decoding = Lab.decode(yaml: text, file: "lab.yaml", readFile: lookUp)
        let places = TextPlaces(yaml: text)
        for diagnostic in decoding.diagnostics { try check(diagnostic, in: places, "lab.yaml") }
        try require(
            (decoding.lab == nil) == decoding.hasErrors, "a lab without errors, or errors without")
        _ = VRRPConfigurationCheck(decoding.vrrpConfigurations)
        guard let lab = decoding.lab else { return }
        // So it travels to the supervisor.
        let data = try JSONEncoder().encode(lab)
        try requireEqual(
            JSONDecoder().decode(Lab.self, from: data), lab, "a lab there and back in JSON")
        _ = try? DeploymentPlan(lab)
        for scenario in lab.scenarios { try checkText(of: scenario, in: lab) }
    }

    static let scenario = FuzzTarget("scenario", "the text of a scenario, or its steps") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let decoding = sampleLab.decodeScenario(
            yaml: text, name: "steps", file: "lab.yaml", readFile: lookUp)
        let places = TextPlaces(yaml: text)
        for diagnostic in decoding.diagnostics { try check(diagnostic, in: places, "steps") }
        try require(
            (decoding.scenario == nil) == decoding.diagnostics.contains { $0.severity == .error },
            "a scenario without errors, or errors without")
        if let scenario = decoding.scenario { try checkText(of: scenario, in: sampleLab) }
    }

    /// Whatever is asked for is there; some of it is no text, or too much.
    private static func lookUp(_ path: String) -> FileLookup {
        switch path.utf8.count % 8 {
        case 0: .missing
        case 1: .directory
        case 2: .unreadable("permission denied")
        case 3: .contents([0xff, 0, 0xfe])
        default:
            .contents(
                Array(
                    """
                    vrrp_instance VI_1 {
                        interface eth1
                        virtual_router_id 51
                        virtual_ipaddress { 10.10.10.10 }
                    }
                    """.utf8))
        }
    }

    private static func check(
        _ diagnostic: Diagnostic, in places: TextPlaces, _ file: String
    ) throws {
        // What is wrong with another file is that file's.
        guard diagnostic.file == file, diagnostic.line > 0 else { return }
        try require(
            places.contain(line: diagnostic.line, column: max(diagnostic.column, 1)),
            "\(diagnostic) is in the file")
        try require(!diagnostic.message.isEmpty, "\(diagnostic) says something")
    }

    /// Written as a text and read again, a scenario can be written the same.
    private static func checkText(of scenario: Scenario, in lab: Lab) throws {
        guard let text = try? scenario.yaml() else { return }
        let again = lab.decodeScenario(yaml: text, name: scenario.name, file: "lab.yaml") { _ in
            .missing
        }
        guard let read = again.scenario else {
            throw Breach(
                description: "a written scenario is read again: \(again.diagnostics)\n\(text)")
        }
        try requireEqual(try read.yaml(), text, "a written scenario is the same when it is read")
    }

    /// The lab that steps are read for.
    static let sampleLab: Lab = {
        let decoding = Lab.decode(yaml: sampleText, file: "lab.yaml", readFile: { _ in .missing })
        guard let lab = decoding.lab else {
            fatalError("the sample lab: \(decoding.diagnostics)")
        }
        return lab
    }()

    private static let sampleText = """
        name: sample
        networks:
          lan: { subnet: 10.10.10.0/24 }
        nodes:
          master:
            interfaces:
              eth0: { network: lan, address: 10.10.10.1 }
            services:
              httpd: { kind: http }
          backup:
            interfaces:
              eth0: { network: lan, address: 10.10.10.2 }
            services:
              httpd: { kind: http }
          client:
            interfaces:
              eth0: { network: lan }
        """

    static let words = FuzzTarget(
        "words", "the small languages of the command line and of lab files: a text in any of them"
    ) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let types: [any TextCodable.Type] = [
            MACAddress.self, InterfaceName.self, IPv4Address.self, IPv6Address.self,
            IPAddress.self, InterfaceAddress.self, IPPrefix.self, NodeLimits.self,
            ClockOffset.self, EventPattern.self, Endpoint.self, Target.self, HTTPURL.self,
            ValuePath.self, CableImpairment.self, Imposture.self, Flap.self, Trigger.self,
        ]
        for type in types { try checkText(text, as: type) }
        _ = Duration(durationText: text)
        _ = try? ShellWords.split(text)
        try requireEqual(
            EventText.printable(EventText.printable(text)), EventText.printable(text),
            "what is printable is printed as it is")
    }

    /// What a text means, written again, means the same.
    private static func checkText<Value: TextCodable>(
        _ text: String, as type: Value.Type
    ) throws {
        guard let value = Value.parse(text) else { return }
        let written = value.description
        guard let again = Value.parse(written) else {
            throw Breach(description: "\(type) '\(text)' is written '\(written)', which is none")
        }
        try requireEqual(again.description, written, "\(type) '\(text)' settles")
    }
}
