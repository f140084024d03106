import NetworkTypes

extension Lab {
    /// Reads steps that are written apart from the lab's file, in its language: a list of steps, or
    /// all that a scenario can have.
    ///
    ///     - kill: master
    ///     - expect: { vip: 10.10.10.10, on: backup }
    ///
    /// - Parameters:
    ///   - yaml: The text.
    ///   - name: What the scenario is to be called; diagnostics begin with it.
    ///   - file: The lab file's path: paths of files that go into nodes are relative to its folder.
    ///   - readFile: Looks such a file up, as for ``decode(yaml:file:readFile:)``.
    /// - Returns: the scenario, nil when there is an error; and all that is wrong with the text.
    public func decodeScenario(
        yaml: String, name: String, file: String, readFile: (String) -> FileLookup
    ) -> (scenario: Scenario?, diagnostics: [Diagnostic]) {
        withoutActuallyEscaping(readFile) { readFile in
            var list = DiagnosticList(file: name)
            let document = YAMLDocument(parsing: yaml)
            for problem in document.problems { list.error(problem.message, at: problem.mark) }
            guard let root = document.root else {
                if document.problems.isEmpty {
                    list.error("there are no steps", at: YAMLMark(line: 1, column: 1))
                }
                return (nil, list.sorted)
            }
            var body = root
            if case .sequence = root.content {
                let steps = YAMLEntry(key: "steps", keyMark: root.mark, value: root)
                body.content = .mapping([steps])
            }
            var decoder = LabFileDecoder(
                diagnostics: list, sources: SourceFiles(labFile: file, readFile: readFile))
            let scenario = decoder.scenario(
                YAMLEntry(key: name, keyMark: root.mark, value: body), scope: scenarioScope)
            let hasErrors = decoder.diagnostics.errorCount > 0
            return (hasErrors ? nil : scenario, decoder.diagnostics.sorted)
        }
    }

    /// What a scenario of this lab can refer to.
    private var scenarioScope: LabFileDecoder.ScenarioScope {
        var scope = LabFileDecoder.ScenarioScope()
        scope.nodes = nodes.map(\.name)
        scope.networks = networks.map(\.name.text)
        scope.hostInterfaces = hostInterfaces
        scope.networkMembers = [:]
        for network in networks.map(\.name) {
            scope.networkMembers?[network.text] = nodes.filter { node in
                node.interfaces.contains { $0.attachment == .network(network) }
            }.map(\.name)
        }
        scope.services = [:]
        scope.interfaces = [:]
        for node in nodes {
            scope.services?[node.name] = node.services.map(\.name)
            scope.interfaces?[node.name] = Set(node.interfaces.map(\.name.text))
        }
        return scope
    }
}
