import LabModel
import NetworkTypes

/// Looks for virtual routers that scenarios name and no configuration defines: an expectation of
/// such a one could only fail, after its whole bound. And for impostures that leave open what the
/// lab's routers do not say.
enum ScenarioRouterCheck {
    /// What is wrong with the scenarios of a lab whose own files are right.
    ///
    /// - Parameter file: the lab file's path, for messages.
    static func mistakes(in lab: Lab, file: String) -> [Diagnostic] {
        // Every verb that builds a lab comes by here: files are read no oftener than must be.
        lazy var own = VRRPConfigurationCheck(lab.vrrpConfigurations).virtualRouters
        return lab.scenarios.flatMap { scenario -> [Diagnostic] in
            let steps = (scenario.steps + scenario.cleanup).flatMap(parts)
            guard steps.contains(where: { $0.asksForState || $0.imposture != nil }) else {
                return []
            }
            let known =
                scenario.files.isEmpty
                ? own
                : VRRPConfigurationCheck(lab.applying(scenario: scenario).vrrpConfigurations)
                    .virtualRouters
            let edited = Set(steps.flatMap(\.editedNodes))
            return steps.flatMap { step -> [Diagnostic] in
                if edited.isEmpty, let mistake = mistake(in: step, of: lab, among: known) {
                    return [
                        Diagnostic(
                            file: file, line: step.line, column: 0,
                            message: "scenario \(scenario.name): \(mistake)")
                    ]
                }
                guard case .expect(let expectation) = step.action,
                    case .state(_, let router, let nodes) = expectation.condition
                else { return [] }
                // What is edited meanwhile may define anything.
                return nodes.filter { !edited.contains($0) }.compactMap { node in
                    let routers = known.filter { $0.node == node }.map(\.instance)
                    return mistake(router, of: node, among: routers, in: scenario).map {
                        Diagnostic(file: file, line: step.line, column: 0, message: $0)
                    }
                }
            }
        }
    }

    /// Why an imposture cannot be in the lab, as `imposter` itself would say.
    private static func mistake(
        in step: Step, of lab: Lab, among routers: [VirtualRouterFacts]
    ) -> String? {
        guard let (name, imposture) = step.imposture, let network = lab.network(name) else {
            return nil
        }
        do throws(ImpostureError) {
            _ = try imposture.order(on: network, in: lab, routers: routers)
            return nil
        } catch {
            return "imposter \(name): \(error)"
        }
    }

    private static func mistake(
        _ router: String?, of node: String, among routers: [String], in scenario: Scenario
    ) -> String? {
        if routers.isEmpty {
            return "scenario \(scenario.name) asks for a virtual router's state on node \(node), "
                + "which has none"
        }
        guard let router, !routers.contains(router) else { return nil }
        let hint = SpellingSuggestion.hint(for: router, among: routers, known: "it has")
        return "scenario \(scenario.name) names virtual router '\(router)', which node \(node) "
            + "does not have\(hint)"
    }

    private static func parts(of step: Step) -> [Step] {
        if case .parallel(let parts) = step.action { [step] + parts } else { [step] }
    }
}

extension Step {
    /// Whether it is an expectation of a virtual router's state.
    fileprivate var asksForState: Bool {
        guard case .expect(let expectation) = action, case .state = expectation.condition else {
            return false
        }
        return true
    }

    /// What it has an imposter do, and where.
    fileprivate var imposture: (InterfaceName, Imposture)? {
        guard case .fault(.imposter(let network, let imposture)) = action else { return nil }
        return (network, imposture)
    }

    /// The nodes whose files it replaces, or could replace by a command.
    fileprivate var editedNodes: [String] {
        switch action {
        case .edit(let files): files.map(\.node)
        case .execute(let node, _, _, _): [node]
        case .control, .fault, .parallel, .wait, .expect: []
        }
    }
}
