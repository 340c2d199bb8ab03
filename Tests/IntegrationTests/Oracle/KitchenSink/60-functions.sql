CREATE FUNCTION shop.how_many(lowest numeric DEFAULT 0) RETURNS bigint LANGUAGE sql STABLE COST 7
    BEGIN ATOMIC SELECT count(*) FROM shop.orders WHERE amount >= lowest; END;
ALTER FUNCTION shop.how_many OWNER TO sink_manager;
REVOKE ALL ON FUNCTION shop.how_many FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shop.how_many TO sink_reader WITH GRANT OPTION;
COMMENT ON FUNCTION shop.how_many IS 'a function';
CREATE FUNCTION shop.label(shop.orders) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.code || $1."Customer"';
CREATE FUNCTION shop.find(wanted int) RETURNS SETOF shop.orders LANGUAGE sql STABLE ROWS 1 SET search_path = shop
    AS 'SELECT * FROM shop.orders WHERE id = wanted';
CREATE FUNCTION shop.first() RETURNS shop.orders LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE found shop.orders;
BEGIN
    SELECT * INTO found FROM shop.orders ORDER BY id LIMIT 1;
    RETURN found;
END $$;
CREATE PROCEDURE shop.cleanse(lowest numeric) LANGUAGE sql BEGIN ATOMIC DELETE FROM shop.orders WHERE amount < lowest; END;
ALTER FUNCTION shop.how_many DEPENDS ON EXTENSION plpgsql;
ALTER FUNCTION shop.label DEPENDS ON EXTENSION plpgsql;
ALTER PROCEDURE shop.cleanse DEPENDS ON EXTENSION plpgsql;
