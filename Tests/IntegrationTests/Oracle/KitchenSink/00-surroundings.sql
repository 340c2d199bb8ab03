-- Roles belong to the server: other databases have made them already.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY '{sink_owner,sink_manager,"sink Clerk",sink_reader,sink_intruder}'::text[] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END $$;
SET allow_in_place_tablespaces = on;
SELECT NOT EXISTS (SELECT FROM pg_tablespace WHERE spcname = 'sink Space') AS is_missing \gset
\if :is_missing
CREATE TABLESPACE "sink Space" LOCATION '';
\endif
GRANT CREATE ON TABLESPACE "sink Space" TO sink_owner;
CREATE SCHEMA shop;
CREATE SCHEMA api;
CREATE SCHEMA "Odd ""Schema";
GRANT USAGE ON SCHEMA shop, api, "Odd ""Schema" TO PUBLIC;
GRANT ALL ON SCHEMA shop, api, "Odd ""Schema" TO sink_owner, sink_manager;
CREATE TYPE shop.mood AS ENUM ('new', 'paid', 'it''s sent');
CREATE DOMAIN shop.email AS text COLLATE "C" CHECK (VALUE ~ '@') DEFAULT 'nobody@example.org';
CREATE COLLATION shop."Plain" (provider = libc, locale = 'C');
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN coalesce(new, old); END';
CREATE FUNCTION shop.halve(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
CREATE SEQUENCE shop.shared START 77;
CREATE TABLE shop.customers (id int PRIMARY KEY, name text, UNIQUE (id, name));
CREATE TABLE shop.regions (country text, code int, PRIMARY KEY (country, code));
CREATE TABLE shop.audit (at timestamptz, what text);
CREATE UNLOGGED TABLE shop.scratch (id int PRIMARY KEY, note text);
INSERT INTO shop.customers SELECT n, 'customer ' || n FROM generate_series(1, 50) n;
INSERT INTO shop.regions SELECT 'at', n FROM generate_series(1, 9) n;
INSERT INTO shop.scratch SELECT n, md5(n::text) FROM generate_series(1, 9) n;
