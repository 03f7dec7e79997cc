"""JavaScript's regular expressions, in steps that are counted: `pattern` is what others use."""
