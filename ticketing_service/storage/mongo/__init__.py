"""The store on MongoDB, through pymongo."""
