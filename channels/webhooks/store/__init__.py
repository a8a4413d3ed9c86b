"""The collections of webhooks: endpoints, deliveries, and the queues in which deliveries wait."""
