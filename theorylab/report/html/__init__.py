"""Results as HTML: fragments for notebooks and for the page of ``theorylab report``."""
