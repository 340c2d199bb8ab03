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
