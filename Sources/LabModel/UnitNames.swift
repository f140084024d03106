extension Node {
    /// Names that one program has on different systems: whoever types the one means the other.
    private static let customaryNames = [["httpd", "apache2"]]

    /// The other names by which a service can be called: those of the lab file, and `apache2` for
    /// `httpd` or the other way round, unless another service has that name.
    public func aliases(of service: Service) -> [String] {
        var names = service.aliases
        let others = services.filter { $0.name != service.name }
        let taken = Set(others.flatMap { [$0.name] + $0.aliases } + [service.name] + names)
        for customary in Self.customaryNames where customary.contains(service.name) {
            names += customary.filter { !taken.contains($0) }
        }
        return names
    }

    /// The service that is called by that name or alias.
    public func unit(_ name: String) -> Service? {
        service(name) ?? services.first { aliases(of: $0).contains(name) }
    }
}
