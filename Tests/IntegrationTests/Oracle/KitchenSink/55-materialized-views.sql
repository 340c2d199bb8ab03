CREATE MATERIALIZED VIEW shop.sums WITH (fillfactor = 75) TABLESPACE "sink Space" AS
    SELECT "Customer", sum(amount) AS sum, count(*) AS n FROM shop.orders GROUP BY "Customer";
CREATE UNIQUE INDEX sums_customer ON shop.sums ("Customer");
CREATE INDEX "sums Sum" ON shop.sums (sum DESC) WHERE n > 1;
ALTER MATERIALIZED VIEW shop.sums CLUSTER ON sums_customer;
ALTER MATERIALIZED VIEW shop.sums ALTER sum SET STATISTICS 44;
ALTER MATERIALIZED VIEW shop.sums OWNER TO sink_owner;
GRANT SELECT ON shop.sums TO sink_reader;
COMMENT ON MATERIALIZED VIEW shop.sums IS 'a materialised view';
COMMENT ON TYPE shop.sums IS 'its row type';
GRANT USAGE ON TYPE shop.sums TO sink_reader;
COMMENT ON COLUMN shop.sums.n IS 'its column';
COMMENT ON INDEX shop.sums_customer IS 'its index';
ALTER INDEX shop."sums Sum" DEPENDS ON EXTENSION plpgsql;
ALTER MATERIALIZED VIEW shop.sums DEPENDS ON EXTENSION plpgsql;
CREATE MATERIALIZED VIEW shop.empty AS SELECT id FROM shop.orders WITH NO DATA;
CREATE VIEW api.sums AS SELECT * FROM shop.sums WHERE sum > 0;
CREATE STATISTICS shop.sums_stat ON sum, n FROM shop.sums;
