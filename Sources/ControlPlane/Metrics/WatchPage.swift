/// The page to watch a run: one document without anything from elsewhere, that asks `/status.json` every two seconds.
enum WatchPage {
    /// - Parameter withControl: whether there are buttons; what they do needs the token.
    static func html(withControl: Bool) -> String {
        head + (withControl ? buttons : "") + tail
    }

    private static let head = #"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>shadow-alter</title>
        <style>
        :root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6979; --line: #d8dee6; --ground: #f6f8fa; --card: #fff; --bar: #2f6fdb; --good: #2b8a4b; --hold: #b26a00; --bad: #b3261e; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b6; --line: #2e3743; --ground: #12161c; --card: #1a2029; --bar: #5b93f5; --good: #57c07c; --hold: #e0a040; --bad: #f2786f; } }
        * { box-sizing: border-box; }
        body { margin: 0; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
        main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem; }
        h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere; }
        #blockers { color: var(--hold); margin: .5rem 0 0; padding-left: 1.2rem; font-size: .85rem; overflow-wrap: anywhere; }
        .phases { display: flex; gap: .3rem; list-style: none; margin: 1rem 0; padding: 0; font-size: .8rem; }
        .phases li { flex: 1; padding-top: .35rem; border-top: 4px solid var(--line); color: var(--soft); }
        .phases li.past { border-color: var(--good); }
        .phases li.now { border-color: var(--bar); color: var(--ink); font-weight: 600; }
        .state { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; border: 1px solid; font-size: .85rem; color: var(--good); }
        .state.throttled, .state.waiting, .state.paused { color: var(--hold); }
        .state.gone { color: var(--bad); }
        #reason { color: var(--soft); margin: .5rem 0 0; min-height: 1.45em; overflow-wrap: anywhere; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin-top: 1rem; }
        .track { height: .8rem; border-radius: .4rem; background: var(--line); overflow: hidden; margin: .3rem 0 .8rem; }
        .track div { height: 100%; background: var(--bar); }
        .row { display: flex; justify-content: space-between; align-items: center; gap: 0 1rem; flex-wrap: wrap; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem; margin-top: 1rem; }
        .charts section { margin: 0; }
        .charts h2 { margin: 0; font-size: .85rem; font-weight: 500; color: var(--soft); }
        .charts strong { font-size: 1.3rem; font-variant-numeric: tabular-nums; }
        svg { display: block; width: 100%; height: 3rem; margin-top: .4rem; }
        .buttons { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; }
        button, input { font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .8rem; }
        input { flex: 1; min-width: 10rem; }
        button { cursor: pointer; }
        button:hover:enabled { border-color: var(--bar); }
        button:disabled { color: var(--soft); opacity: .6; cursor: default; }
        button.grave { border-color: var(--hold); color: var(--hold); }
        #answer { color: var(--soft); margin: .5rem 0 0; overflow-wrap: anywhere; }
        #answer.refused { color: var(--bad); }
        [hidden] { display: none !important; }
        @media (max-width: 36rem) { .phases { flex-wrap: wrap; } .phases li { flex: 1 0 22%; } }
        polyline { fill: none; stroke: var(--bar); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
        </style>
        </head>
        <body>
        <main>
        <div class="row"><h1 id="name">shadow-alter</h1><span id="state" class="state">…</span></div>
        <p id="reason"></p>
        <ul id="blockers" hidden></ul>
        <ol class="phases" id="phases"></ol>
        <section id="tables"></section>

        """#

    private static let buttons = #"""
        <section id="control">
        <div class="buttons" id="buttons" hidden>
        <button data-command="pause">Pause</button>
        <button data-command="resume">Resume</button>
        <button data-command="postpone">Postpone the cut-over</button>
        <button data-command="cut-over" class="grave" data-question="Exchange the tables as soon as they are in sync?">Cut over</button>
        </div>
        <form class="buttons" id="entry" hidden>
        <input id="token" type="password" autocomplete="off" aria-label="Token" placeholder="Token (the log names its file)">
        <button>Use it</button>
        </form>
        <p id="answer" role="status" hidden></p>
        </section>

        """#

    private static let tail = #"""
        <div class="charts" id="charts"></div>
        </main>
        <script>
        "use strict";
        const phases = ["capturing", "copying", "indexing", "catching-up", "ready", "cutting-over", "done"];
        const seen = [];
        const bytes = n => { for (const u of ["B", "kB", "MB", "GB"]) { if (n < 1024) return n.toFixed(u === "B" ? 0 : 1) + " " + u; n /= 1024; } return n.toFixed(1) + " TB"; };
        const count = n => Math.round(n).toLocaleString("en");
        const time = s => { const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60, r = Math.floor(s % 60); return (h ? h + ":" + String(m).padStart(2, "0") : m) + ":" + String(r).padStart(2, "0"); };
        const known = (n, show) => n == null ? "unknown" : show(n);
        const copied = s => s.tables.reduce((n, t) => n + t.rows_copied, 0);
        const rate = (now, before) => before ? Math.max(0, copied(now.status) - copied(before.status)) / ((now.at - before.at) / 1000) : 0;
        const charts = [
            { title: "Rows copied a second", value: rate, show: n => count(n) },
            { title: "Stream lag", value: now => now.status.stream_lag_bytes, show: bytes },
            { title: "Retained WAL", value: now => now.status.retained_wal_bytes, show: bytes },
            { title: "Changed keys that wait", value: now => now.status.dirty_keys_spooled, show: count },
            { title: "Keys refreshed", value: now => now.status.keys_refreshed, show: count },
            { title: "Lock attempts", value: now => now.status.cut_over.attempts, show: count },
        ];
        function element(name, text, kind) {
            const node = document.createElement(name);
            if (text !== undefined) node.textContent = text;
            if (kind) node.className = kind;
            return node;
        }
        function line(values) {
            const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
            const top = Math.max(...values.map(v => v ?? 0), 1), step = 100 / Math.max(values.length - 1, 1);
            svg.setAttribute("viewBox", "0 0 100 30");
            svg.setAttribute("preserveAspectRatio", "none");
            const path = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
            path.setAttribute("points", values.map((v, i) => v == null ? "" : (i * step).toFixed(2) + "," + (29 - 28 * v / top).toFixed(2)).join(" "));
            svg.append(path);
            return svg;
        }
        function left(status) {
            const phase = status.eta_seconds == null && status.phase_eta_seconds != null;
            return phase ? status.phase + " ends in " + time(status.phase_eta_seconds) : "time left: " + known(status.eta_seconds, time);
        }
        function draw() {
            const status = seen[seen.length - 1].status;
            document.title = status.name + ": " + status.phase;
            document.getElementById("name").textContent = status.name;
            const state = document.getElementById("state");
            state.textContent = status.condition + ", " + time(status.elapsed_seconds) + " elapsed" + (status.phase === "done" ? "" : ", " + left(status));
            state.className = "state " + status.condition;
            document.getElementById("reason").textContent = status.reason ?? status.message;
            const blockers = document.getElementById("blockers"), inTheWay = status.blockers ?? [];
            blockers.hidden = inTheWay.length === 0;
            blockers.replaceChildren(...inTheWay.map(b => element("li", (b.pid == null ? "prepared transaction " + b.state : "session " + b.pid) + " of " + b.user + (b.application ? " (" + b.application + ")" : "") + " is in the way" + (b.holds ? ": " + b.holds : "") + ", since " + time(b.transaction_seconds))));
            const here = phases.indexOf(status.phase);
            steerable(here < phases.indexOf("done") || here < 0);
            document.getElementById("phases").replaceChildren(...phases.map((p, i) => element("li", p, i < here ? "past" : i === here ? "now" : "")));
            document.getElementById("tables").replaceChildren(...status.tables.flatMap(t => {
                const row = element("div", undefined, "row"), track = element("div", undefined, "track"), bar = element("div");
                row.append(element("span", t.table), element("span", count(t.rows_copied) + (t.rows_estimated == null ? "" : " of about " + count(t.rows_estimated)) + " rows, " + t.percent.toFixed(1) + " %"));
                bar.style.width = Math.min(100, t.percent) + "%";
                track.append(bar);
                return [row, track];
            }));
            document.getElementById("charts").replaceChildren(...charts.map(chart => {
                const values = seen.map((now, i) => chart.value(now, seen[i - 1])), card = element("section");
                card.append(element("h2", chart.title), element("strong", known(values[values.length - 1], chart.show)), line(values));
                return card;
            }));
        }
        // There is one only where the run takes commands over HTTP.
        const control = document.getElementById("control"), key = "shadow-alter token";
        function say(text, refused) {
            const answer = document.getElementById("answer");
            answer.textContent = text;
            answer.className = refused ? "refused" : "";
            answer.hidden = false;
        }
        function offer() {
            const token = sessionStorage.getItem(key);
            document.getElementById("buttons").hidden = !token;
            document.getElementById("entry").hidden = !!token;
        }
        function steerable(yes) {
            if (control) for (const button of control.querySelectorAll("button[data-command]")) button.disabled = !yes;
        }
        async function steer(button) {
            if (button.dataset.question && !confirm(button.dataset.question)) return;
            try {
                const answer = await fetch("/control/" + button.dataset.command, { method: "POST", headers: { Authorization: "Bearer " + sessionStorage.getItem(key) } });
                say((await answer.text()).trim(), !answer.ok);
                if (answer.status === 401 || answer.status === 403) { sessionStorage.removeItem(key); offer(); }
            } catch (error) {
                say("no answer", true);
            }
        }
        if (control) {
            // Out of the address, before it is in a history or a bookmark.
            const given = new URLSearchParams(location.hash.slice(1)).get("token");
            if (given) { sessionStorage.setItem(key, given.trim()); history.replaceState(null, "", location.pathname); }
            for (const button of control.querySelectorAll("button[data-command]")) button.addEventListener("click", () => steer(button));
            document.getElementById("entry").addEventListener("submit", event => {
                event.preventDefault();
                const field = document.getElementById("token");
                if (field.value.trim()) sessionStorage.setItem(key, field.value.trim());
                field.value = "";
                offer();
            });
            offer();
        }
        async function look() {
            try {
                const answer = await fetch("/status.json");
                if (!answer.ok) throw new Error(await answer.text());
                seen.push({ at: Date.now(), status: await answer.json() });
                if (seen.length > 300) seen.shift();
                draw();
            } catch (error) {
                const state = document.getElementById("state");
                state.textContent = "no answer";
                state.className = "state gone";
            }
            setTimeout(look, 2000);
        }
        look();
        </script>
        </body>
        </html>
        """#
}
