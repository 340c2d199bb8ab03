ALTER COLUMN number TYPE integer USING trim(number)::integer
