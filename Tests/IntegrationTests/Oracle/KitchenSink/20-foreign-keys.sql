ALTER TABLE shop.orders
    ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES shop.customers ON DELETE SET NULL ON UPDATE CASCADE,
    ADD CONSTRAINT "orders region" FOREIGN KEY (country, region) REFERENCES shop.regions MATCH FULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT orders_parent FOREIGN KEY (parent_id) REFERENCES shop.orders ON DELETE SET DEFAULT DEFERRABLE,
    ADD CONSTRAINT orders_spare FOREIGN KEY (spare) REFERENCES shop.customers NOT VALID;
COMMENT ON CONSTRAINT orders_customer ON shop.orders IS 'an outbound one';
CREATE TABLE shop.lines (order_id int NOT NULL, n int, PRIMARY KEY (order_id, n),
    CONSTRAINT "of the order" FOREIGN KEY (order_id) REFERENCES shop.orders ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE shop.payments (order_id int, late_id int, code text,
    CONSTRAINT payments_order FOREIGN KEY (order_id) REFERENCES shop.orders ON DELETE RESTRICT ON UPDATE RESTRICT DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT payments_code FOREIGN KEY (code) REFERENCES shop.orders (code) MATCH FULL ON DELETE SET NULL ON UPDATE SET DEFAULT);
INSERT INTO shop.lines SELECT n, 1 FROM generate_series(1, 90) n;
INSERT INTO shop.payments SELECT n, n * 1000, 'code ' || n FROM generate_series(1, 90) n;
ALTER TABLE shop.payments ADD CONSTRAINT payments_late FOREIGN KEY (late_id) REFERENCES shop.orders NOT VALID;
COMMENT ON CONSTRAINT payments_order ON shop.payments IS 'an inbound one';
SELECT current_setting('server_version_num')::int >= 150000 AS is_15, current_setting('server_version_num')::int >= 180000 AS is_18 \gset
\if :is_15
ALTER TABLE shop.orders ADD CONSTRAINT orders_name FOREIGN KEY (customer_id, "Customer") REFERENCES shop.customers (id, name)
    ON DELETE SET NULL (customer_id) NOT VALID;
\endif
\if :is_18
ALTER TABLE shop.orders ADD CONSTRAINT orders_promise FOREIGN KEY (spare) REFERENCES shop.customers NOT ENFORCED;
ALTER TABLE shop.payments ADD CONSTRAINT payments_promise FOREIGN KEY (late_id) REFERENCES shop.orders NOT ENFORCED;
-- Before 18 such a key cannot be NOT VALID, and is refused.
CREATE TABLE shop.returns (order_id int REFERENCES shop.orders, n int) PARTITION BY RANGE (n);
CREATE TABLE shop.returns_1 PARTITION OF shop.returns FOR VALUES FROM (0) TO (10);
INSERT INTO shop.returns VALUES (5, 5);
\endif
