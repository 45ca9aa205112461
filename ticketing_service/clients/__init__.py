"""What lies outside: the payment module, the POI directory, mail."""
