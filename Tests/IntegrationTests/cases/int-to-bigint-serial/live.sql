BEGIN;
MERGE INTO orders USING (SELECT id FROM visited ORDER BY random() LIMIT 1) AS chosen ON orders.id = chosen.id
WHEN MATCHED THEN UPDATE SET visits = visits + 1;
INSERT INTO visit_log DEFAULT VALUES;
COMMIT;
