CREATE VIEW api.labels AS SELECT o.id, shop.label(o) AS label FROM shop.orders o;
CREATE VIEW api.counted AS SELECT shop.how_many(5) AS n;
