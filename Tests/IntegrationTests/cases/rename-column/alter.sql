RENAME COLUMN origin TO "Odd "" provenance"
