"""MongoDB through pymongo: opening it by URL, transactions, collections declared in code, and migrations."""
