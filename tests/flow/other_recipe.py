"""The classifier of a later release, whose volumes are made by another recipe."""

from gyrus.classifier.service import make
from gyrus.shared import documents
from gyrus.shared.service import main

documents.RECIPE += 1

if __name__ == "__main__":
    main(make)
