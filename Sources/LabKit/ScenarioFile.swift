public import LabModel
import LinuxSystem

extension LoadedLab {
    /// The scenarios of a file of its own, in the language of lab files: a list of steps, or all
    /// that a scenario can have, as `labctl chaos` writes it. They are called by the file's name,
    /// and are several for a sweep.
    ///
    /// - Throws: ``LabError/invalid(_:)`` with every mistake in it at once.
    public func scenarios(ofFile path: String) throws(LabError) -> [Scenario] {
        let text: String
        do {
            text = try FileSystem.readText(path)
        } catch {
            throw .invalid([
                Diagnostic(
                    file: path, line: 0, column: 0,
                    message: "there is no scenario here: \(error.code.text)")
            ])
        }
        let decoding = lab.decodeScenario(
            yaml: text, name: Self.name(ofFile: path), file: self.path,
            readFile: LabLoader.lookUp)
        guard let scenario = decoding.scenario else {
            throw .invalid(decoding.diagnostics.map { $0.moved(to: path) })
        }
        var whole = lab
        whole.scenarios = [scenario]
        let check = VRRPConfigurationCheck(
            lab.applying(scenario: scenario).vrrpConfigurations)
        let mistakes =
            check.diagnostics.filter { $0.severity == .error }
            + ScenarioRouterCheck.mistakes(in: whole, file: path)
        guard mistakes.isEmpty else { throw .invalid(mistakes.sorted()) }
        return scenario.runs
    }

    /// What a scenario of that file is called: the file's name, as far as a scenario can have it.
    private static func name(ofFile path: String) -> String {
        let file = path.split(separator: "/").last ?? ""
        let stem = file.lastIndex(of: ".").map { file[..<$0] } ?? file
        let name = stem.map { character in
            character.isASCII && (character.isLetter || character.isNumber || character == "_")
                ? character : "-"
        }.drop { $0 == "-" }
        return name.isEmpty ? "scenario" : String(name.prefix(64))
    }
}

extension Diagnostic {
    /// The same in the file that was read.
    fileprivate func moved(to file: String) -> Diagnostic {
        var moved = self
        moved.file = file
        return moved
    }
}
