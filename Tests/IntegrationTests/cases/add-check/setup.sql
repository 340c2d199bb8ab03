CREATE TABLE orders (
    id int,
    amount numeric(12,2),
    note text,
    doc jsonb,
    code text UNIQUE,
    serial_no bigint UNIQUE,
    blob text,
    hits integer NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
);
CREATE INDEX orders_note ON orders (lower(note));
CREATE INDEX orders_large ON orders (amount) WHERE amount > 100;
INSERT INTO orders (id, amount, note, doc, code, serial_no, blob)
SELECT n, n / 7.0, 'note ' || n, ('{"a": ' || n || '}')::jsonb, 'old ' || n, -n,
    CASE WHEN n % 20 = 0 THEN (SELECT string_agg(md5(n || 'x' || i), '') FROM generate_series(1, 100) i) END
FROM generate_series(1, 3000) n;
