import ArgumentParser
import PgConnection

/// Which server.
struct ConnectionArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The database, as a URI or keyword string of libpq's. PGHOST, PGSERVICE, .pgpass and so on work as well.",
            valueName: "conninfo"))
    var dsn = ""

    var options: ConnectionOptions { ConnectionOptions(conninfo: dsn) }
}
