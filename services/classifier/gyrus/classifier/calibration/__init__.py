"""How the probabilities are fitted and measured: `make calibrate`. Needs numpy; services do not."""
