ALTER COLUMN tenant TYPE bigint, ALTER COLUMN id TYPE bigint
