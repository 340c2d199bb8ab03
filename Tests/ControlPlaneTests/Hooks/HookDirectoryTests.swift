import FoundationEssentials
import ShadowAlter
import Testing

@testable import ControlPlane

@Suite("The directory of hooks") struct HookDirectoryTests {
    private let directory = ScratchDirectory()

    private func refusals() -> [Refusal] {
        do {
            _ = try HookDirectory.read(directory.path)
            return []
        } catch {
            return (error as? Refused)?.refusals ?? []
        }
    }

    @Test func filesAreFoundByEventInTheOrderOfTheirNames() throws {
        for name in ["on-ready-20-mail", "on-ready", "on-ready-10-chat", "on-cut-over", "on-before-cut-over-a"] {
            try directory.write(name, mode: 0o755)
        }
        try directory.write("README", mode: 0o644)
        try directory.write("library.sh", mode: 0o644)
        let found = try HookDirectory.read(directory.path)
        #expect(found.files(of: .ready).map(\.name) == ["on-ready", "on-ready-10-chat", "on-ready-20-mail"])
        #expect(found.files(of: .cutOver).map(\.name) == ["on-cut-over"])
        #expect(found.files(of: .beforeCutOver).map(\.name) == ["on-before-cut-over-a"])
        #expect(found.files(of: .failure).isEmpty)
        directory.remove()
    }

    @Test(arguments: MigrationEvent.Kind.allCases)
    func everyEventHasItsName(_ kind: MigrationEvent.Kind) {
        #expect(HookFile.kind(of: "on-\(kind.rawValue)") == kind)
        #expect(HookFile.kind(of: "on-\(kind.rawValue)-10-x") == kind)
    }

    @Test(arguments: ["on-", "on-redy", "on-ready~", "on-ready-", "on-readyx", "on-cut", "ready", "On-ready"])
    func otherNamesAreNone(_ name: String) {
        #expect(HookFile.kind(of: name) == nil)
    }

    @Test func whatIsWrongIsRefusedByName() throws {
        try directory.write("on-redy", mode: 0o755)
        try directory.write("on-ready", mode: 0o644)
        try directory.write("on-status", mode: 0o757)
        try directory.makeDirectory("on-success")
        let found = refusals()
        #expect(
            found.map(\.object) == ["on-ready", "on-redy", "on-status", "on-success"].map { directory.path + "/" + $0 })
        #expect(found.map { $0.what.prefix(20) }.count == 4)
        for (refusal, what) in zip(
            found, ["not executable", "names no event", "everybody may write", "it is no file"])
        {
            #expect(refusal.what.contains(what), "\(refusal)")
        }
        directory.remove()
    }

    @Test func aDirectoryThatIsNotThereOrIsNotOurs() throws {
        try directory.setMode(0o777)
        #expect(refusals().first?.what == "everybody may write to it")
        try directory.setMode(0o755)
        #expect(refusals().isEmpty)
        directory.remove()
        #expect(refusals().first?.what == "the directory of --hooks does not exist")
    }

    @Test func whatHappensToAFileLaterIsNoticed() throws {
        let path = try directory.write("on-ready", mode: 0o755)
        let hooks = try HookDirectory.read(directory.path)
        let file = try #require(hooks.files.first)
        #expect(hooks.fitness(of: file) == .fit)
        try directory.write("on-ready", mode: 0o757)
        #expect(hooks.fitness(of: file) == .unfit("everybody may write to it"))
        try directory.write("on-ready", mode: 0o644)
        #expect(hooks.fitness(of: file) == .unfit("it is not executable"))
        try FileManager.default.removeItem(atPath: path)
        #expect(hooks.fitness(of: file) == .gone)
        directory.remove()
        #expect(hooks.fitness(of: file) == .unfit("it is no file"))
    }

    /// Only root may give files away.
    @Test(.enabled(if: ScratchDirectory.isRoot)) func aFileOfSomebodyElses() throws {
        try directory.write("on-ready", mode: 0o755)
        try directory.give("on-ready", to: 65_534)
        #expect(refusals().first?.what.contains("belongs to user 65534") == true)
        try directory.give("on-ready", to: 0)
        #expect(refusals().isEmpty)
        directory.remove()
    }
}
