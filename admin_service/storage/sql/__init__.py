"""The store on an SQL database: SQLite, MySQL or MariaDB; a file an aggregate."""
