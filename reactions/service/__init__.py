"""The rules of reactions at work; each method's first argument is the actor."""
