import FoundationEssentials
import Glibc

/// A directory that belongs to one test.
struct ScratchDirectory {
    let path = FileManager.default.temporaryDirectory.path + "/sa-scratch-\(UInt64.random(in: 0 ... .max))"

    static var isRoot: Bool { geteuid() == 0 }

    init() {
        mkdir(path, 0o755)
    }

    @discardableResult
    func write(_ name: String, _ text: String = "#!/bin/sh\n", mode: Int) throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: false)
    }

    func setMode(_ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    func give(_ name: String, to user: UInt32) throws {
        guard chown(path + "/" + name, user, user) == 0 else { throw POSIXError(.EPERM) }
    }

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: path + "/" + name).map { String(decoding: $0, as: UTF8.self) }
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
