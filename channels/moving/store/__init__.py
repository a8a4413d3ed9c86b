"""The database's side of moving: rows as an export reads them, documents as an import writes them."""
