"""Group chat's rules at work, one module a life cycle; each method's first argument is the actor."""
