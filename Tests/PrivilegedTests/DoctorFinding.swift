import Foundation

/// One of the points of `labctl doctor --format json`.
struct DoctorFinding: Decodable {
    var capability: String
    var isPresent: Bool
    var isRequired: Bool
    var detail: String

    /// What a run of it has printed, by capability.
    static func all(in run: LabctlRun) throws -> [String: DoctorFinding] {
        let list = try JSONDecoder().decode([DoctorFinding].self, from: Data(run.output.utf8))
        return Dictionary(uniqueKeysWithValues: list.map { ($0.capability, $0) })
    }
}
