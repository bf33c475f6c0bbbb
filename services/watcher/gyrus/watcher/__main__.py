"""`python -m gyrus.watcher`: the service, until it is told to stop."""

from gyrus.shared.service import main
from gyrus.watcher.service import make

if __name__ == "__main__":
    main(make)
