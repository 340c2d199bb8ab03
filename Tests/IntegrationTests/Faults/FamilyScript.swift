import Foundation

/// The change of the two tables of `FamilyLoad`, in a file as the command line wants it.
enum FamilyScript {
    static let text = """
        ALTER TABLE parent ALTER COLUMN id TYPE bigint;
        ALTER TABLE child ALTER COLUMN id TYPE bigint, ALTER COLUMN parent TYPE bigint;
        """

    static let path: String = {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "sa-family-\(UInt64.random(in: 0 ... .max)).sql")
        try? Data(text.utf8).write(to: file)
        return file.path()
    }()
}
