import FoundationEssentials
import Glibc
import ShadowAlter

/// The directory of hooks as it is when a run starts. What is wrong with it is refused before anything is touched.
public struct HookDirectory: Sendable {
    public let path: String
    /// In the order in which they are run.
    let files: [HookFile]

    func files(of kind: MigrationEvent.Kind) -> [HookFile] { files.filter { $0.kind == kind } }

    /// Throws `Refused` with everything that is wrong.
    public static func read(_ path: String) throws -> Self {
        let root = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        if let refusal = check(directory: root) { throw Refused([refusal]) }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: root).sorted()
        } catch {
            throw Refused([refusal(root, "it cannot be read: \(error)", "give us read permission on it")])
        }
        var files: [HookFile] = []
        var refusals: [Refusal] = []
        for name in names where name.hasPrefix(HookFile.prefix) {
            let file = root + "/" + name
            guard let kind = HookFile.kind(of: name) else {
                let events = MigrationEvent.Kind.allCases.map { HookFile.prefix + $0.rawValue }.joined(separator: ", ")
                refusals.append(
                    refusal(
                        file, "its name begins with '\(HookFile.prefix)' and names no event",
                        "call it \(events), or one of these with -SOMETHING behind it; or move it away"))
                continue
            }
            if let refusal = check(file: file) {
                refusals.append(refusal)
            } else {
                files.append(HookFile(kind: kind, name: name, path: file))
            }
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
        return Self(path: root, files: files)
    }

    enum Fitness: Equatable {
        case fit
        /// It was removed, and its directory was not.
        case gone
        case unfit(String)
    }

    /// Whether a file may be run that was in order when the run started.
    func fitness(of file: HookFile) -> Fitness {
        guard let refusal = Self.check(file: file.path) else { return .fit }
        return Info(file.path) == nil && Info(path) != nil ? .gone : .unfit(refusal.what)
    }

    private static func check(directory path: String) -> Refusal? {
        guard let info = Info(path) else {
            return refusal(path, "the directory of --hooks does not exist", "make it, or leave --hooks out")
        }
        guard info.isDirectory else {
            return refusal(path, "what --hooks names is no directory", "name the directory that the hooks are in")
        }
        return check(info, path)
    }

    private static func check(file path: String) -> Refusal? {
        guard let info = Info(path), info.isRegular else {
            return refusal(path, "it is no file", "put a program there, or move it away")
        }
        guard access(path, X_OK) == 0 else {
            return refusal(path, "it is not executable", "chmod +x \(path), or move it away")
        }
        return check(info, path)
    }

    /// What others can write would be run with our rights.
    private static func check(_ info: Info, _ path: String) -> Refusal? {
        let why = "hooks are run with our rights: whoever can change them can do whatever we can"
        if info.isWritableByAll {
            return refusal(path, "everybody may write to it", why: why, "chmod o-w \(path)")
        }
        guard info.owner == geteuid() || info.owner == 0 else {
            return refusal(
                path, "it belongs to user \(info.owner), who is neither us (\(geteuid())) nor root", why: why,
                "chown it to the user that runs shadow-alter, or to root")
        }
        return nil
    }

    private static func refusal(
        _ path: String, _ what: String,
        why: String = "what is wrong with a hook is to be known now, and not in the middle of the migration",
        _ fix: String
    ) -> Refusal {
        Refusal(code: "hooks", object: path, what: what, why: why, fix: fix)
    }

    /// Of the file that a path leads to in the end.
    private struct Info {
        let owner: uid_t
        private let mode: mode_t

        init?(_ path: String) {
            var info = stat()
            guard stat(path, &info) == 0 else { return nil }
            owner = info.st_uid
            mode = info.st_mode
        }

        var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
        var isRegular: Bool { mode & S_IFMT == S_IFREG }
        var isWritableByAll: Bool { mode & S_IWOTH != 0 }
    }
}
