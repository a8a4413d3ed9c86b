"""Views and insights at work; each method's first argument is the actor."""
