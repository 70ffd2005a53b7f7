"""What a statistic refuses to say."""

from roi.errors import RoiError


class TooFine(RoiError, ValueError):
    """Two figures are compared more finely than they were measured."""
