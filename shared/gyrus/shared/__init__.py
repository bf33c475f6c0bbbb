"""What every room of gyrus stands on: events, topology, documents, debts, store, settings and the frame of a service."""
