"""`make load`: scenarios and capacity against a complete product, judged in an HTML report."""
