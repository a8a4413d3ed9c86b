"""The records of deletions, and walks over the collections of all packages."""
