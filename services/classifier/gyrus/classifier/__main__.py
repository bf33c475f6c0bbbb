"""`python -m gyrus.classifier`: the service, until it is told to stop."""

from gyrus.classifier.service import make
from gyrus.shared.service import main

if __name__ == "__main__":
    main(make)
