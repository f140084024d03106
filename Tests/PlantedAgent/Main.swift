import Glibc
import VRRPAgent

/// `vrrp-agent` with a defect, for tests that must find it: the one that `PLANTED_DEFECT` names in
/// its environment.
@main
enum Main {
    static func main() {
        guard let name = getenv("PLANTED_DEFECT").map({ String(cString: $0) }),
            let defect = PlantedDefect(rawValue: name)
        else {
            let names = PlantedDefect.allCases.map(\.rawValue).joined(separator: ", ")
            let message = Array("PLANTED_DEFECT is none of \(names)\n".utf8)
            _ = write(STDERR_FILENO, message, message.count)
            exit(2)
        }
        AgentProgram.main(interposer: PlantedRouter(defect))
    }
}
