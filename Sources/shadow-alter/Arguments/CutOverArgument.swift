import ArgumentParser
import ShadowAlter

/// `auto`, `manual`, or a window.
struct CutOverArgument: ExpressibleByArgument {
    let mode: MigrationOptions.CutOverMode

    var window: CutOverWindow? {
        if case .windows(let windows) = mode { windows.first } else { nil }
    }

    init?(argument: String) {
        switch argument {
        case "auto": mode = .auto
        case "manual": mode = .manual
        default:
            guard let window = CutOverWindow(argument) else { return nil }
            mode = .windows([window])
        }
    }
}
