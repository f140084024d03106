import NodeInit

/// `node-init`.
@main
enum Main {
    static func main() { InitProgram.main() }
}
