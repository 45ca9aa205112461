"""One resource a file: who may call, what comes in, what goes out, what else can happen, then one action."""
