"""The composition root: everything that exists once a process, and the only place that knows every package.

What it holds: settings (`settings`), tokens (`tokens`), the data directory and the embedded database (`datadir`,
`embedded`), and the refusal to start (`startup`).

What it depends on: all other packages. Nothing but the entry points (`channels.cli`, `channels.__main__`) imports it.
"""
