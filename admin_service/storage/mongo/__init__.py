"""The store on MongoDB; a file an aggregate."""
