"""What a catalogue must not say."""

from roi.errors import RoiError


class CatalogueInvalid(RoiError, ValueError):
    """A catalogue of translations does not say what a catalogue must say; the message names file and key."""
