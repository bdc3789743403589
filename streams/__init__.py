"""How it flows: the Faust app, its transport, store and engine, and the command line."""
