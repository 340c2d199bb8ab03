import Synchronization

/// One freshly initialised data directory per version and process; servers start on copies of it.
///
/// initdb takes about a second, a copy a twentieth of that. All servers of one version in one process therefore share
/// their system identifier: they must not be made physical standbys of each other.
actor TemplateDirectory {
    static let shared = TemplateDirectory()

    private struct Template {
        let directory: String
        /// Removes the template when the process ends, however it ends.
        let lifeline: Lifeline
    }

    private var templates: [ServerBinaries: Task<Template, any Error>] = [:]

    /// Creates `<directory>/data`, ready to be started.
    func copy(for binaries: ServerBinaries, to directory: String, account: ServerAccount) async throws {
        let template = try await template(for: binaries, account: account)
        try await Command(
            program: "/bin/cp", arguments: ["-a", "--reflink=auto", "\(template.directory)/data", "\(directory)/data"],
            account: account
        ).output(purpose: "copying the initialised directory of \(binaries) to \(directory)")
    }

    private func template(for binaries: ServerBinaries, account: ServerAccount) async throws -> Template {
        if let known = templates[binaries] { return try await known.value }
        let creation = Task { try await Self.initialise(binaries, account: account) }
        templates[binaries] = creation
        do {
            return try await creation.value
        } catch {
            // The next server tries anew: a full disk may have been emptied since.
            templates[binaries] = nil
            throw error
        }
    }

    private static func initialise(_ binaries: ServerBinaries, account: ServerAccount) async throws -> Template {
        let directory = try PrivateDirectory.create("shadow-alter-template", account: account)
        let lifeline = try await Lifeline(directory: directory, account: account)
        try await Command(
            program: binaries.path("initdb"),
            arguments: [
                "--pgdata=\(directory)/data", "--username=postgres", "--auth=trust", "--encoding=UTF8",
                "--locale=C.UTF-8", "--no-sync", "--no-instructions",
            ],
            account: account
        ).output(
            purpose: "initialising a data directory of \(binaries) in \(directory) (the programs must be there, and "
                + "readable and executable for an unprivileged account; `tools/servers` puts them in place)")
        return Template(directory: directory, lifeline: lifeline)
    }
}
