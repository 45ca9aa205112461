"""Platform parts that know no business word; both services are built on them."""
