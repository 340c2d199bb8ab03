ALTER COLUMN note TYPE varchar(60)
