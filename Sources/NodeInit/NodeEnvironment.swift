/// The environment of a node's services and commands.
struct NodeEnvironment: Equatable {
    /// Where programs are looked up; ours first.
    static let path =
        "/run/labctl/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// `NAME=value`, each name once.
    private(set) var variables = ["PATH=\(path)", "HOME=/root", "LANG=C.UTF-8"]

    /// The standard variables with `additions` on top.
    init(_ additions: [String] = []) { for addition in additions { set(addition) } }

    /// A copy with more variables set; of two with one name the later counts.
    func with(_ additions: [String]) -> NodeEnvironment {
        var copy = self
        for addition in additions { copy.set(addition) }
        return copy
    }

    /// The value of a variable.
    subscript(name: String) -> String? {
        variables.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    private mutating func set(_ variable: String) {
        let name = variable.prefix { $0 != "=" }
        variables.removeAll { $0.prefix { $0 != "=" } == name }
        variables.append(variable)
    }
}
