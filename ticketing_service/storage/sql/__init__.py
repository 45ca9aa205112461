"""The store on SQLite and on MySQL or MariaDB, through SQLAlchemy Core."""
