import VRRPAgent

/// `vrrp-agent`.
@main
enum Main {
    static func main() { AgentProgram.main() }
}
