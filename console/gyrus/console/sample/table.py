"""What the sample cohort holds: one row for each series. A new series is a new row of its scanner's rows.

Parameters are those of ordinary protocols (3 T head, head CT, FDG of the brain); matrices and slice counts are reduced. `expected` says
what the images are, by physics and by the words of their headers: the axes of the classifier, which need not know them yet.
"""

from gyrus.console.sample import rows_ge, rows_philips, rows_siemens
from gyrus.console.sample.cohort import Series

SERIES: tuple[Series, ...] = (*rows_siemens.SERIES, *rows_ge.SERIES, *rows_philips.SERIES)
