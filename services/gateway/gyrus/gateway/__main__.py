"""`python -m gyrus.gateway`: the service, until it is told to stop."""

from gyrus.gateway.service import run

if __name__ == "__main__":
    run()
