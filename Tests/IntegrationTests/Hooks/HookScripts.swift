import ControlPlane
import FoundationEssentials
import Glibc
import ShadowAlter
import Testing

/// A directory of hooks that belongs to one test, and what they have written down.
struct HookScripts: Sendable {
    let path: String
    let log = CapturedLog()

    private var records: String { path + "/records" }

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/sa-hooks-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    func add(_ name: String, _ body: String) throws {
        let file = path + "/" + name
        try Data("#!/bin/sh\n\(body)\n".utf8).write(to: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    }

    func addFile(_ name: String, _ text: String = "") throws {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    }

    func removeFile(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }

    /// Writes down the event, what it is told of it, and its standard input.
    var recording: String {
        """
        status=$(cat)
        printf '%s\\t' "$SHADOW_ALTER_EVENT" "$SHADOW_ALTER_PHASE" "$SHADOW_ALTER_CONDITION" "$SHADOW_ALTER_THROTTLE" \\
            "$SHADOW_ALTER_RESUMED" "$SHADOW_ALTER_ERROR_CODE" "$SHADOW_ALTER_REASON" "$SHADOW_ALTER_TABLES" >>'\(records)'
        printf '%s\\n' "$status" >>'\(records)'
        """
    }

    func recordAll(except others: Set<MigrationEvent.Kind> = []) throws {
        for kind in MigrationEvent.Kind.allCases where !others.contains(kind) {
            try add("on-\(kind.rawValue)", recording)
        }
    }

    struct Record {
        let event: String
        let phase: String
        let condition: String
        let throttle: String
        let isResumed: Bool
        let errorCode: String
        let reason: String
        let tables: String
        let status: MigrationStatus
    }

    /// A line that is not ended is being written, by a hook that is still running: it is no record yet.
    func recorded() throws -> [Record] {
        guard let data = FileManager.default.contents(atPath: records) else { return [] }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return try lines.dropLast().map { line in
            let fields = line.split(separator: "\t", maxSplits: 8, omittingEmptySubsequences: false).map(String.init)
            try #require(fields.count == 9, "\(line)")
            return Record(
                event: fields[0], phase: fields[1], condition: fields[2], throttle: fields[3],
                isResumed: fields[4] == "true", errorCode: fields[5], reason: fields[6], tables: fields[7],
                status: try JSONDecoder().decode(MigrationStatus.self, from: Data(fields[8].utf8)))
        }
    }

    func events() throws -> [String] { try recorded().map(\.event) }

    func options(_ base: MigrationOptions = .quick, timeLimit: Duration = .seconds(60)) throws -> MigrationOptions {
        var options = base
        options.observer = HookRunner(try HookDirectory.read(path), timeLimit: timeLimit, log: log.logger())
        options.vetoInterval = .milliseconds(10)
        return options
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

extension HookScripts {
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

    /// Whether the process is there whose number is in the file.
    func isAlive(_ name: String) -> Bool {
        guard let data = FileManager.default.contents(atPath: path + "/" + name),
            let number = Int32(String(decoding: data, as: UTF8.self).filter(\.isNumber))
        else { return false }
        return kill(number, 0) == 0
    }
}
