"""What backups are made of: a repository, copies of databases, trees of files, and what proves them equal."""
