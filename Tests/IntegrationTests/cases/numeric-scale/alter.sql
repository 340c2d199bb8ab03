ALTER COLUMN amount TYPE numeric(16,4)
