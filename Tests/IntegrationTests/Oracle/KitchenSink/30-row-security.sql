ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON shop.orders FOR SELECT TO PUBLIC USING (amount > 1 OR owner_name = current_user);
CREATE POLICY "own Rows" ON shop.orders AS PERMISSIVE FOR ALL TO sink_manager, "sink Clerk" USING (owner_name = current_user)
    WITH CHECK (owner_name = session_user AND amount < 1000000);
CREATE POLICY narrow ON shop.orders AS RESTRICTIVE FOR UPDATE TO sink_reader USING (state <> 'paid') WITH CHECK (state IS NOT NULL);
CREATE POLICY family ON shop.orders FOR DELETE TO sink_reader USING (parent_id IN (SELECT o.id FROM shop.orders o WHERE o.amount > 5));
CREATE POLICY entry ON shop.orders FOR INSERT TO sink_reader WITH CHECK (EXISTS (SELECT FROM shop.customers c WHERE c.id = customer_id));
COMMENT ON POLICY everybody ON shop.orders IS 'a policy';
ALTER TABLE shop.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY known ON shop.customers USING (name <> '');
