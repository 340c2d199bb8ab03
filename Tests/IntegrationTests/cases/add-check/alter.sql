ADD CONSTRAINT amount_range CHECK (amount > -1000000)
