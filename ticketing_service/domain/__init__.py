"""The business, pure: types, prices, states, admission codes and refusals. No I/O, no framework."""
