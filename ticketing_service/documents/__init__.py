"""What a customer gets: tickets as PDF, QR codes, calendar entries, mail."""
