extension Node {
    /// Names that a program has on other systems: whoever types the one means the other.
    private static let customaryNames = [
        "httpd": ["apache2"], "apache2": ["httpd"], "nginx": ["httpd"],
    ]

    /// The other names by which a service can be called: those of the lab file; `apache2` for
    /// `httpd` or the other way round; and `httpd` for `nginx` where there is neither. None that
    /// another service has.
    public func aliases(of service: Service) -> [String] {
        let others = services.filter { $0.name != service.name }
        var taken = Set(others.flatMap { [$0.name] + $0.aliases } + service.aliases)
        if service.name == "nginx" {
            taken.formUnion(others.flatMap { Self.customaryNames[$0.name] ?? [] })
        }
        let customary = Self.customaryNames[service.name] ?? []
        return service.aliases + customary.filter { !taken.contains($0) }
    }

    /// The service that is called by that name or alias.
    public func unit(_ name: String) -> Service? {
        service(name) ?? services.first { aliases(of: $0).contains(name) }
    }
}
