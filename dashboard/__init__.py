"""Pages for people: server-rendered, with no domain logic and no script."""
