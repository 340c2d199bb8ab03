ADD COLUMN added_constant integer NOT NULL DEFAULT 7,
ADD COLUMN added_volatile uuid NOT NULL DEFAULT gen_random_uuid(),
ADD COLUMN added_nullable text
