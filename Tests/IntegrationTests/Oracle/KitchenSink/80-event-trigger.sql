CREATE FUNCTION shop.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1; END';
CREATE EVENT TRIGGER "sink Watch" ON ddl_command_end EXECUTE FUNCTION shop.watch();
CREATE EVENT TRIGGER sink_rewrite ON table_rewrite EXECUTE FUNCTION shop.watch();
CREATE EVENT TRIGGER sink_drop ON sql_drop EXECUTE FUNCTION shop.watch();
ALTER EVENT TRIGGER sink_drop ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER sink_drop IS 'an event trigger';
