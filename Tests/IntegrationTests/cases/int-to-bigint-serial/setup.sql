CREATE TABLE orders (
    id serial,
    amount numeric(12,2),
    note text,
    doc jsonb,
    code text UNIQUE,
    serial_no bigint UNIQUE,
    blob text,
    hits integer NOT NULL DEFAULT 0,
    visits integer NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
);
CREATE INDEX orders_note ON orders (lower(note));
CREATE INDEX orders_large ON orders (amount) WHERE amount > 100;
INSERT INTO orders (id, amount, note, doc, code, serial_no, blob)
SELECT n, n / 7.0, 'note ' || n, ('{"a": ' || n || '}')::jsonb, 'old ' || n, -n,
    CASE WHEN n % 20 = 0 THEN (SELECT string_agg(md5(n || 'x' || i), '') FROM generate_series(1, 100) i) END
FROM generate_series(1, 3000) n;
SELECT setval('orders_id_seq', 10000);

-- For live.sql: rows that the load only watches (it takes every second one, by this hash, for its own).
CREATE TABLE visited AS
SELECT id FROM orders WHERE ('x' || left(md5(id::text), 8))::bit(32)::bigint % 2 = 1 ORDER BY id LIMIT 20;
CREATE TABLE visit_log (at timestamptz DEFAULT clock_timestamp());
